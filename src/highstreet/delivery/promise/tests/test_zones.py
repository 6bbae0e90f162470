"""Capacity by zone: a rush in one part of a city is throttled there, and only there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
import pytest
from django.contrib import admin
from django.db import connection, transaction
from django.http import HttpRequest
from django.test.utils import CaptureQueriesContext
from hypothesis import assume, given
from hypothesis import strategies as st

from highstreet.delivery.couriers import actions as courier_actions
from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON, point
from highstreet.delivery.dispatch import loop
from highstreet.kernel import holds, ids
from highstreet.kernel.refusal import Refused
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores
from highstreet.supply.stores.models import Store
from highstreet.trade.orders import ports
from highstreet.trade.orders.ports import PromiseOffer

from .. import reads, rules
from ..admin import CapacitySlotAdmin
from ..engine.zones import FAR, NOWHERE, divide, working
from ..models import CapacitySlot, Promise, Zone, ZoneStore

FIVE = NOON + timedelta(hours=5)
WEST, EAST = 0, 2
FAR_OFF = (0.0, 800.0, 20_000.0, 20_800.0)
# Two zones, of which the ends are 39 minutes apart and the middle a quarter of an hour from both.
SIDE_BY_SIDE = (0.0, 800.0, 7_000.0, 7_800.0)


def apart(places: list[tuple[float, float]]) -> np.ndarray:
    points = np.array(places, float).reshape(-1, 2)
    return np.asarray(np.hypot(*(points[:, None] - points[None]).T))


def sure(found: UUID | None) -> UUID:
    assert found is not None
    return found


PLACES = st.lists(st.tuples(st.floats(0, 9000), st.floats(0, 9000)), max_size=25, unique=True)


@given(PLACES)
def test_shops_of_a_zone_are_within_half_an_hour_of_each_other(places: list[tuple[float, float]]) -> None:
    rides = apart(places)
    zone = divide(rides, 25)
    assert sorted(set(zone.tolist())) == list(range(len(set(zone.tolist()))))
    for number in set(zone.tolist()):
        assert rides[np.ix_(zone == number, zone == number)].max() <= FAR


@given(PLACES, st.randoms(use_true_random=False))
def test_the_order_of_the_shops_does_not_divide_them_otherwise(
    places: list[tuple[float, float]], dice: np.random.Generator
) -> None:
    order = list(range(len(places)))
    dice.shuffle(order)
    rides = apart(places)
    every = rides[np.triu_indices(len(rides), 1)]
    assume(len(np.unique(every)) == len(every))
    zone, mixed = divide(rides, 25), divide(rides[np.ix_(order, order)], 25)
    together = zone[:, None] == zone[None]
    assert (together[np.ix_(order, order)] == (mixed[:, None] == mixed[None])).all()


def test_a_small_city_is_one_zone() -> None:
    assert divide(apart([(0.0, 0.0), (900.0, 0.0), (1800.0, 0.0)]), 9).tolist() == [0, 0, 0]
    assert divide(apart([(0.0, 0.0), (900.0, 0.0), (1801.0, 0.0)]), 9).max() == 1


def test_a_city_has_no_more_zones_than_its_couriers_are_enough_for() -> None:
    three = apart([(0.0, 0.0), (3000.0, 0.0), (9000.0, 0.0)])
    assert divide(three, 3).tolist() == [0, 1, 2]
    assert divide(three, 2).tolist() == [0, 0, 1]
    assert divide(three, 1).tolist() == [0, 0, 1], "an hour and a half is too far, however few there are"
    assert divide(apart([(0.0, 0.0), (3000.0, 0.0), (3600.0, 0.0)]), 1).tolist() == [0, 0, 0]
    assert [rules.most_zones(people, 1) for people in (0, 5, 11, 12, 18)] == [1, 1, 1, 2, 3]
    assert [rules.most_zones(people, 3) for people in (18, 12, 11, 8, 7)] == [3, 3, 2, 2, 1]


class TestWorking:
    """Near, need and keep of two zones."""

    def count(self, near: list[list[float]], need: list[float], keep: list[int]) -> list[int]:
        zone = working(np.array(near), np.array(need), np.array(keep))
        return [int((zone == number).sum()) for number in (0, 1)]

    def test_everybody_counts_where_they_are_nearest(self) -> None:
        assert self.count([[60, 900], [900, 60]], [1, 1], [0, 0]) == [1, 1]

    def test_who_is_far_from_everywhere_counts_nowhere(self) -> None:
        assert working(np.array([[FAR + 1, FAR + 2]]), np.ones(2), np.zeros(2, np.int64)).tolist() == [NOWHERE]

    def test_a_rush_borrows_of_its_neighbour(self) -> None:
        near = [[60.0, 900.0]] * 4 + [[900.0, 60.0]] * 4
        assert self.count(near, [4, 4], [0, 0]) == [4, 4]
        assert self.count(near, [12, 4], [0, 0]) == [6, 2]

    def test_but_not_from_far_off(self) -> None:
        near = [[60.0, 4000.0]] * 4 + [[4000.0, 60.0]] * 4
        assert self.count(near, [400, 4], [0, 0]) == [4, 4]

    def test_nor_whom_its_own_promises_need(self) -> None:
        near = [[60.0, 900.0]] * 4 + [[900.0, 60.0]] * 4
        assert self.count(near, [400, 4], [0, 3]) == [5, 3]

    @given(
        st.lists(st.tuples(st.floats(0, 3000), st.floats(0, 3000), st.floats(0, 3000)), max_size=20),
        st.lists(st.floats(0.1, 50), min_size=3, max_size=3),
        st.lists(st.integers(0, 9), min_size=3, max_size=3),
    )
    def test_nobody_counts_where_they_are_far_and_nothing_promised_loses_its_courier(
        self, near: list[tuple[float, float, float]], need: list[float], keep: list[int]
    ) -> None:
        rides = np.array(near, float).reshape(-1, 3)
        zone = working(rides, np.array(need), np.array(keep))
        there = zone != NOWHERE
        assert (rides[there, zone[there]] <= FAR).all()
        assert (rides[~there] > FAR).all()
        own = np.bincount(rides[there].argmin(axis=1), minlength=3) if there.any() else np.zeros(3)
        have = np.bincount(zone[there], minlength=3)
        assert (have >= np.minimum(own, keep)).all()


@given(st.lists(st.integers(0, 50), min_size=1, max_size=6), st.integers(0, 400))
def test_what_is_left_beside_what_is_promised(most: list[int], promised: int) -> None:
    found = rules.left(most, promised)
    assert sum(found) == max(sum(most) - promised, 0)
    assert all(0 <= less <= one for less, one in zip(found, most, strict=True))


@pytest.fixture
def noon() -> Iterator[None]:
    with support.ticking():
        yield


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
