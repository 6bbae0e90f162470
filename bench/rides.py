"""Does it pay that one ride collects at two shops, and that more rides along? Days decided as the platform does.

    python bench/rides.py --seeds 2 3 4 --couriers 30 50 --minutes 1 2

The policy is the one that serves (nobody moves without a job); `--minutes` are those at a store and at a door. Every
log is scored from itself alone; a broken rule ends with exit code 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from highstreet.delivery.dispatch.engine import SERVING, STORES
from highstreet.delivery.dispatch.engine.days.generate import write
from highstreet.delivery.dispatch.engine.days.instances import Instance, load
from highstreet.delivery.dispatch.engine.days.score import score
from highstreet.delivery.dispatch.engine.days.simulate import Settings, simulate

HEADS = (
    "couriers",
    "minutes",
    "stores a ride",
    "more rides along",
    "click-to-door (90th)",
    "within 40 min at peak %",
    "undelivered %",
    "cost an order",
    "rides to two shops %",
    "epoch ms: mean, p95",
)


def main() -> int:
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("--seeds", type=int, nargs="+", default=[2, 3, 4])
    told.add_argument("--days", type=int, default=1, help="of each seed's city")
    told.add_argument("--orders", type=int, default=600)
    told.add_argument("--couriers", type=int, nargs="+", default=[30, 50])
    told.add_argument("--minutes", type=float, nargs=2, default=[1.0, 2.0])
    asked = told.parse_args()
    print("| " + " | ".join(HEADS) + " |\n|" + "---|" * len(HEADS), flush=True)
    broken = 0
    with tempfile.TemporaryDirectory() as folder:
        for couriers in asked.couriers:
            days = [
                load(day)
                for seed in asked.seeds
                for day in write(Path(folder) / str(couriers), seed, asked.days, orders=asked.orders, couriers=couriers)
            ]
            for stores, along in ((1, False), (1, True), (STORES, False), (STORES, True)):
                broken += _row(days, couriers, tuple(asked.minutes), stores, along)
    return 1 if broken else 0


def _row(days: list[Instance], couriers: int, minutes: tuple[float, ...], stores: int, along: bool) -> int:
    """Print the means; how many rules were broken."""
    scores, spent, rides = [], [], []
    for day in days:
        rules = replace(day.rules, pickup=minutes[0], dropoff=minutes[1], stores=stores)
        ran = simulate(replace(day, rules=rules), SERVING, Settings(may_move=False, along=along))
        scores.append(score(replace(day, rules=rules), ran.log))
        spent += ran.cpu
        rides += [">" in event[3] for event in ran.log if event[2] == "assign"]
    mean = {
        name: float(np.mean([getattr(one, name) for one in scores]))
        for name in ("click", "click90", "in_target_at_peak", "undelivered", "cost")
    }
    row = (
        str(couriers),
        "+".join(f"{each:g}" for each in minutes),
        str(stores),
        "yes" if along else "no",
        f"{mean['click']:.2f} ({mean['click90']:.1f})",
        f"{mean['in_target_at_peak']:.1f}",
        f"{mean['undelivered']:.2f}",
        f"{mean['cost']:.2f}",
        f"{100 * np.mean(rides):.1f}",
        f"{1000 * np.mean(spent):.1f}, {1000 * np.percentile(spent, 95):.1f}",
    )
    print("| " + " | ".join(row) + " |", flush=True)
    return sum(len(one.violations) for one in scores)


if __name__ == "__main__":
    sys.exit(main())
