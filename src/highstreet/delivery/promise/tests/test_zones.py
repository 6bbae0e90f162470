"""Capacity by zone: a rush in one part of a city is throttled there, and only there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import numpy as np
import pytest
from django.contrib import admin
from django.db import connection, transaction
from django.http import HttpRequest
from django.test.utils import CaptureQueriesContext

from highstreet.delivery.couriers import actions as courier_actions
from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON, point
from highstreet.delivery.dispatch import loop
from highstreet.delivery.fleets.models import Fleet, FleetUse
from highstreet.kernel import holds, ids
from highstreet.kernel.policy import Actor
from highstreet.kernel.refusal import Refused
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores
from highstreet.supply.stores.models import Store
from highstreet.trade.orders import ports
from highstreet.trade.orders.ports import PromiseOffer

from .. import reads, rules
from ..admin import CapacitySlotAdmin
from ..models import CapacitySlot, Promise, Zone, ZoneStore

FIVE = NOON + timedelta(hours=5)
WEST, EAST = 0, 2
FAR_OFF = (0.0, 800.0, 20_000.0, 20_800.0)
# Two zones, of which the ends are 39 minutes apart and the middle a quarter of an hour from both.
SIDE_BY_SIDE = (0.0, 800.0, 7_000.0, 7_800.0)


def sure(found: UUID | None) -> UUID:
    assert found is not None
    return found


def test_who_counts_where() -> None:
    west, east = UUID(int=1), UUID(int=2)
    shops = [UUID(int=number) for number in (11, 12, 13)]
    of = dict(zip(shops, (west, east, east), strict=True))
    known = reads.Zones(of=of, couriers={west: 4, east: 0}, orders={west: 1, east: 9})
    assert known.at_work(4) == known.at_work(5) == [4, 0], "who came since is not placed"
    assert known.at_work(2) == [2, 0]
    assert known.at_work(4, come=10) == [5, 9], "who is to come is where orders are"
    alone = replace(known, hired={shops[0]: 3})
    assert alone.at_work(4, come=10) == [3, 10], "what a fleet is hired for, nobody else brings"
    assert replace(known, hired={shops[1]: 3}).at_work(4) == [4, 3], "beside a store without one, until it is divided"
    hired = replace(known, hired={None: 10, shops[0]: 3})
    assert hired.at_work(4, come=2) == [3, 10], "a city's fleet brings for all stores without their own"
    assert replace(hired, of={}).at_work(4, come=2) == [13]
    assert replace(known, of={}).at_work(4, come=2) == [6]


def planner(place: support.Town) -> Actor:
    return Actor(kind="staff", organisation_id=place.retailer_id, permissions=frozenset({"console.read"}))


@pytest.mark.django_db
@pytest.mark.usefixtures("noon")
class TestZones:
    """A city of four shops, two and two, on a real database."""

    def city(self, easts: tuple[float, ...] = FAR_OFF) -> support.Town:
        place = support.town(stores=len(easts))
        for shop, east in zip(place.stores, easts, strict=True):
            self.move(shop.id, east)
        return support.Town(place.city_id, place.retailer_id, [stores.store(shop.id) for shop in place.stores])

    def move(self, store_id: UUID, east: float) -> None:
        lat, lon = point(0, east)
        Store.objects.filter(pk=store_id).update(lat=lat, lon=lon)

    def look(self, place: support.Town) -> None:
        """The dispatcher's minute."""
        support.settle()
        loop.epoch(place.city_id, with_capacity=True)

    def offer(
        self, place: support.Town, store: int, mode: str = "delivery", slot: datetime | None = None
    ) -> PromiseOffer | None:
        shop = stores.store(place.stores[store].id)
        return ports.promises().offer(
            store=shop, lat=shop.lat + 0.004, lon=shop.lon, units=3, mode=mode, at=NOON, slot=slot
        )

    def sure(self, place: support.Town, store: int, slot: datetime | None = None) -> PromiseOffer:
        found = self.offer(place, store, slot=slot)
        assert found is not None
        return found

    def hold(self, found: PromiseOffer) -> UUID:
        group = ids.new_id()
        with transaction.atomic():
            holds.take(group, ports.promises().claims(found), NOON + timedelta(minutes=10))
        return group

    def zone(self, place: support.Town, store: int) -> UUID:
        return ZoneStore.objects.get(store_id=place.stores[store].id).zone_id

    def room(self, place: support.Town, store: int) -> set[int]:
        return set(CapacitySlot.objects.filter(zone_id=self.zone(place, store)).values_list("capacity", flat=True))

    def test_a_rush_is_throttled_where_it_is_and_nowhere_else(self) -> None:
        place = self.city()
        for east in (0, 0, 20_000, 20_000):
            support.courier(place, 0, east)
        self.look(place)
        assert self.zone(place, WEST) != self.zone(place, EAST) == self.zone(place, EAST + 1)
        assert self.room(place, WEST) == self.room(place, EAST) == {rules.capacity(2)}
        calm, there = self.sure(place, WEST), self.sure(place, EAST)
        self.hold(calm)
        later = self.sure(place, WEST + 1)
        assert later.reason_if_later == "no_capacity" and later.promised_to > calm.promised_to
        while (found := self.offer(place, WEST)) is not None:
            self.hold(found)
        assert self.offer(place, WEST + 1) is None
        assert self.offer(place, WEST, "pickup") is not None
        assert self.sure(place, WEST, slot=FIVE).slot == FIVE
        assert self.sure(place, EAST) == there
        self.look(place)
        assert self.offer(place, WEST) is None, "couriers twenty kilometres off are nobody to promise"
        assert self.sure(place, EAST).promised_to == there.promised_to
        assert support.broken() == []

    def test_the_planner_sees_which_part_is_full(self) -> None:
        place = self.city()
        for east in (0, 0, 20_000, 20_000):
            support.courier(place, 0, east)
        self.look(place)
        reader = planner(place)
        assert [one.free_from for one in reads.room(reader, place.city_id, NOON)] == [NOON, NOON]
        first = self.sure(place, WEST)
        self.hold(first)
        while (found := self.offer(place, WEST)) is not None:
            self.hold(found)
        full, calm = reads.room(reader, place.city_id, NOON)
        assert set(full.store_ids) == {place.stores[number].id for number in (WEST, WEST + 1)}
        assert (full.couriers, calm.couriers) == (2, 2)
        held = [one.promised for one in full.quarters if one.starts_at >= rules.slot_start(first.promised_from)]
        assert held and set(held) == {rules.capacity(2)}
        assert {(one.promised, one.most) for one in calm.quarters} == {(0, rules.capacity(2))}
        with pytest.raises(Refused):
            reads.room(planner(support.town(stores=1)), place.city_id, NOON)

    def test_a_city_that_is_one_is_seen_whole(self) -> None:
        place = self.city((0.0, 800.0, 1600.0, 2400.0))
        support.courier(place, 0)
        (whole,) = reads.room(planner(place), place.city_id, NOON)
        assert set(whole.store_ids) == {shop.id for shop in place.stores}
        assert whole.couriers == 1 and [one.most for one in whole.quarters] == [rules.capacity(1)] * 13, (
            "not opened yet"
        )

    def test_a_city_without_couriers_in_one_part_promises_in_the_other(self) -> None:
        place = self.city()
        support.courier(place, 0, 0)
        self.look(place)
        assert self.offer(place, WEST) is not None
        assert self.offer(place, EAST) is None and self.offer(place, EAST, "pickup") is not None

    def test_a_courier_is_lent_to_the_neighbour_who_needs_one(self) -> None:
        place = self.city(SIDE_BY_SIDE)
        for east in (1600,) * 8 + (3400,) * 3:
            support.courier(place, 0, east)
        support.courier(place, 0, 7400)
        self.look(place)
        couriers = {zone.pk: zone.couriers for zone in Zone.objects.all()}
        assert sum(couriers.values()) == 12
        before = couriers[self.zone(place, EAST)]
        while (found := self.offer(place, EAST)) is not None and found.reason_if_later == "":
            self.hold(found)
        self.look(place)
        assert Zone.objects.get(pk=self.zone(place, EAST)).couriers > before
        assert sum(zone.couriers for zone in Zone.objects.all()) == 12
        assert support.broken() == []

    def test_a_small_city_has_no_zones(self) -> None:
        place = self.city((0.0, 800.0, 1600.0, 2400.0))
        support.courier(place, 0)
        self.look(place)
        assert not Zone.objects.exists()
        rows = CapacitySlot.objects.all()
        assert rows and all(slot.city_id == place.city_id and slot.zone_id is None for slot in rows)
        assert "zone" not in self.sure(place, WEST).basis

    def test_a_page_of_two_zones_costs_the_statements_of_one(self) -> None:
        place, whole = self.city(), self.city((0.0, 800.0, 1600.0, 2400.0))
        counted = []
        for town in (place, whole):
            support.courier(town, 0)
            self.look(town)
            lat, lon = point(0, 0)
            reads.offers_for(town.city_id, town.stores, lat, lon, NOON)
            with CaptureQueriesContext(connection) as asked:
                reads.offers_for(town.city_id, town.stores, lat, lon, NOON)
            counted.append(len(asked))
        assert counted == [2, 2]

    def test_a_shop_that_opened_a_moment_ago_delivers_from_the_next_minute_on(self) -> None:
        place = self.city()
        support.courier(place, 0, 0)
        self.look(place)
        ZoneStore.objects.filter(store_id=place.stores[1].id).delete()
        zone = self.zone(place, WEST)
        assert self.offer(place, 1) is None and self.offer(place, 1, slot=FIVE) is None
        assert self.offer(place, 1, "pickup") is not None
        self.look(place)
        assert self.offer(place, 1) is not None
        assert self.zone(place, 1) == self.zone(place, WEST) == zone, "who joins does not rename a zone"

    def test_another_division_keeps_what_is_held_and_gives_nothing_away_twice(self) -> None:
        place = self.city()
        for east in (0, 0, 0, 0, 20_000, 20_000):
            support.courier(place, 0, east)
        self.look(place)
        asked = self.sure(place, WEST)
        groups = [self.hold(asked), self.hold(self.sure(place, WEST, slot=FIVE))]
        old = CapacitySlot.objects.get(pk=sure(asked.capacity_slot_id))
        assert (old.capacity, old.held) == (3, 1)
        quarter = CapacitySlot.objects.filter(starts_at=old.starts_at)
        self.move(place.stores[1].id, 19_200)
        self.look(place)
        assert not ZoneStore.objects.filter(zone_id=sure(old.zone_id)).exists()
        old.refresh_from_db()
        assert (old.capacity, old.held) == (1, 1)
        with pytest.raises(Refused, match="capacity_gone"):
            self.hold(asked)
        assert sum(slot.capacity for slot in quarter) == rules.capacity(4) + rules.capacity(2)
        # So does the window that is chosen hours ahead.
        five = CapacitySlot.objects.exclude(held=0).get(starts_at__gte=FIVE)
        assert not ZoneStore.objects.filter(zone_id=sure(five.zone_id)).exists()
        before = self.sure(place, WEST, slot=FIVE)
        assert before.capacity_slot_id != five.pk
        for group in groups:
            assert holds.confirm(group)
            assert holds.consume(group, "courier_capacity") == 1
        self.look(place)
        assert sum(slot.capacity for slot in quarter) == rules.capacity(4) + rules.capacity(2)
        old.refresh_from_db()
        assert old.capacity == 0
        assert support.broken() == []

    def test_a_city_that_becomes_one_again_goes_on_with_what_is_held(self) -> None:
        place = self.city()
        for east in (0, 0, 0, 20_000):
            support.courier(place, 0, east)
        self.look(place)
        found = self.sure(place, WEST)
        self.hold(found)
        Store.objects.filter(pk__in=[shop.id for shop in place.stores[EAST:]]).update(active=False)
        self.look(place)
        assert not ZoneStore.objects.exists()
        now = self.sure(place, WEST)
        row = CapacitySlot.objects.get(pk=sure(now.capacity_slot_id))
        assert row.city_id == place.city_id and "zone" not in now.basis
        assert row.capacity == rules.capacity(4) - 1
        assert support.broken() == []

    def test_an_order_that_another_zones_shop_takes_over_holds_there(self) -> None:
        place = self.city()
        for east in (0, 0, 20_000, 20_000):
            support.courier(place, 0, east)
        self.look(place)
        holds.release(self.hold(self.sure(place, WEST)))
        self.hold(self.sure(place, EAST))
        held = CapacitySlot.objects.exclude(held=0).values_list("zone_id", "held")
        assert list(held) == [(self.zone(place, EAST), 1)]

    def test_hours_ahead_a_zone_has_as_many_as_is_ordered_there(self) -> None:
        place = self.city()
        for _ in range(8):
            support.courier(place, 0, 0)
        self.look(place)
        made = self.sure(place, WEST)
        for number in range(12):
            shop = place.stores[WEST if number < 4 else EAST]
            order_id = ids.new_id()
            ports.promises().keep(
                order_id=order_id, city_id=place.city_id, store_id=shop.id, mode="delivery", offer=made
            )
            Promise.objects.filter(order_id=order_id).update(fulfilled_at=NOON - timedelta(days=2), outcome="kept")
        self.look(place)
        assert Zone.objects.get(pk=self.zone(place, WEST)).orders == 4 + 2
        start, terms = rules.slot_start(FIVE), organisations.terms(place.retailer_id)
        known = reads.zones(place.city_id, start, start)
        # Eight couriers by 6 : 10 are three and five; capacity 2 and 3, of which 60 % may be chosen ahead.
        zones = [self.zone(place, WEST), self.zone(place, EAST)]
        assert [reads.capacities(place.city_id, known, zone, [start], terms, NOON) for zone in zones] == [[2], [2]]
        assert sorted(known.shared(8)) == [3, 5] and sum(known.shared(7)) == 7

    def test_a_stores_own_fleet_is_nobody_to_promise_next_door(self) -> None:
        place = self.city()
        for east in (0, 20_000):
            support.courier(place, 0, east)
        self.look(place)
        together = self.zone(place, WEST)
        self.hold(self.sure(place, WEST))
        fleet = Fleet.objects.create(
            organisation_id=place.retailer_id,
            provider="meituan",
            name="M",
            secrets="",
            created_at=NOON,
            changed_at=NOON,
        )
        hire = partial(FleetUse.objects.create, fleet=fleet, city_id=place.city_id, since=NOON)
        hire(store_id=place.stores[WEST].id, couriers=9)
        organisations.forget()
        self.look(place)
        parts = (WEST, WEST + 1, EAST)
        assert together not in {self.zone(place, part) for part in parts}
        most = [max(self.room(place, part)) for part in parts]
        assert most == [rules.capacity(9), rules.capacity(1), rules.capacity(1)]
        while (found := self.offer(place, WEST + 1)) is not None:
            self.hold(found)
        for _ in range(3):
            self.hold(self.sure(place, WEST))  # the fleet has room, which its neighbour cannot have
        self.look(place)
        counted = {part: Zone.objects.get(pk=self.zone(place, part)).couriers for part in parts}
        assert counted == {WEST: 0, WEST + 1: 1, EAST: 1}, "our own do not stand by for what the fleet has promised"
        uses = [hire(couriers=4)]
        organisations.forget()
        with np.errstate(all="raise"):
            self.look(place)
        most = [max(self.room(place, part)) for part in parts]
        assert most[0] == rules.capacity(9) and most[2] == rules.capacity(3), "our own bring nothing any more"
        people = sorted(one.couriers for one in reads.room(planner(place), place.city_id, NOON))
        assert people == [1, 3, 9]
        for use in (*uses, FleetUse.objects.get(store_id=place.stores[WEST].id)):
            use.ended_at = NOON
            use.save()
        organisations.forget()
        self.look(place)
        assert self.zone(place, WEST) == self.zone(place, WEST + 1) != self.zone(place, EAST)
        assert support.broken() == []

    def test_who_goes_is_missing_at_once_who_comes_counts_when_seen(self) -> None:
        place = self.city()
        riders = [support.courier(place, 0, 0) for _ in range(4)]
        self.look(place)
        assert self.room(place, WEST) == {3}
        support.courier(place, 0, 20_000)
        support.settle()
        assert self.room(place, EAST) == {0}
        for rider in riders:
            courier_actions.end_shift(actor=rider)
        support.settle()
        assert self.room(place, WEST) == {1}, "one at work, whose place the dispatcher did not see yet"
        self.look(place)
        assert (self.room(place, WEST), self.room(place, EAST)) == ({0}, {1})

    def test_the_admin_names_a_zone_by_its_shops(self) -> None:
        place = self.city()
        self.look(place)
        page = CapacitySlotAdmin(CapacitySlot, admin.site)
        with CaptureQueriesContext(connection) as asked:
            named = {page.shops(slot) for slot in page.get_queryset(HttpRequest())}
        codes = [shop.code for shop in place.stores]
        assert named == {", ".join(codes[:2]), ", ".join(codes[2:])}
        assert len(asked) == 4

    def test_what_ran_before_goes_on_while_it_is_replaced(self) -> None:
        place = self.city()
        with connection.cursor() as cursor:
            for _ in range(2):
                cursor.execute(
                    "INSERT INTO promise_capacityslot (id, city_id, starts_at, capacity, held, taken) "
                    "VALUES (%s, %s, %s, 4, 0, 0) ON CONFLICT (city_id, starts_at) DO NOTHING",
                    [ids.new_id(), place.city_id, NOON],
                )
        self.look(place)
        row = CapacitySlot.objects.get(city_id=place.city_id)
        assert row.capacity == 0, "a city that is divided gives away nothing as one"
