"""Stores: where, when, whom they reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, Q

from highstreet.kernel import clock
from highstreet.kernel.memory import once_a_page
from highstreet.kernel.policy import SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.reads import in_language, remembered

from . import rules
from .models import Store


@dataclass(frozen=True)
class StoreView:
    id: UUID
    code: str
    kind: str
    organisation_id: UUID
    city_id: UUID
    name_zh: str
    name_en: str
    address: str
    phone: str
    lat: float
    lon: float
    opens_minute: int
    closes_minute: int
    delivery_radius_m: int
    pick_minutes_base: int
    pick_seconds_per_unit: int
    paused_until: datetime | None
    busy_minutes: int
    busy_until: datetime | None
    time_zone: str

    @property
    def name(self) -> str:
        return in_language(self.name_zh, self.name_en)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def is_open(self, at: datetime) -> bool:
        """Open by its hours and not paused."""
        if self.paused_until is not None and at < self.paused_until:
            return False
        return rules.is_open(at, self.opens_minute, self.closes_minute, self.zone)

    def extra_minutes(self, at: datetime) -> int:
        """What the store asks for on top of every order's preparation while it is busy."""
        return self.busy_minutes if self.busy_until is not None and at < self.busy_until else 0

    def opens_at(self, at: datetime) -> datetime:
        start = max(at, self.paused_until) if self.paused_until else at
        return rules.next_opening(start, self.opens_minute, self.closes_minute, self.zone)

    def closes_at(self, at: datetime) -> datetime:
        return rules.closing(at, self.closes_minute, self.zone)

    def distance_m(self, lat: float, lon: float) -> float:
        return rules.metres(self.lat, self.lon, lat, lon)


_COLUMNS = [field.name for field in fields(StoreView) if field.name != "time_zone"]


_VIEW = f"SELECT {', '.join(f's.{name}' for name in _COLUMNS)}, c.time_zone FROM stores_store s " + (  # noqa: S608
    "JOIN organisations_city c ON c.id = s.city_id WHERE "
)


def _views(where: str, *values: UUID | float | list[UUID]) -> list[StoreView]:
    with connection.cursor() as cursor:
        cursor.execute(_VIEW + where, values)
        return [StoreView(*row) for row in cursor.fetchall()]


@once_a_page(lambda store_id: store_id)
def store(store_id: UUID) -> StoreView:
    """A store, active or not; NOT_FOUND if there is none."""
    found = _views("s.id = %s", store_id)
    if not found:
        raise Refused(NOT_FOUND)
    return found[0]


def must_work_at(actor: Actor, store_id: UUID) -> StoreView:
    """The store, if the actor works in it: it is one of theirs, or they work for all of an organisation that runs
    it or retails in its city. NOT_FOUND otherwise, so that another's store is not told from none."""
    found = store(store_id)
    if actor.kind == SYSTEM:
        return found
    if actor.store_ids is not None:
        ours = store_id in actor.store_ids
    else:
        runs = (found.organisation_id, organisations.city(found.city_id).retailer_id)
        ours = actor.organisation_id is not None and actor.organisation_id in runs
    if not ours:
        raise Refused(NOT_FOUND)
    return found


def works_everywhere(actor: Actor) -> bool:
    """Whether the actor works at every store that their organisation runs or retails for: what is the organisation's
    as a whole (its books, its alerts) is theirs to look at. Where it has no store, whoever is bound to stores does not.
    """
    if actor.store_ids is None:
        return True
    own = actor.organisation_id
    if own is None:
        return False
    run = Store.objects.filter(Q(organisation_id=own) | Q(city__retailer_id=own), active=True)
    found = run.aggregate(all=Count("pk"), theirs=Count("pk", filter=Q(pk__in=actor.store_ids)))
    return bool(0 < found["all"] == found["theirs"])


