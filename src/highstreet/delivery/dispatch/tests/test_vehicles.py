"""Who walks is not sent where a bicycle is sooner, and is expected when a walker is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from django.db import IntegrityError, transaction

from highstreet.delivery.couriers.models import Courier
from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON
from highstreet.delivery.promise.reads import offers
from highstreet.delivery.routing import reads as routing
from highstreet.delivery.routing.models import SpeedFactor
from highstreet.kernel import clock
from highstreet.kernel.policy import THE_SYSTEM, Actor

from .. import actions, loop, snapshot
from ..engine import POLICIES, SERVING, reach
from ..models import Delivery
from ..reads import candidates
from .test_actions import begin
from .test_engine import city
from .test_learning import ridden


def rides(who: Actor, vehicle: str) -> None:
    assert who.user_id is not None
    Courier.objects.filter(user_id=who.user_id).update(vehicle=vehicle)


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_a_pace_of_one_changes_nothing(policy: str) -> None:
    for seed in range(20):
        problem = city(9, 12, stores=3, seed=seed)
        same = replace(problem, pace=np.ones(9))
        assert POLICIES[policy].assign(same) == POLICIES[policy].assign(problem)


def test_of_two_at_the_store_the_quicker_goes_and_a_walker_arrives_later() -> None:
    town = city(2, 1, stores=1, seed=3)
    at_once = replace(
        town, free_in=np.zeros(2), room=np.ones(2, np.int64), to_store=np.zeros((2, 1)), ready_in=np.zeros(1)
    )
    at_once = replace(at_once, barred=np.zeros((1, 2), bool))
    for slow, quick in ((0, 1), (1, 0)):
        pace = np.ones(2)
        pace[slow] = 3.5
        (job,) = SERVING.assign(replace(at_once, pace=pace)).jobs
        assert job.courier == quick
    (walked,) = SERVING.assign(replace(at_once, pace=np.full(2, 3.5))).jobs
    (ridden_,) = SERVING.assign(at_once).jobs
    ride = float(at_once.drop[0])
    assert walked.arrive_in[0] - ridden_.arrive_in[0] == pytest.approx(2.5 * ride)


def test_the_promise_hears_of_slow_feet() -> None:
    town = replace(city(1, 1, stores=2, seed=5), free_in=np.zeros(1), room=np.ones(1, np.int64))
    back = np.full((1, 2), 300.0)
    slow, quick = (reach(replace(town, pace=np.full(1, pace)), back) for pace in (3.0, 1.0))
    assert (slow - quick == pytest.approx(2.0 * (300.0 + float(town.drop[0])))) and np.isfinite(slow).all()


@pytest.mark.django_db
def test_rides_are_timed_by_each_couriers_vehicle() -> None:
    place = support.town()
    with support.ticking():
        rider = support.courier(place, 900, capacity=3)
        walker = support.courier(place, 300, capacity=3)
        rides(walker, "walk")
        row = begin(support.fulfilment(place, 900.0, status="ready"))
        seen = snapshot.take(place.city_id, clock.now())
        column = {one.id: number for number, one in enumerate(seen.couriers)}
        by_bike, on_foot = (column[one.courier_id] for one in (rider, walker) if one.courier_id)
        pace = seen.problem.pace[on_foot] / seen.problem.pace[by_bike]
        assert 2.0 < pace < 6.0
        # Three times as far, and yet as soon.
        assert seen.problem.to_store[by_bike, 0] < 1.2 * seen.problem.to_store[on_foot, 0]
        assert actions.plan(actor=THE_SYSTEM, city_id=place.city_id).assigned == 1
        row.refresh_from_db()
        assert row.courier_id == rider.courier_id
        told = {one.courier.id: one for one in candidates.candidates(THE_SYSTEM, row.pk)}
        assert walker.courier_id and rider.courier_id
        door = told[walker.courier_id].basis["door"], told[rider.courier_id].basis["door"]
        assert door[0] / door[1] == pytest.approx(pace, rel=0.05)


@pytest.mark.django_db
def test_who_walks_is_promised_as_who_walks() -> None:
    place = support.town()
    with support.ticking():
        walker = support.courier(place, 0, capacity=3)

        def promised() -> tuple[float, float]:
            loop.epoch(place.city_id, with_capacity=True)
            offer = offers.one(place.store, *support.point(1500, 0), 2, "delivery", clock.now())
            assert offer is not None
            return offer.basis["travel_seconds"], offer.basis["courier_minutes"]

        bike = promised()
        rides(walker, "walk")
        foot = promised()
    assert foot[0] / bike[0] == pytest.approx(17.0 / 4.8, rel=0.02)


@pytest.mark.django_db
def test_a_city_of_bicycles_asks_for_no_other_way() -> None:
    place = support.town()
    with support.ticking():
        support.courier(place, 300)
        begin(support.fulfilment(place, 900.0, status="ready"))
        assert not len(snapshot.take(place.city_id, clock.now()).problem.pace)


@pytest.mark.django_db
def test_each_vehicle_learns_from_its_own_rides() -> None:
    place = support.town()
    with support.ticking():
        bike, car = support.courier(place, 0, capacity=3), support.courier(place, 0, capacity=3)
        rides(car, "car")
        for number in range(30):
            ridden(place, bike, began=100.0 * number, factor=1.6)
            ridden(place, car, began=100.0 * number + 50.0, factor=0.8)
    with clock.frozen(NOON + timedelta(days=3)):
        assert actions.learn_speeds(actor=THE_SYSTEM, city_id=place.city_id) == 60
    learned = SpeedFactor.objects.filter(city_id=place.city_id)
    assert {mode: sum(one.trips for one in learned if one.mode == mode) for mode in ("bike", "car")} == {
        "bike": 30,
        "car": 30,
    }
    streets = routing.streets(place.city_id)
    assert streets.factor("bike", NOON) > 1.2 > streets.factor("car", NOON)


@pytest.mark.django_db
def test_a_vehicle_nobody_knows_is_not_kept() -> None:
    place = support.town()
    rider = support.courier(place, 0)
    with pytest.raises(IntegrityError), transaction.atomic():
        rides(rider, "horse")
    assert Delivery.objects.count() == 0
