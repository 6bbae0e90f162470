"""Everybody wants the last ride of one part of a city, while the other part is asked too, and while shops are divided
otherwise."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON
from highstreet.delivery.dispatch import loop
from highstreet.delivery.promise import actions
from highstreet.delivery.promise.actions import Promises
from highstreet.delivery.promise.models import CapacitySlot, ZoneStore
from highstreet.delivery.promise.reads import Zones
from highstreet.kernel import holds, ids
from highstreet.kernel.holds import Claim
from highstreet.supply.stores import reads as stores
from highstreet.supply.stores.models import Store
from highstreet.trade.orders.ports import PromiseOffer
from tests.conftest import Add
from tests.support import crowd

SEED = 20261127
EASTS = (0.0, 800.0, 20_000.0, 20_800.0)
Take = Callable[[list[Claim]], None]


@pytest.fixture
def place(transactional_db: None) -> Iterator[support.Town]:
    """Two zones, twenty kilometres apart: one courier in the west, which is one ride a quarter, four in the east."""
    with support.ticking():
        made = support.town(stores=4)
        for shop, east in zip(made.stores, EASTS, strict=True):
            move(shop.id, east)
        for east in (0, 20_000, 20_000, 20_000, 20_000):
            support.courier(made, 0, east)
        support.settle()
        loop.epoch(made.city_id, with_capacity=True)
        yield made


def move(store_id: UUID, east: float) -> None:
    lat, lon = support.point(0, east)
    Store.objects.filter(pk=store_id).update(lat=lat, lon=lon)


def offered(place: support.Town, store: int) -> PromiseOffer:
    shop = stores.store(place.stores[store].id)
    found = Promises().offer(store=shop, lat=shop.lat + 0.004, lon=shop.lon, units=3, mode="delivery", at=NOON)
    assert found is not None
    return found


def take(claims: list[Claim]) -> None:
    with transaction.atomic():
        holds.take(ids.new_id(), claims, NOON + timedelta(minutes=10))


def take_without_looking_again(claims: list[Claim]) -> None:
    """What `holds.take` must never be: asks whether there is enough, and then takes it."""
    with transaction.atomic():
        row = CapacitySlot.objects.get(pk=claims[0].resource)
        if row.capacity - row.held - row.taken < 1:
            return
        time.sleep(0.2)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE promise_capacityslot SET held = held + 1 WHERE id = %s", [row.pk])


def asked(place: support.Town, take: Take, each: int) -> tuple[list[Callable[[], Any]], PromiseOffer, PromiseOffer]:
    """`each` shoppers of the west and of the east who saw the same offer."""
    west, east = offered(place, 0), offered(place, 2)
    works: list[Callable[[], Any]] = [
        partial(take, Promises().claims(one)) for one in (west, east) for _ in range(each)
    ]
    random.Random(SEED).shuffle(works)
    return works, west, east


def slot(found: PromiseOffer) -> CapacitySlot:
    assert found.capacity_slot_id is not None
    return CapacitySlot.objects.get(pk=found.capacity_slot_id)


def held(found: PromiseOffer) -> tuple[int, int]:
    row = slot(found)
    return row.held, row.capacity


def test_the_last_ride_of_a_zone_goes_to_one(place: support.Town, row: Add) -> None:
    works, west, east = asked(place, take, 20)
    results = crowd.at_once(works, hands=40)
    row(
        "S1",
        "20 shoppers on the last ride of one zone, 20 on three of another",
        n=40,
        accepted=results["done"],
        refused=results["capacity_gone"],
        invariants=crowd.invariants(),
        seed=SEED,
    )
    assert (held(west), held(east)) == ((1, 1), (3, 3))
    assert results == Counter(done=4, capacity_gone=36)
    assert offered(place, 0).reason_if_later == "no_capacity"
    assert support.broken() == []


def test_taking_without_looking_again_sells_it_twice(place: support.Town) -> None:
    """The negative control."""
    with crowd.without("capacity_never_oversold", "promise_capacityslot"):
        works, west, _ = asked(place, take_without_looking_again, 20)
        crowd.at_once(works, hands=40)
        broken = [words[:2] for words in crowd.broken()]
        oversold = held(west)
        CapacitySlot.objects.all().delete()
    assert oversold[0] > oversold[1]
    assert "I4" in broken


def sold_while_divided_otherwise(place: support.Town) -> tuple[int, int]:
    """Shoppers take what they were offered while a shop changes zones, and others what is offered after; rides promised
    of that quarter in the whole city, and rides that its couriers can make."""
    works, west, _ = asked(place, take, 10)
    move(place.stores[1].id, 19_200)
    minute = partial(loop.epoch, place.city_id, with_capacity=True)
    results = crowd.at_once([*works[:5], minute, *works[5:10]], hands=11)
    assert crowd.errors(results) == {}
    minute()
    crowd.at_once(works[10:], hands=10)
    quarter = CapacitySlot.objects.filter(starts_at=slot(west).starts_at)
    assert ZoneStore.objects.filter(zone__in=quarter.values("zone")).count() == 4
    for store in (0, 2):
        while (found := offered(place, store)).reason_if_later == "":
            take(Promises().claims(found))
    return sum(one.held + one.taken for one in quarter.all()), 1 + 3


def test_a_division_amid_a_rush_sells_no_ride_twice(place: support.Town) -> None:
    sold, there = sold_while_divided_otherwise(place)
    assert sold == there
    assert support.broken() == []


def test_a_division_that_leaves_the_old_rows_open_does(place: support.Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: who was offered a ride of a zone that is no more still gets it."""
    monkeypatch.setattr(actions, "_CLOSE", "SELECT %(city)s::uuid, %(first)s::timestamptz")
    monkeypatch.setattr(Zones, "elsewhere", _nothing)
    sold, there = sold_while_divided_otherwise(place)
    assert sold > there


def _nothing(known: Zones, starts_at: datetime) -> int:
    return 0