def runs_city(actor: Actor, city_id: UUID) -> bool:
    """Whether the actor's organisation retails in the city and the actor works at all its stores: what is the city's as
    a whole (its couriers, their roster, its past days) is theirs to see and to plan."""
    if actor.kind == SYSTEM:
        return True
    if organisations.city(city_id).retailer_id != actor.organisation_id:
        return False
    return actor.store_ids is None or {shop.id for shop in stores_of(city_id)} <= actor.store_ids


@remembered
def city_of(store_id: UUID) -> UUID:
    """The city of a store; it never moves to another."""
    return Store.objects.values_list("city_id", flat=True).get(pk=store_id)


@once_a_page(lambda city_id: city_id)
def stores_of(city_id: UUID) -> list[StoreView]:
    """The city's active stores by code."""
    return _views("s.active AND s.city_id = %s ORDER BY s.code", city_id)


def by_ids(store_ids: Sequence[UUID]) -> list[StoreView]:
    """These stores, closed down or not, by id."""
    return _views("s.id = ANY(%s) ORDER BY s.id", list(store_ids))


def ids_in(city_id: UUID) -> frozenset[UUID]:
    """All stores of a city, those that are closed down too."""
    return frozenset(Store.objects.filter(city_id=city_id).values_list("id", flat=True))


def active(city_id: UUID, store_id: UUID) -> list[StoreView]:
    """The city's active store of this id; [] when there is none."""
    return _views("s.active AND s.city_id = %s AND s.id = %s", city_id, store_id)


# For statements over stores_store s and a point: metres as on a flat map (a tenth of a per cent off within a city), and
# whether the store is open, which `is_open` says of one.
METRES = "111195 * sqrt(power(s.lat - %(lat)s, 2) + power((s.lon - %(lon)s) * cos(radians(%(lat)s)), 2))"
OPEN = (
    "(s.paused_until IS NULL OR s.paused_until <= %(at)s) AND floor(date_part('epoch', "
    "(%(at)s AT TIME ZONE c.time_zone)::time) / 60) BETWEEN s.opens_minute AND s.closes_minute - 1"
)
COLUMNS = ", ".join([*(f"s.{name}" for name in _COLUMNS), "c.time_zone"])
# More than any page shows, and few enough that a city of a thousand stores costs what one of ten does.
NEAREST = 24


def nearest(
    city_id: UUID, lat: float, lon: float, *, reaching: bool = True, first: str = "", most: int = NEAREST
) -> list[StoreView]:
    """The city's `most` nearest stores: the one with the code `first`, then those that reach the point (when
    `reaching` matters), then open ones, then by distance."""
    values: dict[str, Any] = {"city": city_id, "lat": lat, "lon": lon, "at": clock.now(), "most": most}
    values |= {"first": first, "reaching": reaching}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM stores_store s JOIN organisations_city c ON c.id = s.city_id "  # noqa: S608
            f"WHERE s.active AND s.city_id = %(city)s ORDER BY s.code <> %(first)s, "
            f"%(reaching)s AND {METRES} > s.delivery_radius_m, NOT ({OPEN}), {METRES} LIMIT %(most)s",
            values,
        )
        return [StoreView(*row) for row in cursor.fetchall()]


# A box around each circle, a little too wide: a degree of latitude has 110.6 to 111.7 km.
_NEAR = """
s.active AND s.city_id = %s AND abs(s.lat - %s::float8) * 110000 <= s.delivery_radius_m
AND abs(s.lon - %s::float8) * cos(radians(%s::float8)) * 108000 <= s.delivery_radius_m ORDER BY s.code
"""


def serving(city_id: UUID, lat: float, lon: float) -> list[StoreView]:
    """The active stores whose delivery circle reaches the point: open ones first, then the nearest."""
    at = clock.now()
    reached = [(store.distance_m(lat, lon), store) for store in _views(_NEAR, city_id, lat, lon, lat)]
    within = [(distance, store) for distance, store in reached if distance <= store.delivery_radius_m]
    return [store for _, store in sorted(within, key=lambda pair: (not pair[1].is_open(at), pair[0]))]
