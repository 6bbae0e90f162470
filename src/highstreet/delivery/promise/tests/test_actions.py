"""Offers, capacity, and what comes of a promise, on a real database."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from highstreet.delivery.couriers import actions as courier_actions
from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON
from highstreet.kernel import holds, ids, outbox
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.supply.stores import reads as stores
from highstreet.supply.stores.models import Store
from highstreet.trade.fulfilment import events
from highstreet.trade.orders import ports
from highstreet.trade.orders.ports import PromiseOffer

from .. import actions, reads, rules
from ..models import CapacitySlot, Promise

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


@pytest.fixture
def credits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[UUID, int, str]]:
    """What orders were told to give back."""
    given: list[tuple[UUID, int, str]] = []

    def compensate(actor: Actor, order_id: UUID, amount: int, reason: str) -> None:
        given.append((order_id, amount, reason))

    monkeypatch.setattr(actions, "_compensate", compensate)
    return given


def offer(
    place: support.Town, mode: str = "delivery", at: datetime = NOON, units: int = 3, store: int = 0
) -> PromiseOffer | None:
    lat, lon = support.point(600, 0)
    return ports.promises().offer(store=place.stores[store], lat=lat, lon=lon, units=units, mode=mode, at=at)


def sure(found: PromiseOffer | None) -> PromiseOffer:
    assert found is not None
    return found


def kept_for(place: support.Town, found: PromiseOffer, mode: str = "delivery") -> UUID:
    order_id = ids.new_id()
    ports.promises().keep(order_id=order_id, city_id=place.city_id, store_id=place.store.id, mode=mode, offer=found)
    return order_id


def test_an_offer_rests_on_what_it_says_and_holds_one_ride() -> None:
    place = support.town()
    support.courier(place, 0)
    support.courier(place, 0)
    found = sure(offer(place))
    assert found.promised_from < found.promised_to
    assert NOON + timedelta(minutes=10) < found.promised_to < NOON + timedelta(minutes=40)
    assert found.reason_if_later == "" and found.quantile == 90
    assert PromiseOffer.from_json(found.to_json()) == found
    (claim,) = ports.promises().claims(found)
    slot = CapacitySlot.objects.get(pk=claim.resource)
    assert slot.starts_at == rules.slot_start(datetime.fromisoformat(found.basis["expected"]))
    assert slot.capacity == rules.capacity(2)
    assert sure(offer(place)).capacity_slot_id == found.capacity_slot_id


def test_a_full_quarter_is_promised_later_and_a_full_afternoon_not_at_all() -> None:
    place = support.town()
    support.courier(place, 0)
    first = sure(offer(place))
    holds.take(ids.new_id(), ports.promises().claims(first), NOON + timedelta(minutes=10))
    second = sure(offer(place))
    assert second.capacity_slot_id != first.capacity_slot_id
    assert second.reason_if_later == "no_capacity"
    assert second.promised_to > first.promised_to
    assert second.promised_from >= datetime.fromisoformat(second.basis["slot"])
    with pytest.raises(Refused, match="capacity_gone"), transaction.atomic():
        holds.take(ids.new_id(), ports.promises().claims(first), NOON + timedelta(minutes=10))
    for _ in range(20):
        found = offer(place)
        if found is None:
            break
        holds.take(ids.new_id(), ports.promises().claims(found), NOON + timedelta(minutes=10))
    assert offer(place) is None
    assert offer(place, "pickup") is not None
    assert support.broken() == []


def test_no_couriers_no_delivery_but_pickup() -> None:
    place = support.town()
    assert offer(place) is None
    found = sure(offer(place, "pickup"))
    assert found.capacity_slot_id is None and ports.promises().claims(found) == []
    assert found.ready_by == found.promised_to


def test_a_closed_or_closing_shop_promises_nothing_and_says_when_it_opens() -> None:
    place = support.town(opens=480, closes=723)  # 12:03 local
    support.courier(place, 0)
    lat, lon = support.point(300, 0)
    assert offer(place) is None
    later = NOON + timedelta(hours=1)
    shop = reads.offers_for(place.city_id, [place.store], lat, lon, later)[place.store.id]
    assert not shop.open and shop.delivery is None and shop.pickup is None
    assert shop.opens_at == NOON.replace(hour=11) + timedelta(days=1)


def test_a_loaded_shop_promises_later_until_it_has_packed() -> None:
    place = support.town()
    support.courier(place, 0)
    idle = sure(offer(place, "pickup"))
    orders = [kept_for(place, idle, "pickup") for _ in range(6)]
    loaded = sure(offer(place, "pickup"))
    assert loaded.promised_to > idle.promised_to and loaded.basis["load_orders"] == 6
    for order_id in orders[:3]:
        actions.packed(actor=THE_SYSTEM, order_id=order_id, at=NOON)
    for order_id in orders[3:]:
        ports.promises().void(order_id=order_id)
    assert sure(offer(place, "pickup")).promised_to == idle.promised_to


def test_shifts_open_and_close_capacity_but_never_below_what_is_taken() -> None:
    place = support.town()
    first, second = support.courier(place, 0), support.courier(place, 0)
    support.settle()
    slots = CapacitySlot.objects.filter(city_id=place.city_id)
    assert slots.count() == 13 and {slot.capacity for slot in slots} == {rules.capacity(2)}
    found = sure(offer(place))
    holds.take(ids.new_id(), ports.promises().claims(found), NOON + timedelta(minutes=10))
    for actor in (first, second):
        courier_actions.end_shift(actor=actor)
    support.settle()
    assert {slot.capacity for slot in slots.all() if slot.pk != found.capacity_slot_id} == {0}
    assert [slot.capacity for slot in slots.all() if slot.pk == found.capacity_slot_id] == [1]
    actions.open_slots(actor=THE_SYSTEM, city_id=place.city_id, cycle_minutes=10)
    assert support.broken() == []


def test_kept_when_in_time(credits: list[Any]) -> None:
    place = support.town()
    support.courier(place, 0)
    found = sure(offer(place))
    order_id = kept_for(place, found)
    actions.fulfilled(actor=THE_SYSTEM, order_id=order_id, at=found.promised_to)
    actions.fulfilled(actor=THE_SYSTEM, order_id=order_id, at=found.promised_to + timedelta(hours=1))
    view = reads.promise(order_id)
    assert view is not None and (view.outcome, view.late_seconds, view.compensation) == ("kept", 0, 0)
    assert credits == [] and support.broken() == []


def test_late_is_made_good_once_without_a_claim(credits: list[Any]) -> None:
    place = support.town(policy={"late_credit": 700})
    support.courier(place, 0)
    found = sure(offer(place))
    order_id = kept_for(place, found)
    for minutes in (3, 9):
        actions.fulfilled(actor=THE_SYSTEM, order_id=order_id, at=found.promised_to + timedelta(minutes=minutes))
    assert credits == [(order_id, 700, "late")]
    view = reads.promise(order_id)
    assert view is not None and (view.outcome, view.late_seconds, view.compensation) == ("broken", 180, 700)
    assert support.broken() == []


def test_within_the_grace_it_is_broken_but_not_paid(credits: list[Any]) -> None:
    place = support.town(policy={"late_grace_minutes": 5})
    support.courier(place, 0)
    found = sure(offer(place))
    order_id = kept_for(place, found)
    actions.fulfilled(actor=THE_SYSTEM, order_id=order_id, at=found.promised_to + timedelta(minutes=4))
    view = reads.promise(order_id)
    assert view is not None and (view.outcome, view.compensation) == ("broken", 0)
    assert credits == []


def test_a_pickup_is_judged_by_when_it_was_ready(credits: list[Any]) -> None:
    place = support.town()
    found = sure(offer(place, "pickup"))
    order_id, late = kept_for(place, found, "pickup"), kept_for(place, found, "pickup")
    actions.packed(actor=THE_SYSTEM, order_id=order_id, at=found.promised_to)
    actions.fulfilled(actor=THE_SYSTEM, order_id=order_id, at=found.promised_to + timedelta(hours=3))
    actions.packed(actor=THE_SYSTEM, order_id=late, at=found.promised_to + timedelta(seconds=1))
    assert [row.outcome for row in Promise.objects.order_by("made_at", "id")] == ["kept", "broken"]
    assert credits == [(late, 500, "late")]


def test_the_ride_frees_its_quarter_when_it_ends(credits: list[Any]) -> None:
    place = support.town()
    support.courier(place, 0)
    found = sure(offer(place))
    order_id = kept_for(place, found)
    row = support.fulfilment(place, group=order_id)
    holds.take(order_id, ports.promises().claims(found), NOON + timedelta(minutes=10))
    assert holds.confirm(order_id)
    slot = next(slot for slot in CapacitySlot.objects.all() if slot.pk == found.capacity_slot_id)
    assert (slot.held, slot.taken) == (0, 1)
    outbox.emit(events.FulfilmentDelivered(row.pk, order_id, place.store.id, NOON.isoformat()))
    support.settle()
    slot.refresh_from_db()
    assert (slot.held, slot.taken) == (0, 0)
    assert [row.outcome for row in Promise.objects.all()] == ["kept"]
    assert support.broken() == []


def test_damaged_is_broken_nobody_home_is_not(credits: list[Any]) -> None:
    place = support.town()
    support.courier(place, 0)
    found = sure(offer(place))
    damaged, absent = kept_for(place, found), kept_for(place, found)
    for order_id, reason in ((damaged, "damaged"), (absent, "nobody_home")):
        row = support.fulfilment(place)
        outbox.emit(events.FulfilmentFailed(row.pk, order_id, place.store.id, reason))
        outbox.emit(events.FulfilmentReturned(row.pk, order_id, place.store.id, NOON.isoformat()))
    support.settle()
    assert {row.order_id: row.outcome for row in Promise.objects.all()} == {damaged: "broken", absent: "void"}
    assert credits == [(damaged, 500, "damaged")]
    assert support.broken() == []


def test_a_reroute_replaces_the_promise(credits: list[Any]) -> None:
    place = support.town(2)
    support.courier(place, 0)
    found = sure(offer(place))
    order_id = kept_for(place, found)
    actions.packed(actor=THE_SYSTEM, order_id=order_id, at=NOON)
    ports.promises().keep(
        order_id=order_id, city_id=place.city_id, store_id=place.stores[1].id, mode="delivery", offer=found
    )
    row = Promise.objects.get(order_id=order_id)
    assert (row.store_id, row.ready_at, row.outcome) == (place.stores[1].id, None, "open")


def test_a_page_of_shops_takes_few_queries(django_assert_max_num_queries: Any) -> None:
    place = support.town(8)
    support.courier(place, 0)
    lat, lon = support.point(200, 1000)
    reads.offers_for(place.city_id, place.stores, lat, lon, NOON)
    with django_assert_max_num_queries(8), CaptureQueriesContext(connection) as queries:
        found = reads.offers_for(place.city_id, place.stores, lat, lon, NOON)
    before = len(queries)
    assert sum(1 for shop in found.values() if shop.delivery) == len([s for s in found.values() if s.in_reach])
    with CaptureQueriesContext(connection) as queries:
        reads.offers_for(place.city_id, place.stores[:1], lat, lon, NOON)
    assert len(queries) == before


def test_kept_by_day(credits: list[Any]) -> None:
    place = support.town()
    support.courier(place, 0)
    found = sure(offer(place))
    for minutes in (-5, -2, 4):
        order_id = kept_for(place, found)
        actions.fulfilled(actor=THE_SYSTEM, order_id=order_id, at=found.promised_to + timedelta(minutes=minutes))
    ports.promises().void(order_id=kept_for(place, found))
    today = NOON.date()
    (day,) = reads.kept(THE_SYSTEM, place.city_id, today, today + timedelta(days=1))
    assert (day.made, day.kept, day.broken, day.void, day.percent, day.quantile, day.credit) == (
        4,
        2,
        1,
        1,
        66.7,
        90,
        500,
    )
    with pytest.raises(Refused, match="not_found"):
        reads.kept(
            Actor(
                kind="staff",
                user_id=ids.new_id(),
                organisation_id=ids.new_id(),
                permissions=frozenset({"console.read"}),
            ),
            place.city_id,
            today,
            today + timedelta(days=1),
        )


def test_a_paused_shop_is_closed() -> None:
    place = support.town()
    support.courier(place, 0)
    Store.objects.filter(pk=place.store.id).update(paused_until=NOON + timedelta(minutes=30))
    lat, lon = support.point(200, 0)
    shop = reads.offers_for(place.city_id, [stores.store(place.store.id)], lat, lon, NOON)[place.store.id]
    assert not shop.open and shop.opens_at == NOON + timedelta(minutes=30)
