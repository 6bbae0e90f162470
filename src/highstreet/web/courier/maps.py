"""The route drawn by the server: streets, the way, and numbered stops, as one SVG."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import cos, radians
from urllib.parse import quote
from uuid import UUID

from highstreet.delivery.routing import reads as routing

Point = tuple[float, float]
# Phones that know no geo: addresses.
APPLE = ("iPhone", "iPad")
WIDTH = 640
MARGIN = 0.15
LEAST_DEGREES = 0.004
SHAPE = 0.62
LAYERS = ("water", "green", "path", "minor", "major")


@dataclass(frozen=True)
class Pin:
    """A numbered stop in the picture's pixels; `kind` is pickup, dropoff, return or here."""

    kind: str
    number: int
    x: int
    y: int


@dataclass(frozen=True)
class Drawing:
    """Path data by layer, the way as polyline points, the pins; all in a box of width x height."""

    width: int
    height: int
    layers: list[tuple[str, str]]
    way: str
    pins: list[Pin]


def link(place: Point, name: str, agent: str) -> str:
    """An address that opens the phone's own navigation at a place (RFC 5870; Apple's Map Links for who has none)."""
    at = f"{place[0]:.6f},{place[1]:.6f}"
    if any(one in agent for one in APPLE):
        return f"https://maps.apple.com/?daddr={at}"
    return f"geo:{at}?q={at}({quote(name, safe='')})"


def draw(city_id: UUID, stops: list[tuple[str, Point]], here: Point | None) -> Drawing | None:
    """The way along the streets from `here` through the stops; None when there is nowhere to go."""
    places = ([here] if here else []) + [point for _kind, point in stops]
    if not places:
        return None
    way = [(float(lat), float(lon)) for a, b in pairwise(places) for lat, lon in routing.path(city_id, a, b).points]
    south, west, north, east = _box(places + way)
    across = cos(radians((south + north) / 2))
    scale = WIDTH / (east - west)
    height = round((north - south) / across * scale)

    def pixel(point: Point) -> tuple[int, int]:
        return round((point[1] - west) * scale), round((north - point[0]) / across * scale)

    layers = routing.svg(city_id, (south, west, north, east), WIDTH)
    pins = [Pin(kind, index, *pixel(point)) for index, (kind, point) in enumerate(stops, start=1)]
    if here:
        pins.append(Pin("here", 0, *pixel(here)))
    line = " ".join(f"{x},{y}" for x, y in (pixel(point) for point in way))
    return Drawing(WIDTH, height, [(name, layers.get(name, "")) for name in LAYERS], line, pins)


def _box(points: list[Point]) -> tuple[float, float, float, float]:
    """South, west, north, east around the points with a margin, SHAPE times as high as wide on the ground."""
    lats, lons = [lat for lat, _ in points], [lon for _, lon in points]
    middle_lat, middle_lon = (min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2
    across = cos(radians(middle_lat))
    wide = max((max(lons) - min(lons)) * across, (max(lats) - min(lats)) / SHAPE, LEAST_DEGREES) * (1 + 2 * MARGIN)
    tall = wide * SHAPE
    return (
        middle_lat - tall / 2,
        middle_lon - wide / across / 2,
        middle_lat + tall / 2,
        middle_lon + wide / across / 2,
    )
