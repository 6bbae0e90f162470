"""One ride to two shops, on a real database: assigned, ridden in the order that was meant, explained, ended."""

from __future__ import annotations

import pytest

from highstreet.delivery.couriers.tests import support
from highstreet.kernel.policy import THE_SYSTEM, Actor

from .. import actions, reads, rules
from ..models import Delivery, DispatchDecision
from ..reads import tracking
from .test_actions import begin, plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def two_shops(capacity: int = 3) -> tuple[support.Town, Actor, Delivery, Delivery]:
    """Shops 800 m apart, an order of each for neighbours beyond the second, one courier near the first."""
    place = support.town(stores=2)
    rider = support.courier(place, -50, capacity=capacity)
    here = begin(support.fulfilment(place, 1200, 800, status="ready"))
    there = begin(support.fulfilment(place, 1150, 800, status="ready", store=1))
    return place, rider, here, there


def ways(rider: Actor) -> list[tuple[str, str]]:
    return [(stop.kind, stop.name) for stop in reads.tasks(rider)]


def test_a_ride_to_two_shops_goes_to_both_then_to_the_doors() -> None:
    place, rider, here, there = two_shops()
    assert plan(place).assigned == 2
    for row in (here, there):
        row.refresh_from_db()
    assert (here.pick, there.pick) == (1, 2) and {here.sequence, there.sequence} == {3, 4}
    assert here.seat != there.seat
    shops = [("pickup", shop.name) for shop in place.stores]
    assert ways(rider)[:2] == shops and [kind for kind, _ in ways(rider)] == ["pickup"] * 2 + ["dropoff"] * 2
    for row in (here, there):
        actions.accept(actor=rider, delivery_id=row.pk)
    actions.arrive_store(actor=rider, delivery_id=here.pk)
    actions.pick_up(actor=rider, delivery_id=here.pk)
    # With goods in the bag to the other shop first; who waits at the door sees it.
    assert [kind for kind, _ in ways(rider)] == ["pickup", "dropoff", "dropoff"] and ways(rider)[0] == shops[1]
    views = [tracking.track(row.order_id) for row in sorted((here, there), key=lambda row: row.sequence)]
    assert [view.stops_before for view in views if view] == [0, 1]
    actions.pick_up(actor=rider, delivery_id=there.pk)
    for row in sorted((here, there), key=lambda row: row.sequence):
        assert reads.tasks(rider)[0].jobs[0].id == row.pk
        actions.arrive_door(actor=rider, delivery_id=row.pk)
        actions.deliver(actor=rider, delivery_id=row.pk, proof_kind="code", proof="4711")
    assert reads.tasks(rider) == []
    assert support.broken() == []


def test_why_tells_of_the_way_by_both_shops() -> None:
    """The parts of each order's way, and a minute at its shop, come to the arrival that was told."""
    place, _, here, there = two_shops()
    plan(place)
    for row in (here, there):
        basis = DispatchDecision.objects.get(delivery=row).basis
        assert basis["stores"] == 2
        row.refresh_from_db()
        assert row.eta is not None
        told = (row.eta - support.NOON).total_seconds()
        whole = sum(basis[part] for part in ("free", "ride", "wait", "door")) + rules.AT_STORE_SECONDS
        assert whole == pytest.approx(told, abs=3)
    first, second = (DispatchDecision.objects.get(delivery=row).basis for row in (here, there))
    assert second["ride"] > first["ride"] and first["door"] > second["door"] - 120


def test_a_bag_for_one_makes_two_rides() -> None:
    place, rider, *_ = two_shops(capacity=1)
    assert plan(place).assigned == 1
    assert [kind for kind, _ in ways(rider)] == ["pickup", "dropoff"]
    assert Delivery.objects.filter(pick__isnull=False).count() == 0


def test_what_is_let_go_of_a_ride_waits_alone() -> None:
    place, rider, here, there = two_shops()
    plan(place)
    for row in (here, there):
        actions.accept(actor=rider, delivery_id=row.pk)
    actions.incident(actor=rider, delivery_id=there.pk, kind="cannot_go_on")
    there.refresh_from_db()
    assert (there.status, there.pick, there.sequence) == ("waiting", None, 0)
    assert [stop.kind for stop in reads.tasks(rider)] == ["pickup", "dropoff"]
    actions.override(actor=THE_SYSTEM, delivery_id=there.pk, courier_id=rider.courier_id, why="together")
    assert [stop.kind for stop in reads.tasks(rider)] == ["pickup", "dropoff", "pickup", "dropoff"]
