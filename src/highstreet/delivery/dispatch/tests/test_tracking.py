"""What is known of a late order while it is: from real orders, stores that dawdle and couriers who do not come."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from highstreet.kernel import clock, ids, outbox
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.trade.fulfilment import actions as fulfilments
from highstreet.trade.orders import reads as orders
from highstreet.trade.orders.actions import Placed
from highstreet.trade.orders.models import Order
from highstreet.trade.orders.tests import support

from .. import actions
from ..models import Delivery
from ..reads import tracking
from .test_journey import on_the_way, rider, town

__all__ = ["town"]
pytestmark = pytest.mark.django_db


def now(placed: Placed) -> tuple[str, bool]:
    """Its cause, and whether it is late."""
    found = tracking.delay(orders.order(THE_SYSTEM, placed.order_id), tracking.track(placed.order_id))
    return found.cause, found.late_seconds >= 60


def due_in(placed: Placed, minutes: float) -> None:
    """Promised for so soon, so that it is late with whatever comes now."""
    due = clock.now() + timedelta(minutes=minutes)
    Order.objects.filter(pk=placed.order_id).update(promised_to=due)
    Delivery.objects.filter(order_id=placed.order_id).update(promised_to=due)


def packed(town: support.Town) -> tuple[Placed, Delivery]:
    placed = town.paid(1)
    support.pick(town, placed)
    return placed, Delivery.objects.get(order_id=placed.order_id)


def plan(town: support.Town) -> None:
    actions.plan(actor=THE_SYSTEM, city_id=town.city)


def test_a_store_that_does_not_begin_is_the_cause_before_there_is_a_delivery(town: support.Town) -> None:
    rider(town)
    placed = town.paid(1)
    outbox.drain()
    assert tracking.track(placed.order_id) is None and now(placed) == ("", False)
    with support.later(45):
        late = tracking.delay(orders.order(THE_SYSTEM, placed.order_id), None)
        behind = clock.now() - support.package(placed).ready_by
        assert late.cause == "not_packed" and late.expected is not None
        assert abs(late.expected - orders.order(THE_SYSTEM, placed.order_id).promised_from - behind) < timedelta(
            seconds=1
        )
        fulfilments.accept(actor=town.worker(), fulfilment_id=support.package(placed).id)
        outbox.drain()
        assert now(placed) == ("not_packed", True)


def test_an_order_that_moved_says_so_until_it_is_packed(town: support.Town) -> None:
    for number in range(4):
        rider(town, f"Ana {number}")
    placed = town.paid(1)
    fulfilments.reject(actor=town.worker(), fulfilment_id=support.package(placed).id, reason="too_busy")
    outbox.drain()
    assert now(placed) == ("", False)
    due_in(placed, 1)
    assert now(placed) == ("other_store", True)
    box = support.package(placed)
    fulfilments.accept(actor=town.worker(town.stores.index(box.store_id)), fulfilment_id=box.id)
    outbox.drain()
    due_in(placed, 1)
    assert tracking.track(placed.order_id) is not None and now(placed) == ("other_store", True)


def test_nobody_takes_it_then_somebody_who_cannot_go_on(town: support.Town) -> None:
    courier = rider(town)
    placed, row = packed(town)
    assert now(placed) == ("", False)
    due_in(placed, 1)
    # The soonest that anybody could be there is after it, with no eta yet.
    seen = tracking.track(placed.order_id)
    assert seen is not None and seen.eta is None and seen.expected is not None
    assert now(placed) == ("no_courier", True)
    due_in(placed, -5)
    plan(town)
    assert now(placed) == ("no_courier", True)
    actions.accept(actor=courier, delivery_id=row.pk)
    assert now(placed) == ("courier_late", True)
    actions.incident(actor=courier, delivery_id=row.pk, kind="cannot_go_on")
    assert now(placed) == ("other_courier", True)


@pytest.mark.parametrize("why", ["lapsed", "declined"])
def test_an_offer_that_nobody_took_was_no_courier(town: support.Town, why: str) -> None:
    courier = rider(town)
    placed, row = packed(town)
    due_in(placed, 1)
    plan(town)
    if why == "declined":
        actions.decline(actor=courier, delivery_id=row.pk)
    else:
        with support.later(3):
            actions.plan(actor=THE_SYSTEM, city_id=town.city)
    assert now(placed) == ("no_courier", True)


def test_who_vanished_is_followed_by_somebody_else(town: support.Town) -> None:
    courier = rider(town)
    placed, row = packed(town)
    plan(town)
    actions.accept(actor=courier, delivery_id=row.pk)
    with support.later(11):
        plan(town)
        row.refresh_from_db()
        assert row.status == "waiting"
        second = rider(town, "Bo Reis")
        plan(town)
        actions.accept(actor=second, delivery_id=row.pk)
        due_in(placed, 0)
        assert now(placed) == ("other_courier", True)


def test_the_door_before_mine(town: support.Town) -> None:
    courier = rider(town)
    both = [packed(town) for _ in range(2)]
    plan(town)
    for _placed, row in both:
        actions.accept(actor=courier, delivery_id=row.pk)
        actions.pick_up(actor=courier, delivery_id=row.pk)
    outbox.drain()
    first, second = sorted(both, key=lambda pair: Delivery.objects.get(pk=pair[1].pk).sequence)
    for placed, _row in both:
        due_in(placed, 0)
    assert now(second[0]) == ("other_door", True)
    assert now(first[0])[0] in ("slow_ride", "courier_late")


def test_when_it_is_expected_is_not_made_up(town: support.Town) -> None:
    """Not before its window; not at all when it has left and nobody told when it comes. Past its promise it is late."""
    rider(town)
    placed, row = packed(town)
    rows, window = Delivery.objects.filter(pk=row.pk), clock.now() + timedelta(minutes=50)
    rows.update(not_before=window)
    seen = tracking.track(placed.order_id)
    assert seen is not None and seen.expected == window
    rows.update(carrier="fleet", status="picked_up", picked_up_at=clock.now(), not_before=None)
    seen = tracking.track(placed.order_id)
    assert seen is not None and seen.expected is None and now(placed) == ("", False)
    due_in(placed, -2)
    assert now(placed) == ("slow_ride", True)
    # What was planned and is over is expected now.
    rows.update(eta=clock.now() - timedelta(minutes=3))
    found = tracking.delay(orders.order(THE_SYSTEM, placed.order_id), tracking.track(placed.order_id))
    assert found.expected is not None and 120 <= found.late_seconds < 150


def test_what_failed_is_not_late_any_more(town: support.Town) -> None:
    courier = rider(town)
    placed, row = on_the_way(town, courier)
    due_in(placed, 0)
    assert now(placed)[1]
    actions.incident(actor=courier, delivery_id=row.pk, kind="damaged")
    seen = tracking.track(placed.order_id)
    assert seen is not None and seen.undelivered and (seen.incident, seen.expected) == ("damaged", None)
    assert now(placed) == ("", False)


def get(placed: Placed, **query: str) -> Any:
    return Client().get(f"/api/v1/orders/{ids.public('ord', placed.order_id)}/delivery", query)


def test_it_is_followed_by_the_api_too(town: support.Town) -> None:
    courier = rider(town)
    placed = town.paid(1)
    outbox.drain()
    assert get(placed).status_code == get(placed, key="x" * 32).status_code == 404
    told = get(placed, key=placed.key).json()
    assert (told["status"], told["cause"], told["late_seconds"], told["lat"]) == ("in_store", "", 0, None)
    due_in(placed, -30)
    Order.objects.filter(pk=placed.order_id).update(promised_from=clock.now() - timedelta(minutes=40))
    told = get(placed, key=placed.key).json()
    assert (told["status"], told["cause"]) == ("in_store", "not_packed")
    assert datetime.fromisoformat(told["expected"]) >= clock.now() - timedelta(seconds=5)
    support.pick(town, placed)
    due_in(placed, 1)
    told = get(placed, key=placed.key).json()
    assert (told["status"], told["cause"]) == ("waiting", "no_courier") and told["late_seconds"] > 60
    plan(town)
    row = Delivery.objects.get(order_id=placed.order_id)
    for act in (actions.accept, actions.pick_up):
        act(actor=courier, delivery_id=row.pk)
    told = get(placed, key=placed.key).json()
    assert (told["status"], told["courier"], told["incident"]) == ("picked_up", "Ana", "") and told["lat"] is not None
    actions.incident(actor=courier, delivery_id=row.pk, kind="nobody_home")
    told = get(placed, key=placed.key).json()
    assert (told["status"], told["incident"], told["cause"], told["expected"]) == ("failed", "nobody_home", "", None)
    assert (told["lat"], told["courier"]) == (None, "")


def test_who_holds_another_orders_key_may_not_follow_this_one(town: support.Town) -> None:
    rider(town)
    mine, theirs = town.paid(1), town.paid(1)
    assert (get(mine, key=mine.key).status_code, get(theirs, key=mine.key).status_code) == (200, 404)


def test_a_pick_up_and_an_unpaid_order_have_no_delivery_to_follow(town: support.Town) -> None:
    rider(town)
    for placed in (town.order(1, mode="pickup", method="at_pickup"), town.order(1)):
        assert get(placed, key=placed.key).status_code == 404


def test_the_history_costs_no_statement(town: support.Town) -> None:
    courier = rider(town)
    placed, row = packed(town)
    plan(town)
    actions.accept(actor=courier, delivery_id=row.pk)
    tracking.track(placed.order_id)
    order = orders.order(THE_SYSTEM, placed.order_id)
    with CaptureQueriesContext(connection) as track:
        seen = tracking.track(placed.order_id)
    with CaptureQueriesContext(connection) as delay:
        tracking.delay(order, seen)
    (told,) = (one["sql"] for one in track if "kernel_statechange" in one["sql"])
    assert '"dispatch_delivery"."promised_to"' in told and len(delay) == 0
