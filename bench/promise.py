"""Promises on simulated days whose preparation times nobody knows: kept shares on cities never seen.

    python bench/promise.py shared/data/mdrplib

Each day of MDRPLib is dispatched by `timely`, which knows each shop's mean preparation only. For every seed (a city)
the quantiles are learned from the other seeds' days and set right online on its own (`delivery/promise/engine`); what
is used at an order's placement is what a platform would know then. Beside it: a flat 30 and 40 minutes, and the static
quantile of (the shop's mean so far + ride) of the other seeds. Undelivered orders are broken promises.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / "src")]
os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from highstreet.delivery.dispatch.engine import POLICIES  # noqa: E402
from highstreet.delivery.dispatch.engine.days.instances import find, load, minutes  # noqa: E402
from highstreet.delivery.dispatch.engine.days.simulate import Settings as Known  # noqa: E402
from highstreet.delivery.dispatch.engine.days.simulate import simulate  # noqa: E402
from highstreet.delivery.promise.engine.conformal import SETTINGS, owed, threshold  # noqa: E402
from highstreet.delivery.promise.engine.regression import fit  # noqa: E402

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
QUANTILES = (50, 80, 90)
WARM_MINUTES = 120
LATE = 5.0

USUAL_PREP, SHOP_BELIEF, CITY_BELIEF = 12.0, 4.0, 20.0


@dataclass(frozen=True, eq=False)
class Day:
    """A simulated day; orders by placement. `took`: minutes from click to door, infinite where nobody came."""

    name: str
    placed: Floats
    took: Floats
    known: Floats

    @property
    def seed(self) -> str:
        return self.name[0]


def lived(folder: Path) -> Day:
    """Simulate a day and keep of each order what was known when it was placed, and how long it took."""
    it = load(folder)
    log = simulate(it, POLICIES["timely"], Known("mean")).log
    number = {name: place for place, name in enumerate(it.orders)}
    done = np.full(len(it.orders), np.inf)
    for at, _, what, _, ids in log:
        if what == "dropoff":
            done[[number[one] for one in ids]] = at
    by = np.argsort(it.placed, kind="stable")
    ride = minutes(it.door, it.shop, it.rules.speed)[np.arange(len(it.orders)), it.store].astype(float)
    placed, ready = it.placed.astype(float), it.ready.astype(float)
    on, off = it.on.astype(float), it.off.astype(float)
    rows = []
    for order in by.tolist():
        now = placed[order]
        open_orders = float(((placed < now) & (done > now)).sum())
        working = max(float(((on <= now) & (off > now)).sum()), 1.0)
        soon = max(float(((on <= now + 30) & (off > now + 30)).sum()), 1.0)
        rows.append((_prep(ready - placed, ready, it.store, order, now), ride[order], open_orders, working, soon))
    return Day(it.name, placed[by], (done - placed)[by], np.array(rows))


def _prep(took: Floats, ready: Floats, store: Ints, order: int, now: float) -> float:
    """The shop's mean preparation by what it has packed so far, drawn to the city's, and that to a usual one."""
    seen = ready <= now
    city = (took[seen].sum() + CITY_BELIEF * USUAL_PREP) / (seen.sum() + CITY_BELIEF)
    own = seen & (store == store[order])
    return float((took[own].sum() + SHOP_BELIEF * city) / (own.sum() + SHOP_BELIEF))


def features(known: Floats) -> Floats:
    """What a promise is a linear function of: preparation, ride, orders under way a courier now and in half an hour
    (steeper from one each on), and how sparse couriers are."""
    prep, ride, under_way, working, soon = known.T
    now, later = np.minimum(under_way / working, 4.0), np.minimum(under_way / soon, 4.0)
    busy = [now, np.maximum(now - 1.0, 0.0), later, np.maximum(later - 1.0, 0.0)]
    return np.column_stack([np.ones(len(known)), prep, ride, *busy, 1.0 / np.sqrt(working)])


@dataclass(frozen=True, eq=False)
class Model:
    """Learned from other cities: coefficients by quantile, their scores, and the static residuals by quantile."""

    weights: Floats
    scores: Floats
    residuals: Floats

    def middle(self, known: Floats) -> tuple[Floats, Floats]:
        """The median and the spread (from there to the 90th percentile; 4 minutes at least)."""
        told = np.sort(features(known) @ self.weights.T, axis=1)
        return told[:, 0], np.maximum(told[:, -1] - told[:, 0], 4.0)


def learned(days: Sequence[Day]) -> Model:
    known, took = np.vstack([day.known for day in days]), np.concatenate([day.took for day in days])
    weights = np.array([fit(features(known), took, quantile / 100) for quantile in QUANTILES])
    over = np.minimum(took, 1e6) - known[:, 0] - known[:, 1]
    model = Model(weights, np.zeros(0), np.quantile(over, np.array(QUANTILES) / 100))
    middle, spread = model.middle(known)
    scores = np.quantile((np.minimum(took, 300.0) - middle) / spread, (np.arange(40) + 0.5) / 40)
    return Model(weights, scores, model.residuals)


def quoted(day: Day, model: Model) -> Floats:
    """Minutes [n, quantiles] as they would have been told, one order after the other, never decreasing by quantile."""
    middle, spread = model.middle(day.known)
    told = np.zeros((len(day.placed), len(QUANTILES)))
    for number, now in enumerate(day.placed):
        seen = np.flatnonzero(day.placed[:number] < now)
        age = now - day.placed[seen]
        ended = day.took[seen] <= age
        values = (np.where(ended, day.took[seen], age) - middle[seen]) / spread[seen]
        for column, quantile in enumerate(QUANTILES):
            late = told[seen, column] < np.minimum(day.took[seen], age)
            decided = np.flatnonzero(ended | late)
            since = age[decided] - np.where(late, told[seen, column], day.took[seen])[decided]
            remembered = decided[np.argsort(since, kind="stable")[: SETTINGS.memory]]
            debt = owed(late[remembered], quantile / 100)
            score = threshold(values, ended, age, debt, quantile, model.scores)
            told[number, column] = max(middle[number] + score * spread[number], 1.0)
        told[number] = np.maximum.accumulate(told[number])
    return told


@dataclass(frozen=True, eq=False)
class Told:
    """One way of promising on one day after its first two hours: minutes told and taken [n, quantiles], [n]."""

    seed: str
    day: str
    minutes: Floats
    took: Floats

    @property
    def kept(self) -> Floats:
        return np.asarray(100 * (self.took[:, None] <= self.minutes).mean(axis=0))


def judged(day: Day, model: Model) -> dict[str, Told]:
    later = day.placed >= day.placed.min() + WARM_MINUTES
    static = (day.known[:, 0] + day.known[:, 1])[:, None] + model.residuals[None, :]
    unset = np.sort(features(day.known) @ model.weights.T, axis=1)
    ways = {"online": quoted(day, model), "learned elsewhere": unset, "static quantile": static}
    ways |= {f"flat {flat}": np.full((len(day.placed), len(QUANTILES)), float(flat)) for flat in (30, 40)}
    return {way: Told(day.seed, day.name, told[later], day.took[later]) for way, told in ways.items()}


def _cells(values: Floats, digits: int = 1) -> str:
    return " / ".join(f"{value:.{digits}f}" for value in values)


def table(told: Sequence[Told]) -> tuple[str, str, str]:
    """Of several days: kept % by quantile, mean minutes told, share more than 5 minutes late."""
    minutes_told, took = np.vstack([one.minutes for one in told]), np.concatenate([one.took for one in told])
    kept = 100 * (took[:, None] <= minutes_told).mean(axis=0)
    late = 100 * (took[:, None] > minutes_told + LATE).mean(axis=0)
    return _cells(kept), _cells(minutes_told.mean(axis=0)), _cells(late)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    with ProcessPoolExecutor(arguments.workers) as pool:
        days = list(pool.map(lived, find(arguments.folder)))
        seeds = sorted({day.seed for day in days})
        models = dict(
            zip(seeds, pool.map(learned, [[d for d in days if d.seed != seed] for seed in seeds]), strict=True)
        )
        ways = list(pool.map(judged, days, [models[day.seed] for day in days]))
    print(f"| unseen seed | way | kept % at {_cells(np.array(QUANTILES), 0)} | minutes told | > 5 min late % |")
    print("|---|---|---|---|---|")
    for seed in [*seeds, "2, 3, 4", "all"]:
        chosen = [one for one in ways if seed == "all" or one["online"].seed in seed]
        for way in chosen[0]:
            print(f"| {seed} | {way} | {' | '.join(table([one[way] for one in chosen]))} |")
    off = np.abs(np.array([one["online"].kept for one in ways]) - np.array(QUANTILES))
    print(
        f"\nOnline, by single day: mean distance from its quantile {_cells(off.mean(axis=0))} points; within 2 points "
        f"{_cells(100 * (off <= 2).mean(axis=0), 0)} % of {len(ways)} days."
    )
    print(
        f"`python bench/promise.py {arguments.folder.name}` · {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()} · {date.today()}"
    )


if __name__ == "__main__":
    main()
