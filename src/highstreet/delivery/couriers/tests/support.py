"""Rows for the tests of delivery: a small city without streets (straight lines), shops, couriers, fulfilments."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from unittest.mock import patch
from uuid import UUID

from highstreet.delivery.couriers import actions as couriers
from highstreet.delivery.promise import reads as promise_reads
from highstreet.kernel import audit, clock, ids, outbox
from highstreet.kernel.models import OutboxDelivery
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.states import move
from highstreet.people.accounts.models import User
from highstreet.people.accounts.reads import actor_of_user
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.models import City, Organisation
from highstreet.supply.stores.models import Store
from highstreet.supply.stores.reads import StoreView
from highstreet.supply.stores.reads import store as store_view
from highstreet.trade.fulfilment.models import Fulfilment
from highstreet.trade.fulfilment.states import MACHINE

NOON = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # 12:00 in Porto Alegre
LAT, LON = -30.03, -51.22
METRE = 1 / 111_195


@dataclass(frozen=True)
class Town:
    """A city with shops; points are metres north and east of its centre."""

    city_id: UUID
    retailer_id: UUID
    stores: list[StoreView]

    @property
    def store(self) -> StoreView:
        return self.stores[0]


def point(north: float, east: float) -> tuple[float, float]:
    return LAT + north * METRE, LON + east * METRE / 0.8658


def town(stores: int = 1, policy: dict[str, int] | None = None, *, opens: int = 480, closes: int = 1320) -> Town:
    tag = ids.random_token(8)
    retailer = Organisation.objects.create(
        code=f"r-{tag}", kind="brand", name_zh="高街", name_en="High", policy=policy or {}
    )
    city = City.objects.create(
        code=f"c-{tag}",
        name_zh="城",
        name_en="Town",
        time_zone="America/Sao_Paulo",
        retailer=retailer,
        south=LAT - 0.1,
        west=LON - 0.1,
        north=LAT + 0.1,
        east=LON + 0.1,
        centre_lat=LAT,
        centre_lon=LON,
    )
    organisations.forget()
    promise_reads.forget()
    views = []
    for number in range(stores):
        lat, lon = point(0, 800 * number)
        row = Store.objects.create(
            code=f"s{number}-{tag}",
            kind="supermarket",
            organisation=retailer,
            city=city,
            name_zh="一店",
            name_en=f"Shop {number}",
            address="Rua 1",
            lat=lat,
            lon=lon,
            opens_minute=opens,
            closes_minute=closes,
            delivery_radius_m=3000,
        )
        views.append(store_view(row.pk))
    return Town(city.pk, retailer.pk, views)


def courier(
    place: Town, north: float | None = None, east: float = 0.0, *, capacity: int = 3, name: str = "Ana Lima"
) -> Actor:
    """A courier's actor; on shift at a point unless `north` is None."""
    user = User.objects.create(username=ids.random_token(10))
    couriers.create(
        actor=THE_SYSTEM, user_id=user.pk, city_id=place.city_id, name=name, phone="51 9", capacity=capacity
    )
    actor = actor_of_user(user.pk)
    if north is not None:
        couriers.start_shift(actor=actor)
        lat, lon = point(north, east)
        couriers.report_position(actor=actor, lat=lat, lon=lon)
    return actor


def fulfilment(
    place: Town,
    north: float = 500.0,
    east: float = 0.0,
    *,
    at: datetime = NOON,
    status: str = "accepted",
    mode: str = "delivery",
    store: int = 0,
    minutes: int = 40,
    ready_in: int = 8,
    group: UUID | None = None,
) -> Fulfilment:
    lat, lon = point(north, east)
    order_id = ids.new_id()
    row = Fulfilment.objects.create(
        order_id=order_id,
        order_number=ids.random_token(6).upper(),
        group=group or order_id,
        store_id=place.stores[store].id,
        mode=mode,
        substitution="best",
        phone_tail="0001",
        address="Rua da Praia 10, 3º",
        note="ring twice",
        lat=lat,
        lon=lon,
        promised_from=at + timedelta(minutes=minutes - 10),
        promised_to=at + timedelta(minutes=minutes),
        ready_by=at + timedelta(minutes=ready_in),
        handover_code="4711",
        created_at=at,
    )
    for event in ("accept", "start", "pack", "make_ready"):
        if row.status != status:
            move(MACHINE, row, event, actor="test")
    return row


@contextmanager
def ticking(at: datetime = NOON) -> Iterator[None]:
    """Business time stands at `at` (or where `clock.frozen` holds it), a microsecond later at each look.

    So histories written in one instant keep their order.
    """
    looks = itertools.count()

    def now() -> datetime:
        return (clock._frozen[-1] if clock._frozen else at) + timedelta(microseconds=next(looks))

    with patch.object(clock, "now", now):
        yield


def broken() -> list[tuple[str, list[str]]]:
    """What the audit finds; [] when all is well."""
    return [(found.says, found.broken) for found in audit.run() if found.broken]


def settle() -> None:
    """Run the handlers of delivery; other floors' are left out, for they want whole orders."""
    OutboxDelivery.objects.exclude(handler__startswith="delivery.").update(done_at=clock.now())
    outbox.drain()
