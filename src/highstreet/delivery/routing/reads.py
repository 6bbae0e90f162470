"""Travel seconds, ways, drawings and addresses in a city. Each process keeps a city's streets in memory.

`CityStreets.from_place` and `to_place` are made for stores: one Dijkstra a place and direction, kept, so that
any number of doors or couriers afterwards costs one look-up each.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from threading import Lock
from uuid import UUID

import numpy as np
import structlog
from django.conf import settings
from numpy.typing import ArrayLike, NDArray

from highstreet.kernel import clock
from highstreet.supply.organisations import reads as organisations
from highstreet.trade.orders.ports import Found

from .engine import (
    Box,
    MapLayers,
    Mode,
    StreetGraph,
    StreetNames,
    TravelPath,
    haversine_m,
    straight_seconds,
    svg_layers,
)
from .models import SpeedFactor, Streets
from .travel import Silent, Straight, Travel
from .travel.outside import configured

log = structlog.get_logger(__name__)
Floats = NDArray[np.float64]
STALE_SECONDS = 60.0
MOST_PLACES = 512
# Of them, so many for one question about all of a city's stores.
MOST_LOOKED_UP = 128
WALK_MPS = 4.8 / 3.6
DETOUR = 1.4


@dataclass(eq=False)
class CityStreets:
    """A city's streets in memory. `graph` None: no streets are loaded, so everything is by straight line.

    `outside`: a service that is asked first; what is here answers while it is silent. `factors` [24] by mode: what
    couriers' finished trips say of each local hour. Times asked for a moment `at` are by that hour, else free flow.
    """

    graph: StreetGraph | None
    layers: MapLayers | None
    names: StreetNames | None
    loaded_at: datetime | None
    checked: float
    outside: Travel | None = None
    factors: Mapping[str, Floats] = field(default_factory=dict)
    zone: tzinfo = UTC
    _reach: OrderedDict[tuple[int, Mode, bool], NDArray[np.float32]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def seconds(
        self, sources: ArrayLike, targets: ArrayLike, mode: Mode = "bike", at: datetime | None = None
    ) -> Floats:
        """Seconds [n, m] door to door, from [n, 2] (lat, lon) to [m, 2]."""
        found = self._asked(sources, targets, mode)
        if found is None:
            found = (self.graph or Straight()).matrix(sources, targets, mode)
        return self.factor(mode, at) * found

    def from_place(
        self, place: tuple[float, float], doors: ArrayLike, mode: Mode = "bike", at: datetime | None = None
    ) -> Floats:
        """Seconds [k] from a fixed place (a store) to each of [k, 2] doors."""
        return self.factor(mode, at) * self._by_place(place, doors, mode, reverse=False)

    def to_place(
        self, doors: ArrayLike, place: tuple[float, float], mode: Mode = "bike", at: datetime | None = None
    ) -> Floats:
        """Seconds [k] from each of [k, 2] doors (couriers) to a fixed place (a store)."""
        return self.factor(mode, at) * self._by_place(place, doors, mode, reverse=True)

    def to_places(self, doors: ArrayLike, places: ArrayLike, mode: Mode = "bike", at: datetime | None = None) -> Floats:
        """Seconds [n, m] from each of [n, 2] doors (couriers) to each of [m, 2] fixed places (all of a city's stores).

        By one request to a service; by look-up while the kept arrays have room for so many; by straight line beyond.
        """
        starts, ends = (np.asarray(points, float).reshape(-1, 2) for points in (doors, places))
        if not len(starts) or not len(ends):
            return np.zeros((len(starts), len(ends)))
        if self.outside is not None:
            return self.seconds(starts, ends, mode, at)
        if self.graph is None or len(ends) > MOST_LOOKED_UP:
            return self.factor(mode, at) * straight_seconds(starts, ends, mode)
        return np.column_stack([self.to_place(starts, (end[0], end[1]), mode, at) for end in ends])

    def factor(self, mode: Mode, at: datetime | None) -> float:
        """What a free-flow second takes at that local hour."""
        known = self.factors.get(mode)
        return 1.0 if at is None or known is None else float(known[at.astimezone(self.zone).hour])

    def _asked(self, sources: ArrayLike, targets: ArrayLike, mode: Mode) -> Floats | None:
        if self.outside is None:
            return None
        try:
            return self.outside.matrix(sources, targets, mode)
        except Silent as error:
            log.warning("travel.silent", error=str(error)[:120])
            return None

    def path(self, a: tuple[float, float], b: tuple[float, float], mode: Mode = "bike") -> TravelPath:
        """The quickest way from `a` to `b`; a straight line of two points where no streets are known."""
        if self.graph is not None:
            return self.graph.path(a, b, mode)
        points = np.array([a, b], float)
        seconds = float(straight_seconds([a], [b], mode)[0, 0])
        metres = float(haversine_m(a, b)) * DETOUR
        return TravelPath(points, seconds, metres, np.array([0.0, seconds]))

    def _by_place(self, place: tuple[float, float], doors: ArrayLike, mode: Mode, reverse: bool) -> Floats:
        points = np.asarray(doors, float).reshape(-1, 2)
        if not len(points):
            return np.zeros(0)
        centre = np.asarray(place, float)
        if self.outside is not None:
            found = self._asked(points, [place], mode) if reverse else self._asked([place], points, mode)
            if found is not None:
                return found.reshape(-1)
        straight = straight_seconds(points, centre[None], mode)[:, 0]
        if self.graph is None:
            return straight
        nodes = self.graph.nearest(points[:, 0], points[:, 1])
        node = self.graph.nearest(*place)
        walked = (
            haversine_m(points, self.graph.points[nodes]) + float(haversine_m(centre, self.graph.points[node]))
        ) / WALK_MPS
        seconds = self._reached(node, mode, reverse)[nodes] + walked
        same = nodes == node
        if same.any():
            direct = straight_seconds(points[same], centre[None], "walk")[:, 0]
            seconds[same] = np.minimum(seconds[same], direct)
        return np.asarray(seconds, float)

    def _reached(self, node: int, mode: Mode, reverse: bool) -> NDArray[np.float32]:
        assert self.graph is not None
        key = (node, mode, reverse)
        with self._lock:
            kept = self._reach.get(key)
            if kept is not None:
                self._reach.move_to_end(key)
                return kept
        found = self.graph.one_to_all(node, mode, reverse).astype(np.float32)
        with self._lock:
            self._reach[key] = found
            while len(self._reach) > MOST_PLACES:
                self._reach.popitem(last=False)
        return found


_memory: dict[UUID, CityStreets] = {}
_loading = Lock()


def streets(city_id: UUID) -> CityStreets:
    """The city's streets, read from the database once a process; looked for anew each minute if replaced."""
    kept = _memory.get(city_id)
    if kept is not None and clock.wall() - kept.checked < STALE_SECONDS:
        return kept
    with _loading:
        kept = _memory.get(city_id)
        if kept is None or clock.wall() - kept.checked >= STALE_SECONDS:
            kept = _memory[city_id] = _fresh(city_id, kept)
        return kept


def forget(city_id: UUID) -> None:
    """Drop what this process remembers of the city's streets."""
    _memory.pop(city_id, None)


def matrix(
    city_id: UUID, sources: ArrayLike, targets: ArrayLike, mode: Mode = "bike", at: datetime | None = None
) -> Floats:
    """Seconds [n, m] door to door, at the speeds of `at`'s hour; free flow without it."""
    return streets(city_id).seconds(sources, targets, mode, at)


def path(city_id: UUID, a: tuple[float, float], b: tuple[float, float], mode: Mode = "bike") -> TravelPath:
    """The quickest way from `a` to `b` with its shape, seconds and metres."""
    return streets(city_id).path(a, b, mode)


def svg(city_id: UUID, bbox: Box, width_px: int) -> dict[str, str]:
    """SVG path data by layer (water, green, path, minor, major) for the box; all "" without streets."""
    layers = streets(city_id).layers
    if layers is None:
        return dict.fromkeys(("water", "green", "path", "minor", "major"), "")
    return svg_layers(layers.clip(bbox), bbox, width_px)


def geocode(city_id: UUID, text: str, near: tuple[float, float] | None = None) -> Found | None:
    """Where a typed address is: a street first, else a known place; None when nothing is like it.

    `distance_m` is how far that is from `near` (0 without it).
    """
    names = streets(city_id).names
    best = names.find(text, near, limit=1) if names is not None else []
    wanted = text.strip().casefold()
    for place in (*organisations.places(city_id), *organisations.places(city_id, "home")) if wanted else ():
        if wanted in (place.name_zh.casefold(), place.name_en.casefold()):
            return Found(place.lat, place.lon, place.name, _apart(near, (place.lat, place.lon)))
    if not best:
        return None
    return Found(best[0].lat, best[0].lon, best[0].name, _apart(near, (best[0].lat, best[0].lon)))


class Geo:
    """Fills `trade.orders.ports.geo`."""

    def geocode(self, city_id: UUID, text: str, lat: float | None = None, lon: float | None = None) -> Found | None:
        near = (lat, lon) if lat is not None and lon is not None else None
        return geocode(city_id, text, near)


def _apart(near: tuple[float, float] | None, point: tuple[float, float]) -> int:
    return round(float(haversine_m(near, point))) if near is not None else 0


def _fresh(city_id: UUID, kept: CityStreets | None) -> CityStreets:
    rows = Streets.objects.filter(city_id=city_id)
    loaded_at = rows.values_list("loaded_at", flat=True).first()
    if kept is not None and kept.loaded_at == loaded_at:
        kept.checked, kept.factors = clock.wall(), _factors(city_id)
        return kept
    outside, zone = configured(settings.TRAVEL), organisations.city(city_id).zone
    made = CityStreets(None, None, None, loaded_at, clock.wall(), outside, _factors(city_id), zone)
    if loaded_at is not None:
        row = rows.get()
        made.graph = StreetGraph.from_bytes(bytes(row.graph))
        made.layers = MapLayers.from_bytes(bytes(row.layers))
        made.names = StreetNames.from_bytes(bytes(row.names))
    return made


def _factors(city_id: UUID) -> dict[str, Floats]:
    """By mode [24]; 1 for an hour that nobody has ridden in."""
    found: dict[str, Floats] = {}
    for mode, hour, factor in SpeedFactor.objects.filter(city_id=city_id).values_list("mode", "hour", "factor"):
        found.setdefault(mode, np.ones(24))[hour] = factor
    return found
