"""Cash at the door, on the courier's screen and at the store's till."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from highstreet.delivery.couriers.models import CashHandIn
from highstreet.delivery.dispatch.models import Delivery
from highstreet.delivery.dispatch.tests.cash import no_orders
from highstreet.kernel import clock, ids
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.trade.fulfilment.models import Fulfilment
from highstreet.trade.payments import actions as payments
from highstreet.web.store.tests import world

from .test_pages import Ride, give, rider, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def ride() -> Iterator[Ride]:
    """An order for which ¥16.80 are due, in the courier's hands."""
    made = world.build()
    client, courier = rider(made, "chen")
    client.post("/courier/shift", {"on": "1"})
    client.post("/courier/position", {"lat": "-30.03", "lon": "-51.22"})
    going = Ride(made, client, courier, *give(made, courier))
    Fulfilment.objects.filter(pk=going.fulfilment).update(collect_due=1680)
    Delivery.objects.filter(pk=going.delivery).update(cash=True)
    payments.create_intent(
        actor=THE_SYSTEM,
        payable=Delivery.objects.get(pk=going.delivery).order_id,
        organisation_id=made.store.organisation_id,
        provider="at_door",
        amount=1680,
        currency="CNY",
        description="",
        expires_at=clock.now() + timedelta(days=1),
    )
    with no_orders():
        yield going


def at_the_door(ride: Ride) -> None:
    ride.go("accept", "arrive_store", "pick_up", "arrive_door")


def test_the_amount_stands_big_before_the_button_and_is_ticked(ride: Ride) -> None:
    assert "take ¥16.80" in ride.screen() and "I have taken" not in ride.screen()
    at_the_door(ride)
    text = ride.screen()
    assert text.index("Take in cash") < text.index("I have taken ¥16.80 in cash") < text.index('id="go"')
    unticked = ride.client.post(f"{ride.stop}/deliver", {"code": ride.code})
    assert unticked.status_code == 409 and "Take ¥16.80 in cash, then confirm that amount" in words(unticked)
    assert ride.status == "at_door"
    assert ride.client.post(f"{ride.stop}/deliver", {"code": ride.code, "cash": "1680"})["Location"] == "/courier/"
    assert ride.status == "delivered"
    earned = words(ride.client.get("/courier/earnings"))
    assert "Cash in hand" in earned and "¥16.80" in earned


@pytest.mark.parametrize("said", ["16.80", "-1680", "1" * 40, "١٦٨٠", "x"])
def test_what_is_no_amount_confirms_nothing(ride: Ride, said: str) -> None:
    at_the_door(ride)
    assert ride.client.post(f"{ride.stop}/deliver", {"code": ride.code, "cash": said}).status_code == 409
    assert ride.status == "at_door"


def test_another_amount_is_another_box_to_tick(ride: Ride) -> None:
    at_the_door(ride)
    assert 'id="took-code-1680"' in ride.screen()
    Fulfilment.objects.filter(pk=ride.fulfilment).update(collect_due=1090)
    late = ride.client.post(f"{ride.stop}/deliver", {"code": ride.code, "cash": "1680"})
    assert late.status_code == 409 and "Take ¥10.90 in cash" in words(late)
    assert 'id="took-code-1090"' in words(late)


def test_who_is_not_paid_says_so_and_brings_it_back(ride: Ride) -> None:
    at_the_door(ride)
    assert 'value="not_paid"' in words(ride.client.get(f"{ride.stop}/incident"))
    assert ride.client.post(f"{ride.stop}/incident", {"kind": "not_paid", "sure": "yes"}).status_code == 302
    assert ride.status == "failed"
    ride.go("give_back")
    assert ride.status == "returned"


def test_nobody_else_is_asked_whether_it_was_paid(ride: Ride) -> None:
    Delivery.objects.update(cash=False)
    at_the_door(ride)
    assert "not_paid" not in words(ride.client.get(f"{ride.stop}/incident"))
    assert "took-" not in ride.screen()


def test_a_store_takes_in_what_was_counted_once(ride: Ride) -> None:
    at_the_door(ride)
    ride.client.post(f"{ride.stop}/deliver", {"code": ride.code, "cash": "1680"})
    staff = world.person(ride.world, "picker", store=ride.world.store)
    url = f"/store/{ids.public('str', ride.world.store.pk)}/cash"
    text = words(staff.get(url))
    assert "陈师傅" in text and "¥16.80" in text
    form = {"courier": ids.public("cou", ride.courier), "key": "k", "amount": "no"}
    typed = staff.post(url, form)
    assert typed.status_code == 422 and "Count it, and type the amount" in words(typed)
    more = staff.post(url, form | {"amount": "16.81"})
    assert more.status_code == 409 and "This courier has ¥16.80 in hand" in words(more)
    for _ in range(2):
        assert staff.post(url, form | {"amount": "10"})["Location"] == url
    done = words(staff.get(url))
    assert "¥10.00 from 陈师傅 is in the till. Still in hand: ¥6.80" in done
    assert CashHandIn.objects.get().amount == 1000
    earned = words(ride.client.get("/courier/earnings"))
    assert "¥6.80" in earned and "Handed in" in earned
    assert staff.post(url, form | {"courier": "x"}).status_code == 404
    assert ride.client.get(url).status_code == 403


def test_a_store_where_nobody_owes_says_so(ride: Ride) -> None:
    staff = world.person(ride.world, "picker", store=ride.world.store)
    url = f"/store/{ids.public('str', ride.world.store.pk)}"
    assert "No courier has cash to hand in" in words(staff.get(f"{url}/cash"))
    assert f"{url}/cash" in words(staff.get(f"{url}/collect"))
