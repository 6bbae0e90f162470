"""K5: a large table is migrated forward while the shop serves; nobody notices."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import Counter

import psycopg
import pytest
from bench.load import Wire

from highstreet.kernel import ids
from tests.conftest import Add
from tests.support import databases, loops, many, overload
from tests.support.stack import Stack

# What a forgotten session holds a lock for, in seconds: longer than a migration waits for one.
HELD = 3.0


def forward(stack: Stack, orders: int, rate: float, row: Add) -> None:
    with stack:
        many.orders(stack, orders)
        seen, worst, said, shopped, seconds = loops.run(_migrated(stack, rate))
        left = stack.one("SELECT count(*) FROM orders_order WHERE channel IS NULL")
        valid = stack.one("SELECT convalidated FROM pg_constraint WHERE conname = 'order_channel_known'")
        index = stack.one("SELECT indisvalid FROM pg_index WHERE indexrelid = 'order_by_channel'::regclass")
        verdict = stack.audit(many.AUDIT)
    failed = sum(seen.values()) - seen[200] + sum(n for code, n in shopped.items() if not code.startswith("2"))
    row(
        "K5",
        f"five migrations of {orders} orders under {rate:.0f} requests a second",
        n=sum(seen.values()) + sum(shopped.values()),
        accepted=sum(seen.values()) + sum(shopped.values()) - failed,
        refused=f"{failed} failed",
        invariants="hold" if verdict.code == 0 else verdict.broken,
        notes=f"{seconds:.0f} s, slowest answer {worst:.2f} s, tries {' '.join(said.split())}",
    )
    assert failed == 0, (seen, shopped)
    assert "AddField 1" not in said, said
    assert (valid, index) == (True, True)
    # Orders placed by the old code, after the rows were filled, have none yet: its next release gives them one.
    assert left <= shopped["201"]
    assert verdict.code == 0, verdict.text[-2000:]


async def _migrated(stack: Stack, rate: float) -> tuple[Counter[int], float, str, Counter[str], float]:
    """Reads of an order at `rate` and two people who order, from before the first migration to after the last."""
    order, key = stack.sql("SELECT id, key FROM orders_order WHERE number NOT LIKE 'm%%' LIMIT 1")[0]
    path = f"/api/v1/orders/{ids.public('ord', order)}?key={key}"
    seen, took, over = Counter[int](), [0.0], asyncio.Event()
    idle: list[Wire] = []
    running: set[asyncio.Task[None]] = set()

    async def read() -> None:
        wire = idle.pop() if idle else Wire(stack.url)
        at = time.perf_counter()
        seen[(await wire.ask("GET", path)).status] += 1
        took.append(time.perf_counter() - at)
        idle.append(wire)

    async def reading() -> None:
        while not over.is_set():
            task = asyncio.create_task(read())
            running.add(task)
            task.add_done_callback(running.discard)
            await asyncio.sleep(1 / rate)

    readers = asyncio.create_task(reading())
    shopped = asyncio.create_task(overload.shoppers(stack, 2, over))
    holder = asyncio.create_task(asyncio.to_thread(_hold, stack))
    await asyncio.sleep(0.5)
    at = time.monotonic()
    said = await asyncio.to_thread(_forward, stack)
    seconds = time.monotonic() - at
    await holder
    await asyncio.sleep(0.5)
    over.set()
    await readers
    await asyncio.gather(*running)
    return seen, max(took), said, await shopped, seconds


def _hold(stack: Stack) -> None:
    """A session that reads the table and forgets to end: whoever wants to change the table has to wait for it."""
    with psycopg.connect(databases.url_of(stack.database)) as other:
        other.execute("SELECT count(*) FROM (SELECT 1 FROM orders_order LIMIT 1) one")
        # Until the migration has given up once.
        deadline = time.monotonic() + 200
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'orders_order'::regclass"
        while time.monotonic() < deadline and not stack.one(waiting):
            time.sleep(0.05)
        time.sleep(HELD)


def _forward(stack: Stack) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.forward"],
        env=stack.environment,
        cwd=databases.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_table_in_use_is_migrated(row: Add) -> None:
    forward(Stack(["web"]), 1000, 10.0, row)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_million_orders_are_migrated_under_50_requests_a_second(row: Add) -> None:
    forward(Stack(["web"], web_workers=2), many.MANY, 50.0, row)
