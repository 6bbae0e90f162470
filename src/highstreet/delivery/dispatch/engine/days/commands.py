"""`highstreet dispatch bench` and `generate`: no database, no Django. Each returns the exit code."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

POLICIES = ("nearest", "matching", "reyes", "timely")


def bench(arguments: argparse.Namespace) -> int:
    """Exit 1 when a rule was broken, 2 when there are no days."""
    # The policies ask small matrices; threads of the linear algebra would only wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from .bench import compare
    from .instances import BadInstance
    from .simulate import Settings

    try:
        made = compare(
            arguments.folder,
            arguments.policy or POLICIES,
            Settings(arguments.ready, may_move=not arguments.no_moves),
            only=arguments.only,
            logs=arguments.logs,
            workers=arguments.workers,
        )
    except BadInstance as error:
        print(f"highstreet: {error}")
        return 2
    print(made.table)
    return 1 if made.violations else 0


def generate(arguments: argparse.Namespace) -> int:
    from .generate import write

    for folder in write(
        arguments.folder,
        arguments.seed,
        arguments.days,
        orders=arguments.orders,
        shops=arguments.shops,
        couriers=arguments.couriers,
    ):
        print(folder)
    return 0


def declare(add: Callable[..., Any]) -> None:
    """Below `highstreet dispatch`."""
    compare = add("bench", bench, "compare policies on days in MDRPLib's format; exit 1 if a rule is broken")
    compare.add_argument("folder", type=Path, help="one day, or a folder of days")
    compare.add_argument("--policy", action="append", choices=POLICIES, help="default: all")
    compare.add_argument("--ready", choices=("told", "mean"), default="told", help="what is known of ready times")
    compare.add_argument("--no-moves", action="store_true", help="no courier goes anywhere without an order")
    compare.add_argument("--only", default="", help="days with this in their name")
    compare.add_argument("--logs", type=Path, help="write what happened to LOGS/POLICY/DAY.csv")
    compare.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    make = add("generate", generate, "write days of a made-up city in that format")
    make.add_argument("folder", type=Path)
    make.add_argument("--seed", type=int, default=1, help="the city")
    make.add_argument("--days", type=int, default=3)
    make.add_argument("--orders", type=int, default=600, help="a day, more or less")
    make.add_argument("--shops", type=int, default=40)
    make.add_argument("--couriers", type=int, default=40)
