"""What the promise hears of a hired fleet: how soon its couriers really are there, wherever our own may be."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from highstreet.delivery.dispatch import hired, loop
from highstreet.delivery.dispatch.models import Delivery
from highstreet.delivery.dispatch.tests.test_journey import rider
from highstreet.delivery.promise.models import CourierReach
from highstreet.kernel import clock
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores
from highstreet.supply.stores.models import Store
from highstreet.trade.orders.tests import support as shop

from ..reads import couriers_in
from .support import Scripted, given, hire, tell


def reach(town: shop.Town) -> list[int | None]:
    """Minutes told of the town's stores, by a dispatcher that has just looked."""
    loop.epoch(town.city, with_capacity=True)
    told = dict(CourierReach.objects.values_list("store_id", "seconds"))
    return [round(told[store] / 60) if store in told else None for store in town.stores]


def test_a_store_without_a_fleet_hears_of_our_own_couriers(town: shop.Town, provider: Scripted) -> None:
    assert set(reach(town)) == {None}
    rider(town)
    before = reach(town)
    assert None not in before
    hire(town)
    assert reach(town) == [round(hired.USUAL_SECONDS / 60), *before[1:]]


def test_many_stores_cost_the_statements_of_one(town: shop.Town, provider: Scripted) -> None:
    hire(town, store=None)
    shops = stores.stores_of(town.city)
    assert len(shops) > 1
    for asked in (shops[:1], shops):
        with CaptureQueriesContext(connection) as seen:
            assert set(hired.reach(town.city, asked, clock.now())) == {one.id for one in asked}
        assert len(seen) == 2


def test_as_soon_as_its_last_couriers_were_there(town: shop.Town, provider: Scripted) -> None:
    fleet = hire(town)
    for minutes in (6, 9, 30):
        _, row, order = given(town)
        with shop.later(minutes):
            tell(fleet, order.number, "30")
        row.refresh_from_db()
        assert row.picked_up_at is not None
    assert reach(town)[0] == 9
    assert set(reach(town)[1:]) == {None}, "nobody of ours is there"


def test_what_is_told_only_at_the_door_says_nothing(town: shop.Town, provider: Scripted) -> None:
    fleet = hire(town)
    _, row, order = given(town)
    with shop.later(40):
        tell(fleet, order.number, "50")
    row.refresh_from_db()
    assert row.status == "delivered"
    assert reach(town)[0] == round(hired.USUAL_SECONDS / 60)


def test_a_store_where_nobody_came_yet_goes_by_the_others(town: shop.Town, provider: Scripted) -> None:
    fleet = hire(town, store=None)
    _, _, order = given(town)
    with shop.later(7):
        tell(fleet, order.number, "30")
    assert reach(town) == [7] * len(town.stores)
    Delivery.objects.update(not_before="2026-11-24T15:00Z")
    assert reach(town) == [round(hired.USUAL_SECONDS / 60)] * len(town.stores), "whose window was chosen is asked later"


def test_a_closed_store_counts_for_nobody(town: shop.Town, provider: Scripted) -> None:
    hire(town)
    assert couriers_in(town.city) == {town.stores[0]: 10}
    Store.objects.filter(pk=town.stores[0]).update(active=False)
    organisations.forget()
    assert couriers_in(town.city) == {}
