"""Days of made-up cities in MDRPLib's format, for tests and for whoever has no data: `highstreet dispatch generate`.

Nothing of any real city is in them. A city is drawn once from its seed, its days from seed and number: homes around a
few centres, shops in the middle of things, a demand with two peaks, preparation that is slower when a shop is busy and
never exactly as was told, couriers on shifts, some of whom refuse.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .instances import Floats, Ints

DAY = 14 * 60
# Metres a minute, minutes at store and door, target and most minutes, pay an order and guaranteed an hour (yuan).
PARAMETERS = (250, 4, 4, 40, 90, 7, 18)
REFUSE = 0.13
PREPARE_SPREAD = 0.35
PEAKS = ((2.5 * 60, 50.0, 0.35), (8.5 * 60, 70.0, 0.45))
SHIFTS = ((0, 300), (90, 330), (120, 420), (240, 600), (390, 690), (420, 660), (450, 780), (540, 840))


@dataclass(frozen=True)
class City:
    """What stays from day to day. Metres; minutes; `share` of each shop in the orders."""

    shops: Floats
    share: Floats
    mean: Floats
    centres: Floats


def city(seed: int, shops: int, width: float = 6000.0) -> City:
    source = np.random.default_rng([seed, 1])
    centres = source.uniform(0.25 * width, 0.75 * width, (3, 2))
    share = source.dirichlet(np.full(shops, 0.8))
    return City(
        shops=centres[source.integers(0, 3, shops)] + source.normal(0, 0.08 * width, (shops, 2)),
        share=share,
        mean=source.uniform(8.0, 22.0, shops),
        centres=centres,
    )


def write(
    folder: Path, seed: int, days: int, *, orders: int = 600, shops: int = 40, couriers: int = 70, stores: int = 1
) -> list[Path]:
    """Write `days` days of one city below `folder`, as city-SEED-day-N. The same numbers give the same files.

    `stores`: of so many a bundle may be; with more than one the days are no longer MDRPLib's.
    """
    drawn = city(seed, shops)
    made = [_day(folder / f"city-{seed}-day-{day}", drawn, seed, day, orders, couriers) for day in range(1, days + 1)]
    for day in made if stores > 1 else ():
        _table(day / "rides.txt", ("stores",), [(stores,)])
    return made


def _day(folder: Path, drawn: City, seed: int, day: int, orders: int, couriers: int) -> Path:
    source = np.random.default_rng([seed, 2, day])
    # No two days have the same demand.
    count = int(source.poisson(orders * source.uniform(0.85, 1.15)))
    placed = _placed(source, count)
    store = source.choice(len(drawn.share), count, p=drawn.share)
    told, ready = _prepared(source, drawn, placed, store)
    door = drawn.shops[store] + source.normal(0, 1100.0, (count, 2))
    home = drawn.centres[source.integers(0, 3, couriers)] + source.normal(0, 900.0, (couriers, 2))
    shift = np.array(SHIFTS)[source.integers(0, len(SHIFTS), couriers)]
    refusals = source.geometric(1.0 - REFUSE, count) - 1
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"o{number + 1}" for number in range(count)]
    _table(
        folder / "orders.txt",
        ("order", "x", "y", "placement_time", "restaurant", "ready_time"),
        zip(names, *door.round().astype(int).T, placed, [f"r{one + 1}" for one in store], ready, strict=True),
    )
    _table(
        folder / "restaurants.txt",
        ("restaurant", "x", "y"),
        ((f"r{row + 1}", *point) for row, point in enumerate(drawn.shops.round().astype(int).tolist())),
    )
    _table(
        folder / "couriers.txt",
        ("courier", "x", "y", "on_time", "off_time"),
        ((f"c{row + 1}", *home[row].round().astype(int), *shift[row]) for row in range(couriers)),
    )
    _table(
        folder / "instance_parameters.txt",
        (
            "meters_per_minute",
            "pickup_service_minutes",
            "dropoff_service_minutes",
            "target_click_to_door",
            "maximum_click_to_door",
            "pay_per_order",
            "guaranteed_pay_per_hour",
        ),
        [PARAMETERS],
    )
    _table(
        folder / "hazards.txt", ("order", "expected_ready_time", "refusals"), zip(names, told, refusals, strict=True)
    )
    return folder


def _placed(source: np.random.Generator, count: int) -> Ints:
    """Minutes of placement, sorted: two peaks over an even rest."""
    chances = [share for _, _, share in PEAKS]
    kind = source.choice(len(PEAKS) + 1, count, p=[*chances, 1.0 - sum(chances)])
    at = source.uniform(0, DAY - 60, count)
    for number, (middle, width, _) in enumerate(PEAKS):
        at = np.where(kind == number, source.normal(middle, width, count), at)
    return np.sort(np.clip(at, 0, DAY - 60)).astype(np.int64)


def _prepared(source: np.random.Generator, drawn: City, placed: Ints, store: Ints) -> tuple[Ints, Ints]:
    """When each shop says it is ready, and when it is: slower by what was ordered there in the 15 minutes before."""
    load = np.array(
        [((store[:row] == store[row]) & (placed[:row] > placed[row] - 15)).sum() for row in range(len(store))]
    )
    told = drawn.mean[store] + 1.5 * np.minimum(load, 8)
    took = told * source.lognormal(-(PREPARE_SPREAD**2) / 2, PREPARE_SPREAD, len(store))
    return placed + np.ceil(told).astype(np.int64), placed + np.maximum(1, np.ceil(took)).astype(np.int64)


def _table(path: Path, heads: Sequence[str], rows: Any) -> None:
    with path.open("w", newline="") as file:
        out = csv.writer(file, delimiter="\t", lineterminator="\n")
        out.writerow(heads)
        out.writerows(rows)
