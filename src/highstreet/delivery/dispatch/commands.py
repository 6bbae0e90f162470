"""`highstreet dispatch bench` and `generate`: no database, no Django. Each returns the exit code."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

# The engine's, by name: whoever only asks for --help is spared its numerics.
POLICIES = ("nearest", "matching", "reyes", "timely", "serving")


def bench(arguments: argparse.Namespace) -> int:
    """Exit 1 when a rule was broken. Raises BadInstance."""
    # The policies ask small matrices; threads of the linear algebra would only wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from .engine.days.bench import compare
    from .engine.days.simulate import Settings

    made = compare(
        arguments.folder,
        arguments.policy or POLICIES,
        Settings(arguments.ready, may_move=not arguments.no_moves),
        only=arguments.only,
        logs=arguments.logs,
        workers=arguments.workers,
    )
    print(made.table)
    return 1 if made.violations else 0


def generate(arguments: argparse.Namespace) -> int:
    from .engine.days.generate import write

    for folder in write(
        arguments.folder,
        arguments.seed,
        arguments.days,
        orders=arguments.orders,
        shops=arguments.shops,
        couriers=arguments.couriers,
        stores=arguments.stores,
    ):
        print(folder)
    return 0


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 0 on")
    return int(text)


def _some(text: str) -> int:
    if not (number := _number(text)):
        raise argparse.ArgumentTypeError("1 at least")
    return number


def declare(add: Callable[..., Any]) -> None:
    """Below `highstreet dispatch`."""
    compare = add("bench", bench, "compare policies on days in MDRPLib's format; exit 1 if a rule is broken")
    compare.add_argument("folder", type=Path, help="one day, or a folder of days")
    compare.add_argument("--policy", action="append", choices=POLICIES, help="default: all")
    compare.add_argument("--ready", choices=("told", "mean"), default="told", help="what is known of ready times")
    compare.add_argument("--no-moves", action="store_true", help="no courier goes anywhere without an order")
    compare.add_argument("--only", default="", help="days with this in their name")
    compare.add_argument("--logs", type=Path, help="write what happened to LOGS/POLICY/DAY.csv")
    compare.add_argument("--workers", type=_some, default=os.cpu_count() or 1)
    make = add("generate", generate, "write days of a made-up city in that format")
    make.add_argument("folder", type=Path)
    make.add_argument("--seed", type=_number, default=1, help="the city")
    make.add_argument("--days", type=_some, default=3)
    make.add_argument("--orders", type=_some, default=600, help="a day, more or less")
    make.add_argument("--shops", type=_some, default=40)
    make.add_argument("--couriers", type=_some, default=70)
    make.add_argument("--stores", type=_some, default=1, help="of so many a bundle may be; 1, as in the format")
