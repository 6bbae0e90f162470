from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from highstreet.delivery.couriers.models import Courier, Shift
from highstreet.delivery.promise import reads as promise_reads
from highstreet.delivery.promise.actions import Promises
from highstreet.delivery.routing import reads as routing
from highstreet.people.accounts.models import User
from highstreet.supply.organisations.models import Place
from highstreet.trade.orders import ports
from highstreet.trade.orders.tests import support as life
from highstreet.trade.orders.tests.support import Town

COURIERS = 6


@pytest.fixture
def town(db: None) -> Iterator[Town]:
    """The orders' town at noon, with couriers on shift, so that the real promise answers everywhere."""
    filled = ports.promises() if ports.promises.filled else None
    with life.running_from(life.NOON):
        made = life.build()
        routing.forget(made.city)
        promise_reads.forget()
        ports.promises.fill(Promises())
        Place.objects.create(
            city_id=made.city, name_zh="公共市场", name_en="Public Market", lat=made.lat, lon=made.lon, weight=9
        )
        Place.objects.create(city_id=made.city, name_zh="远山", name_en="Far Hill", lat=-30.099, lon=-51.299, weight=1)
        on_shift(made)
        yield made
    if filled is not None:
        ports.promises.fill(filled)


def on_shift(made: Town) -> None:
    for index in range(COURIERS):
        user = User.objects.create(username=f"rider{index}")
        courier = Courier.objects.create(
            user=user, city_id=made.city, name=f"骑{index}", phone="1", lat=made.lat, lon=made.lon, seen_at=life.NOON
        )
        Shift.objects.create(courier=courier, starts_at=life.NOON)


@pytest.fixture(params=["zh-hans", "en"])
def guest(request: pytest.FixtureRequest) -> Client:
    """A guest's browser in each language."""
    client = Client()
    client.cookies["lang"] = request.param
    return client


@pytest.fixture
def reader() -> Client:
    """A guest's browser in English."""
    client = Client()
    client.cookies["lang"] = "en"
    return client
