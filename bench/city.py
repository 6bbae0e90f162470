"""A city of 20,000 orders an hour, dispatched by zones: `python bench/city.py [--orders 20000] [--zones 16 32]`.

A made-up city (its own seed, nobody's data): shops around centres on 24 by 24 km, orders at an even rate, preparation
that differs from what was told, 13 % refusals, couriers who can just do it. Zones are decided one after the other in
one process, as they would be each by its own.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from datetime import date
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / "src")]
os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np  # noqa: E402

from highstreet.delivery.dispatch.engine import POLICIES  # noqa: E402
from highstreet.delivery.dispatch.engine.days.generate import PARAMETERS, PREPARE_SPREAD, REFUSE  # noqa: E402
from highstreet.delivery.dispatch.engine.days.instances import Instance, Rules  # noqa: E402
from highstreet.delivery.dispatch.engine.days.score import score  # noqa: E402
from highstreet.delivery.dispatch.engine.days.simulate import Settings, simulate  # noqa: E402

WIDTH = 24_000.0
CENTRES, SHOPS = 40, 1200
MINUTES = 60
# Orders that a courier ends in an hour here, with what is left over for peaks.
PACE = 2.3


def city(orders: int, seed: int = 7) -> Instance:
    """An hour of orders and half an hour more to end them in."""
    source = np.random.default_rng([seed, 20])
    centres = source.uniform(0.1 * WIDTH, 0.9 * WIDTH, (CENTRES, 2))
    shops = centres[source.integers(0, CENTRES, SHOPS)] + source.normal(0, 900.0, (SHOPS, 2))
    share, mean = source.dirichlet(np.full(SHOPS, 0.8)), source.uniform(8.0, 22.0, SHOPS)
    store = source.choice(SHOPS, orders, p=share)
    placed = np.sort(source.integers(0, MINUTES, orders))
    told = np.ceil(mean[store]).astype(np.int64)
    took = np.ceil(told * source.lognormal(-(PREPARE_SPREAD**2) / 2, PREPARE_SPREAD, orders)).astype(np.int64)
    couriers = round(orders * 60 / MINUTES / PACE)
    home = shops[source.choice(SHOPS, couriers, p=share)] + source.normal(0, 900.0, (couriers, 2))
    return Instance(
        name=f"{orders} orders",
        rules=Rules(*(float(one) for one in PARAMETERS)),
        orders=[f"o{number}" for number in range(orders)],
        stores=[f"r{number}" for number in range(SHOPS)],
        couriers=[f"c{number}" for number in range(couriers)],
        door=(shops[store] + source.normal(0, 1100.0, (orders, 2))).round(),
        shop=shops.round(),
        home=home.round(),
        store=store,
        placed=placed,
        ready=placed + np.maximum(took, 1),
        expected=placed + told,
        refusals=source.geometric(1.0 - REFUSE, orders) - 1,
        on=np.zeros(couriers, np.int64),
        off=np.full(couriers, MINUTES + 120),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--zones", type=int, nargs="+", default=[16, 32, 64])
    arguments = parser.parse_args()
    day = city(arguments.orders)
    print(f"{arguments.orders:,} orders in {MINUTES} minutes, {SHOPS:,} shops, {len(day.couriers):,} couriers")
    heads = ("zones", "click-to-door (90th)", "ready-to-pickup", "within 40 min %", "undelivered %")
    print("| " + " | ".join((*heads, "CPU ms a zone's epoch: mean, p95, max", "CPU s a minute, all zones")) + " |")
    print("|---" * (len(heads) + 2) + "|")
    for zones in arguments.zones:
        started = time.process_time()
        ran = simulate(day, POLICIES["timely"], Settings(may_move=False, zones=zones))
        found, spent = score(day, ran.log), 1000 * np.array(ran.cpu)
        assert not found.violations, found.violations[:3]
        busy = spent[: MINUTES * zones]
        print(
            f"| {zones} | {found.click:.2f} ({found.click90:.1f}) | {found.pickup:.2f} | {found.in_target:.1f} | "
            f"{found.undelivered:.2f} | {busy.mean():.0f}, {np.percentile(busy, 95):.0f}, {busy.max():.0f} | "
            f"{busy.sum() / 1000 / MINUTES:.2f} |",
            flush=True,
        )
        print(f"simulated in {time.process_time() - started:.0f} s of CPU", file=sys.stderr)
    print(
        f"`python bench/city.py --orders {arguments.orders} --zones {' '.join(map(str, arguments.zones))}` · "
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()} · {date.today()}"
    )


if __name__ == "__main__":
    main()
