"""What a small map draws: roads by class, water and parks, clipped and simplified for an SVG."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import osmium

from .geo import EARTH_RADIUS_M, Box, Floats

ROAD_CLASS = {
    **dict.fromkeys(("motorway", "trunk", "primary", "secondary"), "major"),
    **dict.fromkeys(("tertiary", "unclassified", "residential", "living_street", "road"), "minor"),
    **dict.fromkeys(("service", "pedestrian", "footway", "path", "cycleway", "steps", "track"), "path"),
}
CLASSES = ("major", "minor", "path")
GREEN = {
    "leisure": {"park", "garden", "nature_reserve", "pitch"},
    "landuse": {"grass", "forest", "recreation_ground", "cemetery", "meadow", "village_green"},
    "natural": {"wood", "scrub", "grassland", "wetland"},
}
MICRO = 1e6  # stored as whole millionths of a degree: 11 cm
MOST_POINTS = 4_500  # about 7 bytes each as relative SVG coordinates: 32 kB

Millionths = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class MapLayers:
    """Lines and areas as float arrays [k, 2] of (lat, lon).

    roads and names are keyed by class (major, minor, path) and run in parallel: names[c][i] belongs to
    roads[c][i] and is "" where the street has none. Areas are closed rings.
    """

    roads: dict[str, list[Floats]] = field(default_factory=lambda: {kind: [] for kind in CLASSES})
    names: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in CLASSES})
    water: list[Floats] = field(default_factory=list)
    green: list[Floats] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        """The layers as one compressed npz file, coordinates rounded to 1e-6 degrees."""
        arrays: dict[str, NDArray[np.generic]] = {}
        for key, lines in {**self.roads, "water": self.water, "green": self.green}.items():
            points = np.concatenate([*lines, np.zeros((0, 2))])
            steps = np.diff(np.rint(points * MICRO).astype(np.int32), axis=0, prepend=np.zeros((1, 2), np.int32))
            arrays[key], arrays[f"{key}_sizes"] = steps, np.array([len(line) for line in lines], np.int32)
        arrays["names"] = np.frombuffer(json.dumps(self.names, ensure_ascii=False).encode(), np.uint8)
        out = io.BytesIO()
        np.savez_compressed(out, **arrays)  # type: ignore[arg-type]
        return out.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> MapLayers:
        """The layers that `to_bytes` wrote; never unpickles."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            lines = {
                key: np.split(
                    np.cumsum(arrays[key].astype(np.int64), axis=0) / MICRO,
                    np.cumsum(arrays[f"{key}_sizes"])[:-1],
                )
                if len(arrays[f"{key}_sizes"])
                else []
                for key in (*CLASSES, "water", "green")
            }
            names = json.loads(arrays["names"].tobytes().decode())
        return cls({kind: lines[kind] for kind in CLASSES}, names, lines["water"], lines["green"])

    def clip(self, bbox: Box) -> MapLayers:
        """What lies in the box, simplified so that its drawing stays under 40 kB.

        The tolerance starts at 1/600 of the box's width and grows until at most MOST_POINTS points are left;
        from 2 km of width the paths are left out.
        """
        width_m = np.radians(bbox[3] - bbox[1]) * EARTH_RADIUS_M * np.cos(np.radians((bbox[0] + bbox[2]) / 2))
        kinds = CLASSES if width_m < 2_000 else ("major", "minor")
        inside = MapLayers(
            water=[ring for area in self.water if len(ring := clip_ring(area, bbox))],
            green=[ring for area in self.green if len(ring := clip_ring(area, bbox))],
        )
        for kind in kinds:
            for line, name in zip(self.roads[kind], self.names[kind], strict=True):
                parts = clip_line(line, bbox)
                inside.roads[kind].extend(parts)
                inside.names[kind].extend([name] * len(parts))
        tolerance = float(width_m) / 600
        while (drawn := inside._simplified(tolerance)).size() > MOST_POINTS:
            tolerance *= 1.6
        return drawn

    def size(self) -> int:
        """How many points there are in all layers."""
        return sum(len(line) for lines in (*self.roads.values(), self.water, self.green) for line in lines)

    def _simplified(self, tolerance_m: float) -> MapLayers:
        """Every line by Douglas and Peucker; paths and areas smaller than a few tolerances go altogether."""
        out = MapLayers()
        for kind, lines in self.roads.items():
            least = 3 * tolerance_m if kind == "path" else tolerance_m
            for line, name in zip(lines, self.names[kind], strict=True):
                if _extent_m(line) >= least:
                    out.roads[kind].append(simplify(line, tolerance_m))
                    out.names[kind].append(name)
        for rings, kept in ((self.water, out.water), (self.green, out.green)):
            kept.extend(simplify(ring, tolerance_m) for ring in rings if _extent_m(ring) >= 3 * tolerance_m)
        return out


