"""The nearest stores, as the database sorts them and as one would by hand."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from highstreet.delivery.couriers.tests import support
from highstreet.kernel import clock
from highstreet.supply.stores import reads
from highstreet.supply.stores.models import Store
from highstreet.supply.stores.reads import StoreView

SEED = 20261126


def spread_out(many: int) -> support.Town:
    """Stores strewn over some kilometres, with odd hours, reaches and pauses."""
    place, dice = support.town(many), random.Random(SEED)
    for row in Store.objects.order_by("code"):
        row.lat += dice.uniform(-0.03, 0.03)
        row.lon += dice.uniform(-0.03, 0.03)
        row.opens_minute = dice.choice([0, 420, 539, 540, 541])
        row.closes_minute = dice.choice([542, 1080, 1440])
        row.delivery_radius_m = dice.choice([500, 1500, 4000])
        row.paused_until = dice.choice([None, None, clock.now() + timedelta(minutes=dice.choice([-5, 5]))])
        row.save()
    return place


@pytest.mark.django_db
@pytest.mark.parametrize("minute", [538, 539, 540, 541, 542, 1079, 1080, 1439])
@pytest.mark.parametrize("reaching", [True, False])
def test_the_nearest_are_those_that_one_would_sort_out_by_hand(minute: int, reaching: bool) -> None:
    place = spread_out(40)
    zone = reads.stores_of(place.city_id)[0].zone
    at = datetime(2026, 11, 26, tzinfo=zone) + timedelta(minutes=minute)
    lat, lon = support.point(700, 300)
    first = place.stores[7].code

    def rank(store: StoreView) -> tuple[bool, bool, bool, float]:
        metres = store.distance_m(lat, lon)
        far = reaching and metres > store.delivery_radius_m
        return store.code != first, far, not store.is_open(at), metres

    with clock.frozen(at.astimezone(UTC)):
        found = reads.nearest(place.city_id, lat, lon, reaching=reaching, first=first)
        wanted = sorted(reads.stores_of(place.city_id), key=rank)[: reads.NEAREST]
    assert found[0].code == first
    assert [store.code for store in found] == [store.code for store in wanted]
    assert len(found) == reads.NEAREST
