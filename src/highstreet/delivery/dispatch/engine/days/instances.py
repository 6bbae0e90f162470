"""One day in MDRPLib's format: four tab-separated files of whole minutes and metres, and one more of ours.

`hazards.txt` (optional; order, expected_ready_time, refusals) holds what the format lacks: when the shop said that the
order would be ready, and how many couriers refuse it first. `rides.txt` (optional; stores) says of how many stores a
bundle may be: of one without it, as in the format.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
FILES = ("orders.txt", "restaurants.txt", "couriers.txt", "instance_parameters.txt")


class BadInstance(ValueError):
    """A folder that is not an instance, in one line."""


@dataclass(frozen=True)
class Rules:
    """Metres a minute, minutes of service at store and door, the target and the most minutes from click to door, and
    pay: an order, and guaranteed an hour. `stores`: of so many a bundle may be."""

    speed: float
    pickup: float
    dropoff: float
    target: float
    most: float
    per_order: float
    per_hour: float
    stores: int = field(default=1, kw_only=True)


@dataclass(frozen=True, eq=False)
class Instance:
    """Ids in the files' order; every array is by that order. Minutes since the day began.

    `due`: when each order was promised; where there is none, `rules.target` after it was placed. `pace`: by how much
    longer each courier rides than `rules.speed` says; nobody does where there is none.
    """

    name: str
    rules: Rules
    orders: list[str]
    stores: list[str]
    couriers: list[str]
    door: Floats
    shop: Floats
    home: Floats
    store: Ints
    placed: Ints
    ready: Ints
    expected: Ints
    refusals: Ints
    on: Ints
    off: Ints
    due: Floats | None = None
    pace: Floats | None = None

    @property
    def promised(self) -> Floats:
        return np.asarray(self.placed + self.rules.target, np.float64) if self.due is None else self.due


def find(folder: Path) -> list[Path]:
    """The instance at `folder`, or those right below it, by name."""
    if (folder / FILES[0]).exists():
        return [folder]
    found = sorted(path.parent for path in folder.glob(f"*/{FILES[0]}"))
    if not found:
        raise BadInstance(f"{folder}: no instance here ({FILES[0]} is missing)")
    return found


def load(folder: Path) -> Instance:
    """Read one instance; BadInstance says which file and line."""
    orders, stores, couriers, parameters = (_rows(folder / file) for file in FILES)
    names = [row[0] for row in stores]
    index = {name: number for number, name in enumerate(names)}
    hazards = {row[0]: row for row in _optional(folder / "hazards.txt")}
    rides = _optional(folder / "rides.txt")
    try:
        ready = _whole([row[5] for row in orders])
        return Instance(
            name=folder.name,
            rules=Rules(*(float(value) for value in parameters[0][:7]), stores=int(rides[0][0]) if rides else 1),
            orders=[row[0] for row in orders],
            stores=names,
            couriers=[row[0] for row in couriers],
            door=_points(orders),
            shop=_points(stores),
            home=_points(couriers),
            store=np.array([index[row[4]] for row in orders], np.int64),
            placed=_whole([row[3] for row in orders]),
            ready=ready,
            expected=_whole([hazards[row[0]][1] if row[0] in hazards else row[5] for row in orders]),
            refusals=_whole([hazards[row[0]][2] if row[0] in hazards else "0" for row in orders]),
            on=_whole([row[3] for row in couriers]),
            off=_whole([row[4] for row in couriers]),
        )
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise BadInstance(f"{folder}: {error!r}") from error


def minutes(here: Floats, there: Floats, speed: float) -> Ints:
    """Whole minutes of each straight line [A, B], rounded up."""
    apart = np.hypot(here[:, None, 0] - there[None, :, 0], here[:, None, 1] - there[None, :, 1])
    return np.ceil(apart / speed - 1e-12).astype(np.int64)


def _rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return [row for row in list(csv.reader(file, delimiter="\t"))[1:] if row and row[0]]


def _optional(path: Path) -> list[list[str]]:
    return _rows(path) if path.exists() else []


def _points(rows: list[list[str]]) -> Floats:
    return np.array([(float(row[1]), float(row[2])) for row in rows], float).reshape(-1, 2)


def _whole(values: list[str]) -> Ints:
    return np.array([int(float(value)) for value in values], np.int64)