def _flat(points: Floats) -> Floats:
    """(lat, lon) as metres on a plane at the line's own latitude."""
    scale = np.radians(1) * EARTH_RADIUS_M
    return np.asarray(points * np.array([scale, scale * np.cos(np.radians(points[0, 0]))]), float)


def _extent_m(points: Floats) -> float:
    return float(np.hypot(*np.ptp(_flat(points), axis=0)))


def simplify(points: Floats, tolerance_m: float) -> Floats:
    """A line or ring [k, 2] without the points that lie within the tolerance (Douglas, Peucker 1973)."""
    if len(points) < 3:
        return points
    flat, keep = _flat(points), np.zeros(len(points), bool)
    keep[[0, -1]] = True
    spans = [(0, len(points) - 1)]
    while spans:
        start, end = spans.pop()
        if end - start < 2:
            continue
        chord, between = flat[end] - flat[start], flat[start + 1 : end] - flat[start]
        length = float(np.hypot(*chord))
        # A ring's chord has no length: there the distance to its first point decides.
        away = np.abs(between[:, 0] * chord[1] - between[:, 1] * chord[0]) / length if length else np.hypot(*between.T)
        furthest = int(away.argmax())
        if away[furthest] > tolerance_m:
            middle = start + 1 + furthest
            keep[middle] = True
            spans += [(start, middle), (middle, end)]
    return points[keep]


