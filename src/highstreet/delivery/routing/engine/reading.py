"""From an OpenStreetMap extract to a street graph."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .geo import MODES, WALK_MPS, Floats, Mode, haversine_m
from .graph import StreetGraph

# km/h while moving, by highway class: (e-bike courier, car in city traffic). 0 = may not go. With its stops
# an e-bike, cut off at 25 km/h, comes to 17-19 on main roads; cars are daytime means, not limits.
SPEEDS: dict[str, tuple[float, float]] = {
    "motorway": (0, 65),
    "trunk": (0, 50),
    "primary": (21, 34),
    "secondary": (21, 30),
    "tertiary": (20.5, 27),
    "unclassified": (20, 24),
    "residential": (19.5, 22),
    "living_street": (15, 12),
    "service": (14, 12),
    "road": (18, 20),
    "cycleway": (21, 0),
    "track": (12, 0),
    "path": (13, 0),
    "pedestrian": (8, 0),
}
ROUGH = {
    "sett": 0.87,
    "cobblestone": 0.8,
    "earth": 0.8,
    "dirt": 0.8,
    "gravel": 0.8,
    "grass": 0.7,
    "sand": 0.6,
}
CLOSED = {"no", "private"}
JUNCTION_S: dict[Mode, float] = {"bike": 2.0, "car": 3.5, "walk": 0.0}
SIGNAL_S: dict[Mode, float] = {"bike": 9.0, "car": 13.0, "walk": 9.0}
LONGEST_PIECE_M = 80.0  # a door is never much further than half of this from a node of its own street


@dataclass(frozen=True)
class Way:
    """A highway as read: node numbers, and km/h for each mode forward and backward (0 = may not go)."""

    nodes: list[int]
    forward: dict[Mode, float]
    backward: dict[Mode, float]


@dataclass
class Ways:
    """Everything that one pass over the file yields."""

    ways: list[Way] = field(default_factory=list)
    position: dict[int, tuple[float, float]] = field(default_factory=dict)
    signals: set[int] = field(default_factory=set)


def speeds_of(tags: dict[str, str]) -> tuple[dict[Mode, float], dict[Mode, float]] | None:
    """km/h forward and backward for each mode on a way with these tags, or None if nobody may go."""
    kind = tags.get("highway", "").removesuffix("_link")
    if kind not in SPEEDS or tags.get("area") == "yes" or tags.get("access") in CLOSED:
        return None
    bike, car = SPEEDS[kind]
    rough = ROUGH.get(tags.get("surface", ""), 1.0)
    if tags.get("bicycle") in CLOSED:
        bike = 0.0
    if CLOSED & {tags.get("motor_vehicle"), tags.get("motorcar"), tags.get("vehicle")}:
        car = 0.0
    walk = 0.0 if kind in {"motorway", "trunk"} or tags.get("foot") in CLOSED else WALK_MPS * 3.6
    both: dict[Mode, float] = {"bike": bike * rough, "car": car * rough, "walk": walk}
    oneway = tags.get("oneway", "")
    if not oneway and (tags.get("junction") in {"roundabout", "circular"} or kind == "motorway"):
        oneway = "yes"
    against: dict[Mode, float] = dict(both)
    if oneway in {"yes", "true", "1", "-1", "reverse"}:
        against["car"] = 0.0
        if tags.get("oneway:bicycle") != "no":
            against["bike"] = 0.0
    return (against, both) if oneway in {"-1", "reverse"} else (both, against)


def _read_ways(pbf_path: Path) -> Ways:
    found = Ways()
    import osmium

    tagged = osmium.filter.KeyFilter("highway")
    for item in osmium.FileProcessor(str(pbf_path)).with_locations().with_filter(tagged):
        if isinstance(item, osmium.osm.Node):
            if item.tags.get("highway") == "traffic_signals":
                found.signals.add(item.id)
        elif isinstance(item, osmium.osm.Way) and "highway" in item.tags:
            speeds = speeds_of({tag.k: tag.v for tag in item.tags})
            if speeds is None:
                continue
            nodes = [node for node in item.nodes if node.location.valid()]
            for node in nodes:
                found.position[node.ref] = (node.lat, node.lon)
            if len(nodes) > 1:
                found.ways.append(Way([node.ref for node in nodes], *speeds))
    for way, places, steps in _steps(found):
        way.nodes[:] = _filled(way.nodes, places, steps, found.position)
    return found


def _steps(found: Ways) -> list[tuple[Way, Floats, list[float]]]:
    """Each way with its places [k, 2] and the k - 1 metres between them: all ways in one sweep of arrays, since ways
    are many and short."""
    places = np.array([found.position[node] for way in found.ways for node in way.nodes]).reshape(-1, 2)
    metres = haversine_m(places[:-1], places[1:]).tolist()
    ends = np.cumsum([0] + [len(way.nodes) for way in found.ways]).tolist()
    cut = zip(found.ways, ends[:-1], ends[1:], strict=True)
    return [(way, places[start:end], metres[start : end - 1]) for way, start, end in cut]


def _filled(
    nodes: list[int], places: Floats, steps: list[float], position: dict[int, tuple[float, float]]
) -> list[int]:
    """The nodes with new ones put in wherever two are further apart than LONGEST_PIECE_M.

    New nodes get negative numbers, which OpenStreetMap's own never are, and are added to `position`.
    """
    filled = nodes[:1]
    for at, metres in enumerate(steps):
        parts = math.ceil(metres / LONGEST_PIECE_M)
        for part in range(1, parts):
            new = -len(position)
            lat, lon = places[at] + (places[at + 1] - places[at]) * (part / parts)
            position[new] = (float(lat), float(lon))
            filled.append(new)
        filled.append(nodes[at + 1])
    return filled


def _pieces(way: Way, shape: Floats, steps: list[float], shared: Counter[int]) -> list[tuple[list[int], Floats, float]]:
    """A way cut at junctions and before LONGEST_PIECE_M is passed: (node numbers, shape [k, 2], metres) each."""
    pieces, start, run = [], 0, 0.0
    for at in range(1, len(way.nodes)):
        run += steps[at - 1]
        last = at == len(way.nodes) - 1
        # A closed piece would be an edge from a node to itself: cut before the ring closes.
        closing = not last and way.nodes[at + 1] == way.nodes[start]
        too_long = not last and run + steps[at] > LONGEST_PIECE_M
        if last or shared[way.nodes[at]] > 1 or closing or too_long:
            pieces.append((way.nodes[start : at + 1], shape[start : at + 1], run))
            start, run = at, 0.0
    return pieces


def _seconds(metres: float, kmh: float, delay: float) -> float:
    return max(metres, 0.2) / (kmh / 3.6) + delay if kmh > 0 else np.inf


def _strongest(
    tails: NDArray[np.int32], heads: NDArray[np.int32], open_: NDArray[np.bool_], n: int
) -> NDArray[np.bool_]:
    """Which of n nodes are in the largest strongly connected component over the open edges."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    links = csr_matrix((np.ones(int(open_.sum())), (tails[open_], heads[open_])), shape=(n, n))  # type: ignore[no-untyped-call]
    _, label = connected_components(links, directed=True, connection="strong")
    return np.asarray(label == np.bincount(label).argmax(), bool)


