"""Only rides from a store straight to one door teach how fast the streets are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON
from highstreet.delivery.routing import reads as routing
from highstreet.delivery.routing.models import SpeedFactor
from highstreet.kernel import clock
from highstreet.kernel.policy import THE_SYSTEM, Actor

from .. import actions, jobs
from ..history import History
from ..models import Delivery
from .test_actions import begin

pytestmark = pytest.mark.django_db


def ridden(place: support.Town, rider: Actor, *, began: float, factor: float, north: float = 900.0) -> Delivery:
    """A delivery that ended, `began` minutes after noon, `factor` times as slow as free flow."""
    row = begin(support.fulfilment(place, north, status="ready"))
    shop = (place.store.lat, place.store.lon)
    free = float(routing.streets(place.city_id).from_place(shop, [(row.lat, row.lon)])[0])
    at = NOON + timedelta(minutes=began)
    Delivery.objects.filter(pk=row.pk).update(
        status="delivered",
        courier_id=rider.courier_id,
        picked_up_at=at,
        at_door_at=at + timedelta(seconds=factor * free),
        ended_at=at + timedelta(seconds=factor * free + 60),
    )
    row.refresh_from_db()
    return row


def test_what_straight_rides_say() -> None:
    place = support.town()
    with support.ticking():
        rider = support.courier(place, 0, capacity=3)
        for number in range(30):
            ridden(place, rider, began=100.0 * number, factor=1.6)
    with clock.frozen(NOON + timedelta(days=3)):
        assert actions.learn_speeds(actor=THE_SYSTEM, city_id=place.city_id) == 30
        jobs.learn(0)
    learned = dict(SpeedFactor.objects.filter(city_id=place.city_id).values_list("hour", "trips"))
    assert sum(learned.values()) == 30
    assert 1.3 < routing.streets(place.city_id).factor("bike", NOON) < 1.6


def test_handing_over_is_no_riding_though_nobody_said_to_be_at_the_door() -> None:
    place = support.town()
    with support.ticking():
        rider = support.courier(place, 0, capacity=3)
        for number in range(30):
            row = ridden(place, rider, began=100.0 * number, factor=1.6)
            at = row.at_door_at
            assert at is not None
            Delivery.objects.filter(pk=row.pk).update(at_door_at=None, ended_at=at + timedelta(seconds=90))
    with clock.frozen(NOON + timedelta(days=3)):
        assert actions.learn_speeds(actor=THE_SYSTEM, city_id=place.city_id) == 30
    routing.forget(place.city_id)
    assert 1.3 < routing.streets(place.city_id).factor("bike", NOON) < 1.6


def test_a_bag_of_two_and_rides_of_long_ago_teach_nothing() -> None:
    place = support.town()
    with support.ticking():
        rider = support.courier(place, 0, capacity=3)
        ridden(place, rider, began=0.0, factor=2.0)
        ridden(place, rider, began=1.0, factor=2.0)
        alone = support.courier(place, 0, capacity=3)
        ridden(place, alone, began=0.0, factor=2.0)
    with clock.frozen(NOON + timedelta(days=1)):
        assert actions.learn_speeds(actor=THE_SYSTEM, city_id=place.city_id) == 1
    with clock.frozen(NOON + timedelta(days=15)):
        assert actions.learn_speeds(actor=THE_SYSTEM, city_id=place.city_id) == 0


def test_what_fleets_bring_teaches_nothing_of_our_couriers() -> None:
    place = support.town()
    with support.ticking():
        rider = support.courier(place, 0)
        rows = [ridden(place, rider, began=100.0 * number, factor=1.6) for number in range(3)]
        Delivery.objects.filter(pk__in=[row.pk for row in rows[1:]]).update(carrier="fleet", courier_id=None)
    with clock.frozen(NOON + timedelta(days=3)):
        assert actions.learn_speeds(actor=THE_SYSTEM, city_id=place.city_id) == 1
        past = History().past(place.city_id, NOON - timedelta(days=1), clock.now(), "America/Sao_Paulo", 30)
    assert sum(count for day in past.days.values() for count in day.values()) == 1
