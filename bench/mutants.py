"""Mutation tests of what everything rests on (Q1): `python bench/mutants.py [--only NAME] [--most N] …` (`--help`).

Each mutant is one small change of one module (`bench/mutations.py`); the tests of that module must fail. Those that
survive are printed with their line, those that cannot be told from the original stand in `bench/equivalent.py`.

A target is a process: pytest collects and runs the tests once as they are, which tells what functions each of them
calls and how long it takes. Then each mutant is a fork of that warm process, on a copy of the test database: the
functions get the changed code, and the tests that call them run until one fails, those that killed before first. What
is no function's (a default, a decorator, a constant), and whatever survived in a fork, is tried again in a process of
its own over a copy of the tree. The tests must pass without a mutant, before and after, in both ways.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from bench.equivalent import EQUIVALENT  # noqa: E402
from bench.mutations import Mutant, mutants  # noqa: E402
from bench.warm import Cold, Warm  # noqa: E402

KERNEL = ["src/highstreet/kernel/tests"]
HOLDS = [
    *KERNEL,
    "src/highstreet/supply/inventory/tests",
    "src/highstreet/trade/orders/tests",
    "tests/races/test_lock_order.py",
    "tests/races/test_flash.py",
    "tests/races/test_baskets.py",
]
TARGETS = {
    "states": ("src/highstreet/kernel/states.py", [*KERNEL, "tests/contracts/test_states.py"]),
    "ledger": ("src/highstreet/kernel/ledger.py", [*KERNEL, "src/highstreet/web/console/tests/test_pages.py"]),
    "holds": ("src/highstreet/kernel/holds.py", HOLDS),
    "scarcity": ("src/highstreet/kernel/scarcity.py", HOLDS),
    "notification": (
        "src/highstreet/trade/payments/wechat/notification.py",
        ["src/highstreet/trade/payments/wechat/tests"],
    ),
}
PASS = 90


def drawn(name: str, options: argparse.Namespace) -> tuple[list[Mutant], int]:
    """The mutants to try, and how many are left out as equivalent. Raises when one of those is none any more."""
    path, _ = TARGETS[name]
    every = mutants((ROOT / path).read_text())
    known = {(one.text, one.what) for one in every}
    gone = [key for key in EQUIVALENT[name] if key not in known]
    if gone:
        raise SystemExit(f"{name}: bench/equivalent.py names what is no mutant: {gone}")
    found = [one for one in every if (one.text, one.what) not in EQUIVALENT[name]]
    equivalent = len(every) - len(found)
    if options.of:
        found = [one for one in found if options.of in f"{one.line} {one.text} {one.what}"]
    found = [one for one in found if one.line > options.after]
    if options.most:
        found = random.Random(options.seed).sample(found, min(options.most, len(found)))
    return sorted(found, key=lambda one: one.line), equivalent


def target(name: str, options: argparse.Namespace, out: TextIO) -> bool:
    """Try one target's mutants, and print what came of it. Whether enough of them were killed."""
    path, tests = TARGETS[name]
    found, equivalent = drawn(name, options)
    began = time.monotonic()
    warm = Warm(ROOT / path, found, lambda line: print(line, file=out, flush=True) if options.verbose else None)
    warm.run(tests)
    killers = dict(warm.killers)
    if options.quick:
        found = [one for one in found if warm.changed(one)]
    else:
        killers |= _cold(name, warm, [one for one in found if one not in killers])
    alive = [one for one in found if one not in killers]
    share = 100 * (len(found) - len(alive)) / max(1, len(found))
    late = Counter(killers.values())["timeout"]
    print(
        f"{name:<14} {len(found)} mutants, {len(found) - len(alive)} killed ({late} by timeout), {share:.1f} %, "
        f"{equivalent} equivalent left out; {time.monotonic() - began:.0f} s",
        file=out,
        flush=True,
    )
    for one in alive:
        print(f"    survives: {path}:{one.line} {one.what}", file=out, flush=True)
    return share >= PASS


def _cold(name: str, warm: Warm, left: list[Mutant]) -> dict[Mutant, str]:
    """Who is killed of those that are left, and by what, each in a process of its own."""
    path, tests = TARGETS[name]
    cold = Cold(ROOT, path)
    killers = {}
    with tempfile.TemporaryDirectory(prefix="hs-mutants-") as folder:
        for one in [None, *left] if left else []:
            killer = cold.killer(Path(folder), one, warm.calling(one) or tests if one else tests)
            if one is None and killer:
                raise SystemExit(f"{name}: the tests fail without a mutant: {killer}")
            if one is not None:
                warm.told(f"  alone   {one.line} {one.what}: {killer or 'SURVIVES'}")
            if one is not None and killer:
                killers[one] = killer
    return killers


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=int, default=0, help="so many mutants of each file, drawn by the seed")
    parser.add_argument("--only", choices=sorted(TARGETS))
    parser.add_argument("--of", default="", help="only the mutants whose line or change has this text")
    parser.add_argument("--after", type=int, default=0, help="only the mutants behind this line: to go on with")
    parser.add_argument("--quick", action="store_true", help="forks only; what no fork can try is left out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true", help="who killed whom")
    options = parser.parse_args(arguments)
    if options.only:
        # What pytest prints is of no interest here; where it fails without a mutant, the test is named.
        out = os.fdopen(os.dup(1), "w")
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        return 0 if target(options.only, options, out) else 1
    codes = [subprocess.call([sys.executable, __file__, *arguments, "--only", name]) for name in TARGETS]
    return max(codes)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
