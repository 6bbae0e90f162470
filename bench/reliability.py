"""The first table of docs/reliability.md, by the same scenarios as the tests: `python bench/reliability.py [NAME …]`.

Names: races control same-key forged replays wrong late kills. Everything runs on the real processes.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "highstreet.settings")

import django  # noqa: E402
from tests.support import databases  # noqa: E402

databases.server_url()
django.setup()


from tests.support import notices, unguarded  # noqa: E402
from tests.support.kills import killed  # noqa: E402
from tests.support.last_units import race, same_key  # noqa: E402
from tests.support.late import late_payments  # noqa: E402
from tests.support.stack import Stack  # noqa: E402

Row = tuple[str, str, bool]


def races() -> Iterator[Row]:
    for seed in (1, 2, 3):
        with Stack(["web"], web_workers=2) as stack:
            result = asyncio.run(race(stack, buyers=500, units=50, seed=seed))
        yield f"500 buyers on 50 units, run {seed}", str(result), result.exact


def control() -> Iterator[Row]:
    with Stack(["web"], web_workers=2, web_module=["tests.support.unguarded"]) as stack:
        unguarded.drop_constraint(stack)
        result = asyncio.run(race(stack, buyers=500, units=50, seed=1))
    yield "the same without the guard (must fail)", str(result), result.sold > result.units and result.after == 1


def one_key() -> Iterator[Row]:
    with Stack(["web"], web_workers=2) as stack:
        tally, orders, bodies, other = asyncio.run(same_key(stack, times=50))
    words = f"orders={orders} answers={dict(tally.codes)} distinct={len(bodies)} another body: {other}"
    yield "one key sent 50 times at once", words, orders == len(bodies) == 1 and other == "422 key_reused"


def forged() -> Iterator[Row]:
    with Stack(["web", "worker"]) as stack:
        due = asyncio.run(notices.unpaid_orders(stack, 1))[0]
        outcome = asyncio.run(notices.send(stack, notices.forged(stack, due, per_kind=20, seed=1)))
    fine = outcome.answers.accepted == outcome.answers.broken == 0 and outcome.after == outcome.before
    yield "forged notifications", str(outcome), fine


def replays() -> Iterator[Row]:
    with Stack(["web", "worker"]) as stack:
        dues = asyncio.run(notices.unpaid_orders(stack, 10))
        letters = [notices.genuine(stack, notices.paid(stack, due)) for due in dues]
        outcome = asyncio.run(notices.send(stack, letters * 100))
        verdict = stack.audit()
    booked = outcome.after.captures - outcome.before.captures
    yield "1,000 replays of 10 payments", f"{outcome} audit={verdict.code}", booked == 10 and verdict.code == 0


def wrong() -> Iterator[Row]:
    with Stack(["web", "worker"]) as stack:
        dues = asyncio.run(notices.unpaid_orders(stack, 21))
        pairs = itertools.pairwise(dues)
        letters = [letter for due, other in pairs for letter in notices.wrong(stack, due, other)]
        outcome = asyncio.run(notices.send(stack, letters))
        verdict = stack.audit()
    alerts = outcome.after.alerts - outcome.before.alerts
    fine = outcome.after.paid == outcome.before.paid and alerts == len(letters) and verdict.code == 0
    yield "genuine and wrong, 10 kinds", f"{outcome} audit={verdict.code}", fine


def late() -> Iterator[Row]:
    result = asyncio.run(late_payments(50, speed=15.0))
    fine = result.fulfilled + result.refunded == 50 and result.expired_first == 50 and result.audit.code == 0
    yield "payments after the expiry", str(result), fine


def kills() -> Iterator[Row]:
    with Stack(["web", "worker", "sandbox"]) as stack:
        result = asyncio.run(killed(stack, kills=10, seed=1))
    fine = (
        result.present_once == result.acknowledged
        and result.twice == result.unasked == 0
        and result.captured == result.paid
        and result.audit.code == 0
    )
    yield "kill -9 of the web server", str(result), fine


ALL: dict[str, Callable[[], Iterator[Row]]] = {
    "races": races,
    "control": control,
    "same-key": one_key,
    "forged": forged,
    "replays": replays,
    "wrong": wrong,
    "late": late,
    "kills": kills,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; known: {', '.join(ALL)}", file=sys.stderr)
        return 2
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    print(f"command  python bench/reliability.py {' '.join(names)}".rstrip())
    print(
        f"machine  {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, commit {commit.stdout.strip() or 'unknown'}"
    )
    print(f"date     {datetime.now(tz=UTC):%Y-%m-%d %H:%M} UTC\n", flush=True)
    good = True
    for name in names or list(ALL):
        started = time.monotonic()
        try:
            for what, words, fine in ALL[name]():
                good &= fine
                print(f"{'holds ' if fine else 'BROKEN'}  {what}\n        {words}", flush=True)
        except Exception as error:
            good = False
            print(f"BROKEN  {name}: {type(error).__name__}: {str(error)[:1500]}", flush=True)
        print(f"        ({time.monotonic() - started:.0f} s with start and stop)", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
