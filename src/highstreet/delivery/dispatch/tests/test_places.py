"""Where idle couriers are asked to wait."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from highstreet.delivery.couriers import actions as couriers
from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON
from highstreet.kernel import ids
from highstreet.kernel.policy import THE_SYSTEM, Actor

from .. import actions, snapshot
from ..models import Delivery, WaitingPlace
from ..reads.places import place_to_wait

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


@pytest.fixture
def place() -> support.Town:
    """Six stores in a row, 800 m apart."""
    return support.town(stores=6)


def ordered(place: support.Town, store: int, count: int, at: datetime = NOON - timedelta(minutes=20)) -> None:
    """Deliveries of a store that began then and are over."""
    shop = place.stores[store]
    Delivery.objects.bulk_create(
        Delivery(
            id=ids.new_id(),
            fulfilment_id=ids.new_id(),
            order_id=ids.new_id(),
            city_id=place.city_id,
            store_id=shop.id,
            status="cancelled",
            lat=shop.lat,
            lon=shop.lon,
            promised_to=at,
            ready_by=at,
            created_at=at,
            ended_at=at,
        )
        for _ in range(count)
    )


def asked(place: support.Town, at: datetime = NOON) -> int:
    with support.ticking(at):
        seen = snapshot.take(place.city_id, at, everywhere=True)
        return actions.place_idle(actor=THE_SYSTEM, city_id=place.city_id, seen=seen)


def idle(place: support.Town, store: int) -> Actor:
    """A courier in front of a store."""
    return support.courier(place, 0, 800 * store)


def test_without_orders_nobody_is_asked(place: support.Town) -> None:
    idle(place, 0)
    assert asked(place) == 0


def test_whoever_waits_far_from_the_orders_is_asked_to_come_nearer(place: support.Town) -> None:
    ordered(place, 3, 6)
    ordered(place, 0, 1)
    far = idle(place, 1)
    assert asked(place) == 1
    found = place_to_wait(far)
    assert found is not None and found.store_id == place.stores[3].id
    assert found.distance_m is not None and 1500 < found.distance_m < 1700


def test_one_who_is_there_already_is_enough(place: support.Town) -> None:
    ordered(place, 3, 6)
    idle(place, 3)
    away = idle(place, 1)
    assert asked(place) == 0 and place_to_wait(away) is None


def test_the_same_hour_of_the_days_before_counts_too(place: support.Town) -> None:
    ordered(place, 3, 14, NOON + timedelta(minutes=20) - timedelta(days=3))
    ordered(place, 0, 14, NOON + timedelta(hours=3) - timedelta(days=3))
    far = idle(place, 1)
    assert asked(place) == 1
    found = place_to_wait(far)
    assert found is not None and found.store_id == place.stores[3].id


def test_nobody_is_sent_to_and_fro(place: support.Town) -> None:
    ordered(place, 3, 6)
    far = idle(place, 1)
    assert asked(place) == 1
    ordered(place, 0, 60)
    assert asked(place, NOON + timedelta(minutes=2)) == 0
    found = place_to_wait(far)
    assert found is not None and found.store_id == place.stores[3].id


def test_a_second_is_not_sent_where_the_first_is_on_the_way_to(place: support.Town) -> None:
    ordered(place, 3, 6)
    ordered(place, 1, 3)
    idle(place, 1)
    idle(place, 1)
    assert asked(place) == 1
    assert asked(place, NOON + timedelta(minutes=1)) == 0


def test_it_ends_with_work_with_the_shift_and_after_a_quarter_of_an_hour(place: support.Town) -> None:
    ordered(place, 3, 6)
    first = idle(place, 1)
    assert asked(place) == 1
    Delivery.objects.all().delete()
    assert asked(place, NOON + timedelta(minutes=14)) == 0 and WaitingPlace.objects.count() == 1
    with support.ticking(NOON + timedelta(minutes=14)):
        couriers.end_shift(actor=first)
    asked(place, NOON + timedelta(minutes=14))
    assert not WaitingPlace.objects.exists()
    second = idle(place, 1)
    ordered(place, 3, 6)
    assert asked(place) == 1
    Delivery.objects.all().delete()
    asked(place, NOON + timedelta(minutes=15, seconds=1))
    assert place_to_wait(second) is None
