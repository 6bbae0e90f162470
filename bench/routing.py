"""How long the street engine takes on the demo city. Run: `python -m bench.routing`; prints a table.

Each figure is the median of the runs named, in one process on one thread; "first" includes building the matrices.
"""

import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import highstreet
from highstreet.delivery.routing.engine import (
    MapLayers,
    StreetGraph,
    StreetNames,
    read_map,
    read_streets,
    straight_seconds,
    streets_index,
    svg_layers,
)

EXTRACT = Path(highstreet.__file__).parent / "twin" / "cities" / "poa" / "streets.osm.pbf"
SEED = 20


def median_ms(work: Callable[[], object], runs: int) -> tuple[float, int]:
    """The median wall-clock milliseconds of `runs` calls, and the number of runs."""
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1e3)
    return statistics.median(taken), runs


def graph_rows(graph: StreetGraph) -> list[tuple[str, float, int]]:
    """Milliseconds of what is asked of the street graph."""
    rng = np.random.default_rng(SEED)
    places = graph.points[rng.choice(np.flatnonzero(graph.reachable), 400, replace=False)]
    stores, homes, more = places[:8], places[100:200], places[200:300]
    data = graph.to_bytes()

    def first() -> None:
        StreetGraph.from_bytes(data).matrix(stores[:1], homes[:1], "bike")

    return [
        ("graph from bytes, and first answer", *median_ms(first, 5)),
        ("one_to_all, bike", *median_ms(lambda: graph.one_to_all(7, "bike"), 50)),
        ("matrix 100 x 100, bike", *median_ms(lambda: graph.matrix(homes, more, "bike"), 7)),
        ("matrix 8 x 100, bike", *median_ms(lambda: graph.matrix(stores, homes, "bike"), 15)),
        ("matrix 100 x 8, bike", *median_ms(lambda: graph.matrix(homes, stores, "bike"), 15)),
        ("path across town, bike", *median_ms(lambda: graph.path(homes[0], more[0], "bike"), 25)),
        ("nearest, 100 points", *median_ms(lambda: graph.nearest(homes[:, 0], homes[:, 1]), 50)),
        ("straight line 100 x 100", *median_ms(lambda: straight_seconds(homes, more, "bike"), 15)),
    ]


def map_rows(layers: MapLayers, names: StreetNames) -> list[tuple[str, float, int]]:
    """Milliseconds of a map clip with its drawing, and of an address."""
    rows = []
    for degrees, label in ((0.005, "0.5 km"), (0.0156, "1.5 km"), (0.031, "3 km")):
        box = (-30.04 - degrees / 2, -51.21 - degrees / 2, -30.04 + degrees / 2, -51.21 + degrees / 2)

        def draw(box: tuple[float, float, float, float] = box) -> dict[str, str]:
            return svg_layers(layers.clip(box), box, 720)

        size = sum(len(path) for path in draw().values())
        rows.append((f"clip and draw, {label} ({size / 1000:.1f} kB)", *median_ms(draw, 7)))
    rows.append(("find 'rua dos andrdas, 1001'", *median_ms(lambda: names.find("rua dos andrdas, 1001"), 7)))
    return rows


def straight_error(graph: StreetGraph) -> tuple[float, float, float]:
    """Straight-line seconds over street seconds by bike for 200 x 200 random pairs: 5th, 50th, 95th percentile."""
    rng = np.random.default_rng(SEED)
    places = graph.points[rng.choice(np.flatnonzero(graph.reachable), 400, replace=False)]
    streets = graph.matrix(places[:200], places[200:], "bike")
    ratio = np.quantile(straight_seconds(places[:200], places[200:], "bike") / streets, [0.05, 0.5, 0.95])
    return float(ratio[0]), float(ratio[1]), float(ratio[2])


def main() -> None:
    graph, layers, names = read_streets(EXTRACT), read_map(EXTRACT), streets_index(EXTRACT)
    rows = [
        (f"read_streets, {EXTRACT.stat().st_size / 1e6:.1f} MB", *median_ms(lambda: read_streets(EXTRACT), 3)),
        ("read_map", *median_ms(lambda: read_map(EXTRACT), 3)),
        ("streets_index", *median_ms(lambda: streets_index(EXTRACT), 3)),
        *graph_rows(graph),
        *map_rows(layers, names),
    ]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}")
    print(f"{len(graph.points)} nodes, {len(graph.tails)} edges, {graph.reachable.mean():.1%} reachable")
    sizes = {"graph": graph.to_bytes(), "map": layers.to_bytes(), "names": names.to_bytes()}
    print(", ".join(f"{key} {len(data) / 1e6:.2f} MB" for key, data in sizes.items()))
    print(f"| {'what':<42} | {'median ms':>9} | runs |\n|{'-' * 44}|{'-' * 11}|{'-' * 6}|")
    for what, taken, runs in rows:
        print(f"| {what:<42} | {taken:9.1f} | {runs:4d} |")
    low, middle, high = straight_error(graph)
    print(f"straight line / streets, bike: median {middle:.2f}, 5th to 95th percentile {low:.2f} to {high:.2f}")


if __name__ == "__main__":
    main()