def read_streets(pbf_path: Path) -> StreetGraph:
    """The street graph of an OpenStreetMap extract (.osm.pbf).

    Keeps what an e-bike or a car may use, drops nodes outside the largest strongly connected component of
    every mode, and marks as `reachable` those inside it for all modes at once. Source of tags: OpenStreetMap
    wiki, "Key:highway", "Key:oneway", "Key:access".
    """
    found = _read_ways(pbf_path)
    shared: Counter[int] = Counter(node for way in found.ways for node in way.nodes)
    shared.update(end for way in found.ways for end in (way.nodes[0], way.nodes[-1]))
    number: dict[int, int] = {}
    tails: list[int] = []
    heads: list[int] = []
    shapes: list[Floats] = []
    lengths: list[float] = []
    taken: dict[Mode, list[float]] = {mode: [] for mode in MODES}
    arms: Counter[int] = Counter()
    cut = [(way, piece) for way, shape, steps in _steps(found) for piece in _pieces(way, shape, steps, shared)]
    for _, (nodes, _shape, _metres) in cut:
        arms.update((nodes[0], nodes[-1]))
    for way, (nodes, shape, metres) in cut:
        for kmh, path, line in ((way.forward, nodes, shape), (way.backward, nodes[::-1], shape[::-1])):
            if not any(kmh.values()):
                continue
            tails.append(number.setdefault(path[0], len(number)))
            heads.append(number.setdefault(path[-1], len(number)))
            shapes.append(line)
            lengths.append(metres)
            # A way's signal may be drawn just before the junction, so every node after the first counts.
            signal = any(node in found.signals for node in path[1:])
            for mode in MODES:
                delay = SIGNAL_S[mode] if signal else JUNCTION_S[mode] if arms[path[-1]] > 2 else 0.0
                taken[mode].append(_seconds(metres, kmh[mode], delay))
    points = np.array([found.position[node] for node in number])
    return _assemble(points, np.array(tails, np.int32), np.array(heads, np.int32), lengths, taken, shapes)


def _assemble(
    points: Floats,
    tails: NDArray[np.int32],
    heads: NDArray[np.int32],
    lengths: list[float],
    taken: dict[Mode, list[float]],
    shapes: list[Floats],
) -> StreetGraph:
    """Trim each mode to its largest strong component, then renumber the nodes that are left."""
    n = len(points)
    seconds = {mode: np.array(taken[mode], np.float32) for mode in MODES}
    strong = {mode: _strongest(tails, heads, np.isfinite(seconds[mode]), n) for mode in MODES}
    for mode in MODES:
        seconds[mode][~(strong[mode][tails] & strong[mode][heads])] = np.inf
    ridden = np.isfinite(seconds["bike"]) | np.isfinite(seconds["car"])
    served = np.zeros(n, bool)
    served[tails[ridden]] = served[heads[ridden]] = True
    # One walks against a one-way street, so an edge that is for walking only stays if both its ends do.
    edges = np.flatnonzero(ridden | (np.isfinite(seconds["walk"]) & served[tails] & served[heads]))
    nodes = np.flatnonzero(served)
    new = np.full(n, -1, np.int32)
    new[nodes] = np.arange(len(nodes), dtype=np.int32)
    kept_shapes = [shapes[edge] for edge in edges]
    # Walking loses some edges here, so what all modes reach is asked again on what is left.
    reachable = np.ones(len(nodes), bool)
    for mode in MODES:
        reachable &= _strongest(new[tails[edges]], new[heads[edges]], np.isfinite(seconds[mode][edges]), len(nodes))
    return StreetGraph(
        points=points[nodes],
        reachable=reachable,
        tails=new[tails[edges]],
        heads=new[heads[edges]],
        length_m=np.array(lengths, np.float32)[edges],
        bike=seconds["bike"][edges],
        car=seconds["car"][edges],
        walk=seconds["walk"][edges],
        shape_from=np.cumsum([0] + [len(shape) for shape in kept_shapes]).astype(np.int32),
        shape=np.concatenate(kept_shapes),
    )
