"""Cities, their places, organisations' terms. They change rarely, so a process keeps them for a minute."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import translation

from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND

from .models import City, Organisation, Place
from .rules import Terms

P = ParamSpec("P")
R = TypeVar("R")
_MEMORY_SECONDS = 60.0
_memory: dict[tuple[Any, ...], tuple[float, Any]] = {}


def remembered(function: Callable[P, R]) -> Callable[P, R]:
    """Keep the answer for a minute of wall time, per process. `forget()` drops all."""

    @wraps(function)
    def read(*args: P.args, **kwargs: P.kwargs) -> R:
        key = (function.__module__, function.__qualname__, args, tuple(sorted(kwargs.items())))
        kept = _memory.get(key)
        if kept is not None and kept[0] > time.monotonic():
            return cast(R, kept[1])
        answer = function(*args, **kwargs)
        _memory[key] = (time.monotonic() + _MEMORY_SECONDS, answer)
        return answer

    return read


def forget() -> None:
    """Drop what is remembered (after an import, between tests)."""
    _memory.clear()


def in_language(zh: str, en: str) -> str:
    return en if (translation.get_language() or "").startswith("en") else zh


@dataclass(frozen=True)
class CityView:
    id: UUID
    code: str
    name_zh: str
    name_en: str
    time_zone: str
    currency: str
    retailer_id: UUID
    south: float
    west: float
    north: float
    east: float
    centre_lat: float
    centre_lon: float

    @property
    def name(self) -> str:
        return in_language(self.name_zh, self.name_en)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def contains(self, lat: float, lon: float) -> bool:
        return self.south <= lat <= self.north and self.west <= lon <= self.east


@dataclass(frozen=True)
class PlaceView:
    id: UUID
    name_zh: str
    name_en: str
    lat: float
    lon: float
    weight: int

    @property
    def name(self) -> str:
        return in_language(self.name_zh, self.name_en)


def _view(row: City) -> CityView:
    return CityView(
        row.pk,
        row.code,
        row.name_zh,
        row.name_en,
        row.time_zone,
        row.currency,
        row.retailer_id,
        row.south,
        row.west,
        row.north,
        row.east,
        row.centre_lat,
        row.centre_lon,
    )


@remembered
def cities() -> list[CityView]:
    return [_view(row) for row in City.objects.order_by("code")]


def city(reference: UUID | str) -> CityView:
    """A city by id or code; NOT_FOUND otherwise."""
    for known in cities():
        if reference in (known.id, known.code):
            return known
    raise Refused(NOT_FOUND)


def default_city() -> CityView:
    """The first city; NOT_FOUND on an empty platform."""
    known = cities()
    if not known:
        raise Refused(NOT_FOUND)
    return known[0]


@remembered
def runs_platform(organisation_id: UUID) -> bool:
    """Whether what is nobody's in particular (the audit, a payment of an unknown order) is this organisation's: it is
    the platform, or it retails in every city."""
    known = cities()
    alone = bool(known) and all(city.retailer_id == organisation_id for city in known)
    return alone or Organisation.objects.filter(pk=organisation_id, kind="platform").exists()


@remembered
def terms(organisation_id: UUID) -> Terms:
    return Terms.of(Organisation.objects.values_list("policy", flat=True).get(pk=organisation_id))


@remembered
def places(city_id: UUID, kind: str = "landmark") -> list[PlaceView]:
    rows = Place.objects.filter(city_id=city_id, kind=kind).order_by("-weight", "name_en")
    return [PlaceView(row.pk, row.name_zh, row.name_en, row.lat, row.lon, row.weight) for row in rows]
