"""Whole orders with the real promise, the real dispatcher and a courier: in time, late, nobody home, re-routed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from highstreet.delivery.couriers import actions as courier_actions
from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.promise import reads as promise_reads
from highstreet.delivery.promise.actions import Promises
from highstreet.delivery.promise.models import CapacitySlot
from highstreet.kernel import clock, ids, outbox
from highstreet.kernel.models import Hold, OutboxDelivery
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.people.accounts.models import User
from highstreet.people.accounts.reads import actor_of_user
from highstreet.supply.organisations import reads as organisations
from highstreet.trade.fulfilment import actions as fulfilments
from highstreet.trade.orders import actions as order_actions
from highstreet.trade.orders import ports
from highstreet.trade.orders import reads as orders
from highstreet.trade.orders.actions import Placed
from highstreet.trade.orders.tests import support

from .. import actions
from ..models import Delivery
from ..reads import tracking

PHOTO = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)


@pytest.fixture
def town(db: None) -> Iterator[support.Town]:
    """The orders' town with the real promise in place of its steady one."""
    with support.running_from(support.NOON):
        made = support.build()
        organisations.forget()
        promise_reads.forget()
        ports.promises.fill(Promises())
        yield made
        outbox.drain()
        support.clean_audit()


def rider(town: support.Town, name: str = "Ana Lima") -> Actor:
    user = User.objects.create(username=ids.random_token(10))
    courier_actions.create(actor=THE_SYSTEM, user_id=user.pk, city_id=town.city, name=name, phone="1")
    actor = actor_of_user(user.pk)
    courier_actions.start_shift(actor=actor)
    courier_actions.report_position(actor=actor, lat=town.lat, lon=town.lon)
    outbox.drain()
    return actor


def on_the_way(town: support.Town, courier: Actor) -> tuple[Placed, Delivery]:
    """An order paid, packed, given to the courier and picked up."""
    placed = town.paid(2, 1)
    support.pick(town, placed)
    assert actions.plan(actor=THE_SYSTEM, city_id=town.city).assigned == 1
    row = Delivery.objects.get(order_id=placed.order_id)
    for act in (actions.accept, actions.arrive_store, actions.pick_up):
        act(actor=courier, delivery_id=row.pk)
    outbox.drain()
    return placed, row


def outcome(placed: Placed) -> tuple[str, int]:
    found = promise_reads.promise(placed.order_id)
    assert found is not None
    return found.outcome, found.compensation


def held() -> int:
    return sum(slot.held + slot.taken for slot in CapacitySlot.objects.all())


def test_in_time(town: support.Town) -> None:
    courier = rider(town)
    placed, row = on_the_way(town, courier)
    assert held() == 1 and Hold.objects.get(kind="courier_capacity").state == "confirmed"
    code = support.package(placed).handover_code
    pay = actions.deliver(actor=courier, delivery_id=row.pk, proof_kind="code", proof=code)
    outbox.drain()
    assert outcome(placed) == ("kept", 0)
    assert held() == 0 and Hold.objects.get(kind="courier_capacity").state == "consumed"
    assert orders.order(THE_SYSTEM, placed.order_id).status == "completed"
    zone = organisations.city(town.city).zone
    assert couriers.earnings(courier, clock.now().astimezone(zone).date()).total == pay
    courier_actions.end_shift(actor=courier)


def test_late_is_made_good_without_a_claim(town: support.Town) -> None:
    courier = rider(town)
    placed, row = on_the_way(town, courier)
    credit = organisations.terms(town.retailer).late_credit
    with support.later(120):
        actions.deliver(actor=courier, delivery_id=row.pk, proof_kind="photo", proof=PHOTO)
        outbox.drain()
        assert outcome(placed) == ("broken", credit)
        assert town.balance("promise_compensation") == credit
        outbox.drain()
        support.clean_audit()


def test_nobody_home_ends_in_a_full_refund_and_no_broken_promise(town: support.Town) -> None:
    courier = rider(town)
    placed, row = on_the_way(town, courier)
    actions.incident(actor=courier, delivery_id=row.pk, kind="nobody_home")
    actions.give_back(actor=courier, delivery_id=row.pk)
    outbox.drain()
    assert outcome(placed) == ("void", 0)
    assert orders.order(THE_SYSTEM, placed.order_id).status == "cancelled"
    assert held() == 0
    assert support.settle_refunds(placed) > 0


def test_a_cancelled_order_gives_its_ride_back(town: support.Town) -> None:
    rider(town)
    placed = town.paid(1)
    assert held() == 1
    fulfilments.accept(actor=town.worker(), fulfilment_id=support.package(placed).id)
    outbox.drain()
    order_actions.cancel(actor=Actor(order_keys=frozenset({placed.key})), order_id=placed.order_id)
    outbox.drain()
    assert held() == 0 and outcome(placed) == ("void", 0)
    assert Delivery.objects.get(order_id=placed.order_id).status == "cancelled"
    track = tracking.track(placed.order_id)
    assert track is not None and track.path == []


def test_a_rejected_order_moves_with_its_load(town: support.Town) -> None:
    for number in range(4):  # an only courier would count as busy with this very order
        rider(town, f"Ana {number}")
    placed = town.paid(1)
    first = support.package(placed)
    fulfilments.reject(actor=town.worker(), fulfilment_id=first.id, reason="too_busy")
    outbox.drain()
    second = support.package(placed)
    assert second.store_id != first.store_id
    loads = promise_reads.situation(town.city, clock.now()).loads
    assert {store: load.orders for store, load in loads.items()} == {second.store_id: 1}
    assert held() == 1


def test_without_couriers_there_is_no_delivery_and_with_few_a_later_one(town: support.Town) -> None:
    with pytest.raises(Refused, match="no_capacity"):
        town.order(1)
    rider(town)
    first = town.quote(town.cart(1))
    town.paid(1)
    second = town.quote(town.cart(1))
    assert second.promised_to > first.promised_to + timedelta(minutes=5)


def test_what_overtakes_the_beginning_waits_for_it(town: support.Town) -> None:
    """Jobs run side by side: "packed" may come before the delivery it is told to, and must not be lost on it."""
    rider(town)
    placed = town.paid(2, 1)
    support.pick(town, placed)
    outbox.drain()
    Delivery.objects.filter(order_id=placed.order_id).delete()
    told = OutboxDelivery.objects.filter(handler__startswith="delivery.dispatch.handlers.")
    begun, packed = (told.get(handler__endswith=f".{name}").pk for name in ("accepted", "ready"))
    told.filter(pk__in=[begun, packed]).update(done_at=None)
    with pytest.raises(outbox.Early):
        outbox.deliver(packed)
    assert outbox.deliver(begun) and outbox.deliver(packed)
    assert Delivery.objects.get(order_id=placed.order_id).ready_at is not None
