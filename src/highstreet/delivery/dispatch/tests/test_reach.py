"""When a courier could be at a store for one order more, and what the promise makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest

from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON
from highstreet.delivery.promise import actions as promises
from highstreet.delivery.promise import rules as promise_rules
from highstreet.delivery.promise.models import CourierReach
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.trade.orders import ports

from .. import loop, snapshot
from ..engine import Problem, reach


def problem(
    free: list[float], to_store: list[list[float]], store: list[int], ready: list[float], drop: list[float]
) -> Problem:
    orders = len(store)
    return Problem(
        free_in=np.array(free, float),
        room=np.ones(len(free), np.int64),
        to_store=np.array(to_store, float).reshape(len(free), len(to_store[0]) if to_store else 0),
        store=np.array(store, np.int64),
        ready_in=np.array(ready, float),
        promised_in=np.full(orders, 3600.0),
        drop=np.array(drop, float),
        between=np.zeros((orders, orders)),
        barred=np.zeros((orders, len(free)), bool),
    )


def test_nobody_is_nowhere() -> None:
    assert np.isinf(reach(problem([], [], [], [], []), np.zeros((0, 0)))).all()


def test_with_nothing_waiting_it_is_the_soonest_ride() -> None:
    seen = problem([0.0, 200.0], [[500.0, 300.0], [100.0, 400.0]], [], [], [])
    assert reach(seen, np.zeros((0, 2))).tolist() == [300.0, 300.0]


def test_who_is_wanted_elsewhere_comes_from_that_door() -> None:
    """One courier, one order that is ready in 600 s: 60 s to leave, 240 to the door, 90 there, 120 back."""
    seen = problem([0.0], [[100.0]], [0], [600.0], [240.0])
    assert reach(seen, np.array([[120.0]])).tolist() == [600 + 60 + 240 + 90 + 120]


def test_more_orders_than_couriers_are_served_in_turns() -> None:
    seen = problem([0.0], [[100.0]], [0, 0, 0], [0.0, 0.0, 0.0], [240.0, 240.0, 240.0])
    turn = 60 + 240 + 90 + 120
    assert reach(seen, np.full((3, 1), 120.0)).tolist() == [100 + 3 * turn]


def test_what_no_way_leads_to_is_out_of_reach_and_stops_nothing() -> None:
    seen = problem([0.0], [[np.inf, 100.0]], [0], [0.0], [240.0])
    assert reach(seen, np.array([[np.inf, 50.0]])).tolist() == [np.inf, 100.0]
    assert reach(problem([0.0], [[np.inf, 100.0]], [], [], []), np.zeros((0, 2))).tolist() == [np.inf, 100.0]


@pytest.mark.django_db
class TestTold:
    """The dispatcher tells it, the promise rests on it."""

    @pytest.fixture(autouse=True)
    def noon(self) -> Iterator[None]:
        with support.ticking():
            yield

    def minutes(self, place: support.Town) -> float:
        lat, lon = support.point(600, 0)
        found = ports.promises().offer(store=place.store, lat=lat, lon=lon, units=3, mode="delivery", at=NOON)
        assert found is not None
        return float(found.basis["courier_minutes"])

    def test_a_courier_two_kilometres_off_is_promised_as_far(self) -> None:
        place = support.town()
        support.courier(place, 2000)
        assert self.minutes(place) == promise_rules.RIDE_TO_STORE_MINUTES
        loop.epoch(place.city_id, with_capacity=True)
        whole = snapshot.take(place.city_id, NOON, everywhere=True)
        seen = snapshot.couriers_in(whole, place.city_id, NOON)
        told = CourierReach.objects.get(store_id=place.store.id)
        assert told.seconds == round(seen[place.store.id])
        assert self.minutes(place) == round(told.seconds / 60, 1) > promise_rules.RIDE_TO_STORE_MINUTES

    def test_what_was_told_five_minutes_ago_says_nothing_of_now(self) -> None:
        place = support.town()
        support.courier(place, 0)
        promises.expect_couriers(actor=THE_SYSTEM, city_id=place.city_id, seconds={place.store.id: 900.0})
        assert self.minutes(place) == 15.0
        CourierReach.objects.update(at=NOON - timedelta(minutes=5))
        assert self.minutes(place) == promise_rules.RIDE_TO_STORE_MINUTES

    def test_a_store_that_nobody_reaches_is_forgotten(self) -> None:
        place = support.town(stores=2)
        both = {shop.id: 60.0 for shop in place.stores}
        promises.expect_couriers(actor=THE_SYSTEM, city_id=place.city_id, seconds=both)
        promises.expect_couriers(actor=THE_SYSTEM, city_id=place.city_id, seconds={place.store.id: 90.4})
        assert list(CourierReach.objects.values_list("store_id", "seconds")) == [(place.store.id, 90)]
