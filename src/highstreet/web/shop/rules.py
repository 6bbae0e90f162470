"""Pure arithmetic of the shop's pages: boxes and points of small maps, whether a promise got worse, chosen times."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from highstreet.web.ui.rules import clock_time, day

Point = tuple[float, float]
METRES_A_DEGREE = 111_195.0


@dataclass(frozen=True)
class View:
    """A box in degrees drawn `width` x `height` pixels, north up (the projection of routing's `svg_layers`)."""

    south: float
    west: float
    north: float
    east: float
    width: int
    height: int

    @property
    def box(self) -> tuple[float, float, float, float]:
        return self.south, self.west, self.north, self.east

    def at(self, point: Point) -> tuple[int, int]:
        """Pixels (x, y) of a (lat, lon)."""
        lat, lon = point
        x = (lon - self.west) / (self.east - self.west) * self.width
        y = (self.north - lat) / (self.north - self.south) * self.height
        return round(x), round(y)

    def kept(self, point: Point, margin: int = 16) -> tuple[int, int]:
        """`at`, moved to the nearest place inside the drawing."""
        x, y = self.at(point)
        return min(max(x, margin), self.width - margin), min(max(y, margin), self.height - margin)

    def point(self, x: int, y: int) -> Point:
        """The (lat, lon) under a pixel."""
        lat = self.north - y / self.height * (self.north - self.south)
        lon = self.west + x / self.width * (self.east - self.west)
        return lat, lon


def around(centre: Point, width_m: float, width: int, height: int) -> View:
    """A view of `width_m` metres across with `centre` in its middle."""
    lat, lon = centre
    across = width_m / METRES_A_DEGREE / math.cos(math.radians(lat))
    down = width_m * height / width / METRES_A_DEGREE
    return View(lat - down / 2, lon - across / 2, lat + down / 2, lon + across / 2, width, height)


def over(points: Iterable[Point], width: int, height: int, *, least_m: float = 700.0, room: float = 1.35) -> View:
    """A view of all `points` with room around them, at least `least_m` metres across."""
    known = list(points)
    lats, lons = [lat for lat, _ in known], [lon for _, lon in known]
    centre = ((min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2)
    across = (max(lons) - min(lons)) * METRES_A_DEGREE * math.cos(math.radians(centre[0]))
    down = (max(lats) - min(lats)) * METRES_A_DEGREE * width / height
    return around(centre, max(across * room, down * room, least_m), width, height)


def line(view: View, points: Iterable[Point]) -> str:
    """SVG path data of a way; empty for fewer than two points."""
    pixels: list[tuple[int, int]] = []
    for point in points:
        pixel = view.at(point)
        if not pixels or pixel != pixels[-1]:
            pixels.append(pixel)
    if len(pixels) < 2:
        return ""
    return "M" + "L".join(f"{x} {y}" for x, y in pixels)


def got_worse(seen_total: int, seen_to: datetime | None, total: int, promised_to: datetime) -> bool:
    """Whether an offer costs more or comes later (by a minute or more, as clocks show it) than what was seen."""
    if total > seen_total or seen_to is None:
        return True
    return promised_to.replace(second=0, microsecond=0) > seen_to.replace(second=0, microsecond=0)


def hours(start: datetime, end: datetime) -> str:
    """`17:00–18:00`, of local times."""
    return f"{clock_time(start)}–{clock_time(end)}"


def window(start: datetime, end: datetime, now: datetime, lang: str | None) -> str:
    """`today 17:00–18:00` / `明天 09:00–10:00`, of local times: a time that was chosen has its day with it."""
    return f"{day(start.date(), now.date(), lang)} {hours(start, end)}"


def moment(text: str) -> datetime | None:
    """An ISO moment with its offset, in UTC; None for anything else."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def whole_number(text: str, most: int) -> int | None:
    """`text` as an integer in [0, most]; None for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        return None
    value = int(text)
    return value if value <= most else None


BROWSERS = (
    ("MicroMessenger", "WeChat"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def device(agent: str) -> str:
    """A User-Agent as people call the thing: "Chrome · Windows"; empty when it says nothing we know."""
    named = [next((name for mark, name in table if mark in agent), "") for table in (BROWSERS, SYSTEMS)]
    return " · ".join(name for name in named if name)
