"""The courier's shifts, break and pay on the pages: what is offered, what is not, and why."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from highstreet.delivery.couriers.models import Break, EarningRule, RosterShift
from highstreet.kernel import clock, ids
from highstreet.supply.organisations import reads as organisations
from highstreet.web.store.tests import world

from .test_pages import rider, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def made() -> world.World:
    return world.build()


def shift(made: world.World, **more: object) -> RosterShift:
    starts = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=30)
    return RosterShift.objects.create(
        city=made.city, **{"status": "open", "starts_at": starts, "ends_at": starts + timedelta(hours=4), **more}
    )


def press(client: Client, row: RosterShift, what: str) -> int:
    return client.post(f"/courier/shifts/{ids.public('shf', row.pk)}/{what}").status_code


def test_taking_offering_and_keeping(made: world.World) -> None:
    client, courier = rider(made, "chen")
    row = shift(made)
    assert "Take it" in words(client.get("/courier/shifts"))
    assert press(client, row, "take") == 302
    text = words(client.get("/courier/shifts"))
    assert "Offer it" in text and "Take it" not in text
    assert press(client, row, "offer") == 302
    assert "Keep it" in words(client.get("/courier/shifts"))
    other, _ = rider(made, "liu")
    assert "a colleague offers it" in words(other.get("/courier/shifts"))
    assert press(other, row, "take") == 302
    assert press(client, row, "keep") == 404
    row.refresh_from_db()
    assert row.courier_id != courier


def test_one_that_somebody_else_took_is_refused_on_the_page(made: world.World) -> None:
    (client, _), (other, _) = rider(made, "chen"), rider(made, "liu")
    row = shift(made)
    press(other, row, "take")
    answer = client.post(f"/courier/shifts/{ids.public('shf', row.pk)}/take")
    assert answer.status_code == 409
    assert "Somebody else has this shift now." in words(answer)
    assert press(client, row, "explode") == 404
    assert client.post("/courier/shifts/shf_nothing/take").status_code == 404


def test_shifts_of_the_same_time_are_one_line_and_barred_ones_say_why(made: world.World) -> None:
    client, courier = rider(made, "chen")
    starts = (
        clock.now()
        .astimezone(organisations.city(made.city.pk).zone)
        .replace(hour=10, minute=0, second=0, microsecond=0)
    )
    starts += timedelta(days=2)
    times = {"starts_at": starts, "ends_at": starts + timedelta(hours=4)}
    for _ in range(3):
        shift(made, **times)
    text = words(client.get("/courier/shifts"))
    assert text.count("Take it") == 1 and "3 free" in text
    shift(made, status="taken", courier_id=courier, **times)
    text = words(client.get("/courier/shifts"))
    assert "Take it" not in text and "two shifts at once" in text


def test_a_break_is_one_button_and_back(made: world.World) -> None:
    client, _ = rider(made, "chen")
    assert client.post("/courier/break", {"on": "1"}).status_code == 409
    client.post("/courier/shift", {"on": "1"})
    assert "Take a break" in words(client.get("/courier/"))
    assert client.post("/courier/break", {"on": "1"}).status_code == 302
    text = words(client.get("/courier/"))
    assert "End the break" in text and "Take a break" not in text and text.count('id="go"') == 1
    client.post("/courier/break", {"on": "0"})
    assert Break.objects.get().ends_at is not None
    assert "Nothing to bring right now" in words(client.get("/courier/"))


def test_earnings_say_the_rule_and_what_was_added(made: world.World) -> None:
    client, courier = rider(made, "chen")
    now = clock.now()
    EarningRule.objects.create(
        city=made.city,
        starts_at=now - timedelta(days=1),
        per_order=650,
        per_km=120,
        guarantee_hour=3000,
        bonus_orders=20,
        bonus=2500,
    )
    organisations.forget()
    text = words(client.get("/courier/earnings"))
    for said in ("¥6.50 an order", "¥1.20 a kilometre", "¥30.00 an hour", "¥25.00 on a day with 20 orders"):
        assert said in text
    client.post("/courier/shift", {"on": "1"})
    RosterShift.objects.create(
        city=made.city,
        courier_id=courier,
        status="taken",
        starts_at=now - timedelta(minutes=1),
        ends_at=now + timedelta(hours=4),
    )
    with clock.advanced(timedelta(minutes=5)):
        client.post("/courier/shift", {"on": "0"})
        text = words(client.get("/courier/earnings"))
    assert "minutes are guaranteed ¥30.00 an hour" in text
