"""The courier's shifts, break and pay on the pages: what is offered, what is not, and why."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from highstreet.delivery.couriers.models import Break, EarningRule, RosterShift, Wish
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


def test_my_times_are_said_and_taken_back(made: world.World) -> None:
    client, courier = rider(made, "chen")
    assert "My times" in words(client.get("/courier/shifts"))
    assert "You have said nothing yet" in words(client.get("/courier/wishes"))
    form = {"kind": "cannot", "when": "1", "from": "18:00", "to": "22:00"}
    assert client.post("/courier/wishes", form).status_code == 302
    text = words(client.get("/courier/wishes"))
    assert "Every Tuesday · 18:00–22:00" in text
    day = clock.now().astimezone(organisations.city(made.city.pk).zone).date() + timedelta(days=3)
    assert client.post("/courier/wishes", {**form, "when": str(day), "from": "00:00", "to": "24:00"}).status_code == 302
    assert "all day" in words(client.get("/courier/wishes"))
    row = Wish.objects.get(courier_id=courier, weekday=1)
    other, _ = rider(made, "liu")
    path = f"/courier/wishes/{ids.public('wsh', row.pk)}/remove"
    assert other.post(path).status_code == 404
    assert Wish.objects.filter(courier_id=courier).count() == 2
    assert client.post(path).status_code == 302
    assert [one.day for one in Wish.objects.filter(courier_id=courier)] == [day]
    assert client.post("/courier/wishes/wsh_nothing/remove").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"from": "22:00", "to": "18:00"},
        {"when": "someday"},
        {"when": ""},
        {"kind": "maybe"},
        {"from": "18:07"},
        {"to": ""},
    ],
)
def test_a_time_that_is_none_is_asked_again_with_what_was_chosen(made: world.World, wrong: dict[str, str]) -> None:
    client, _ = rider(made, "chen")
    form = {"kind": "avoid", "when": "2", "from": "18:00", "to": "22:00", **wrong}
    answer = client.post("/courier/wishes", form)
    assert answer.status_code == 422
    assert "a time that ends after it begins" in words(answer)
    assert not Wish.objects.exists()
    past = client.post(
        "/courier/wishes", {**form, "kind": "want", "when": "2020-01-01", "from": "08:00", "to": "09:00"}
    )
    assert past.status_code == 409


def test_an_open_shift_says_that_it_is_as_wished(made: world.World) -> None:
    client, courier = rider(made, "chen")
    row = shift(made)
    day = row.starts_at.astimezone(organisations.city(made.city.pk).zone).date()
    Wish.objects.create(courier_id=courier, kind="cannot", day=day, from_minute=0, to_minute=1440)
    assert "you said you cannot" in words(client.get("/courier/shifts"))