def clip_line(line: Floats, bbox: Box) -> list[Floats]:
    """The parts of a line [k, 2] inside the box, cut at its edges (Liang and Barsky, 1984)."""
    low, high = np.array(bbox[:2]), np.array(bbox[2:])
    if (line.max(axis=0) < low).any() or (line.min(axis=0) > high).any():
        return []
    start, step = line[:-1], np.diff(line, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        one, two = (low - start) / step, (high - start) / step
    still = step == 0
    outside = (still & ((start < low) | (start > high))).any(axis=1)
    enter = np.where(still, -np.inf, np.minimum(one, two)).max(axis=1).clip(0)
    leave = np.where(still, np.inf, np.maximum(one, two)).min(axis=1).clip(max=1)
    parts: list[list[Floats]] = []
    joined = False
    for at in np.flatnonzero((enter < leave) & ~outside):
        first, last = start[at] + enter[at] * step[at], start[at] + leave[at] * step[at]
        if not (joined and enter[at] == 0 and np.array_equal(parts[-1][-1], start[at])):
            parts.append([first])
        parts[-1].append(line[at + 1] if leave[at] == 1 else last)
        joined = bool(leave[at] == 1)
    return [np.array(part) for part in parts]


def clip_ring(ring: Floats, bbox: Box) -> Floats:
    """The part of a closed ring [k, 2] inside the box, closed again, or [0, 2] (Sutherland, Hodgman 1974)."""
    points = ring
    for axis, limit, sign in ((0, bbox[0], 1), (1, bbox[1], 1), (0, bbox[2], -1), (1, bbox[3], -1)):
        if len(points) < 3:
            return np.zeros((0, 2))
        depth = sign * (points[:, axis] - limit)
        kept: list[Floats] = []
        for at in range(len(points) - 1):
            here, there = depth[at], depth[at + 1]
            if here >= 0:
                kept.append(points[at])
            if (here >= 0) != (there >= 0):
                kept.append(points[at] + (points[at + 1] - points[at]) * (here / (here - there)))
        points = np.array([*kept, kept[0]]) if kept else np.zeros((0, 2))
    return points


def merge_lines(lines: Iterable[list[int]]) -> list[list[int]]:
    """Lines of node numbers joined wherever exactly two ends meet, so that a street is one line."""
    pieces = [list(line) for line in lines]
    at_end: defaultdict[int, list[int]] = defaultdict(list)
    for number, piece in enumerate(pieces):
        for end in (piece[0], piece[-1]):
            at_end[end].append(number)
    owner = list(range(len(pieces)))

    def root(number: int) -> int:
        while owner[number] != number:
            number = owner[number]
        return number

    for node, numbers in at_end.items():
        if len(numbers) != 2:
            continue
        first, second = root(numbers[0]), root(numbers[1])
        if first == second:
            continue
        head, tail = pieces[first], pieces[second]
        if head[-1] != node:
            head = head[::-1]
        if tail[0] != node:
            tail = tail[::-1]
        pieces[first], owner[second] = head + tail[1:], first
    return [piece for number, piece in enumerate(pieces) if owner[number] == number]


def _is_area(tags: osmium.osm.TagList) -> str:
    if tags.get("natural") == "water" or tags.get("waterway") == "riverbank" or tags.get("landuse") == "reservoir":
        return "water"
    return "green" if any(tags.get(key) in values for key, values in GREEN.items()) else ""


def read_map(pbf_path: Path) -> MapLayers:
    """The layers of an OpenStreetMap extract. Areas whose ring the extract cuts off are left out."""
    layers = MapLayers()
    position: dict[int, tuple[float, float]] = {}
    lines: defaultdict[tuple[str, str], list[list[int]]] = defaultdict(list)
    import osmium

    for item in osmium.FileProcessor(str(pbf_path)).with_areas():
        if isinstance(item, osmium.osm.Way):
            kind = ROAD_CLASS.get((item.tags.get("highway") or "").removesuffix("_link"))
            if kind is None or item.tags.get("area") == "yes":
                continue
            nodes = [node for node in item.nodes if node.location.valid()]
            position.update((node.ref, (node.lat, node.lon)) for node in nodes)
            if len(nodes) > 1:
                lines[kind, item.tags.get("name") or ""].append([node.ref for node in nodes])
        elif isinstance(item, osmium.osm.Area) and (area := _is_area(item.tags)):
            for ring in item.outer_rings():
                getattr(layers, area).append(np.array([(node.lat, node.lon) for node in ring]))
    for (kind, name), pieces in lines.items():
        for line in merge_lines(pieces):
            layers.roads[kind].append(np.array([position[node] for node in line]))
            layers.names[kind].append(name)
    return layers


def svg_layers(layers: MapLayers, bbox: Box, width_px: int) -> dict[str, str]:
    """SVG path data ("d") for water, green, path, minor and major, in the order to draw them.

    Whole pixels, relative after each line's first point; x grows to the east from 0 to width_px, y to the
    south; the height is width_px x the box's height over its width in metres. An empty layer is "".
    """
    south, west, north, east = bbox
    across = np.cos(np.radians((south + north) / 2))
    scale = width_px / (east - west)
    corner, stretch = np.array([north, west]), np.array([-scale / across, scale])

    def draw(lines: Iterable[Floats], close: str) -> str:
        return "".join(_relative(np.rint((line - corner) * stretch).astype(int)[:, ::-1], close) for line in lines)

    return {
        "water": draw(layers.water, "z"),
        "green": draw(layers.green, "z"),
        **{kind: draw(layers.roads[kind], "") for kind in reversed(CLASSES)},
    }


def _relative(pixels: NDArray[np.int_], close: str) -> str:
    """One line [k, 2] of (x, y) as "Mx yldx dy dx dy"; steps of nothing are left out."""
    steps = np.diff(pixels, axis=0)
    steps = steps[steps.any(axis=1)]
    if not len(steps):
        return ""
    body = " ".join(f"{x} {y}" for x, y in steps.tolist()).replace(" -", "-")
    return f"M{pixels[0, 0]} {pixels[0, 1]}l{body}{close}"
