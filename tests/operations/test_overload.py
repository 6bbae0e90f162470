"""L3 and L4: three times what the server can do; what it refuses, in which order, and that it comes back."""

from __future__ import annotations

import asyncio
import re
from collections import Counter

import httpx
import pytest

from tests.conftest import Add
from tests.support import loops, overload, probe
from tests.support.last_units import Race, race
from tests.support.stack import Stack

SEED = 20261126


def overloaded(stack: Stack, seconds: float, row: Add) -> None:
    mix = overload.kinds()
    peak = loops.run(overload.capacity(stack, mix, seconds=max(3.0, seconds / 6), clients=12, seed=SEED))
    alone = loops.run(_orders(stack, max(3.0, seconds / 6)))
    seen, orders, asked = loops.run(_all_at_once(stack, 3 * peak.rate, seconds))
    after = loops.run(overload.capacity(stack, mix, seconds=3.0, clients=4, seed=SEED))
    shed = _shed(stack)
    verdict = stack.audit()
    # An order costs many times a page, so each kind counts by what the server does of it alone.
    pages, bought = seen.good() / seen.seconds, _done(orders) / seen.seconds
    share = pages / peak.rate + bought / alone
    row(
        "L3",
        f"three times the capacity for {seconds:.0f} s, while 4 people order",
        n=sum(len(took) for took in seen.took.values()),
        accepted=f"{pages:.0f} pages/s of {peak.rate:.0f} and {bought:.0f} order steps/s of {alone:.0f}: {share:.0%}",
        refused=f"{seen.refused()}, p50 {seen.refusal_at(0.5) * 1000:.0f} ms, p90 {seen.refusal_at(0.9) * 1000:.0f} ms",
        invariants="hold" if verdict.code == 0 else verdict.broken,
        seed=SEED,
        notes=f"orders {dict(orders)}; {asked}; after: {after.refused()} refused",
    )
    row(
        "L4",
        "who is refused first, by the server's counters",
        n=sum(shed.values()),
        accepted="carts, orders: all",
        refused=dict(shed),
        seed=SEED,
    )
    assert seen.broken() == 0, seen.took.keys()
    assert seen.refused() > 0
    assert seen.impolite == 0
    assert all(code.startswith("2") for code in orders), orders
    assert asked.failed == []
    turned = {
        kind: seen.refused(kind) / max(1, seen.good(kind) + seen.refused(kind)) for kind in ("search", "browsing")
    }
    assert turned["search"] >= turned["browsing"], turned
    assert seen.refused("strangers") > 0
    assert shed["carts"] == shed["orders"] == 0, shed
    assert after.refused() == 0
    assert verdict.code == 0, verdict.broken
    assert share >= 0.8, share
    assert seen.refusal_at(0.9) < 0.2


def _done(orders: Counter[str]) -> int:
    return sum(count for code, count in orders.items() if code.startswith("2"))


async def _orders(stack: Stack, seconds: float) -> float:
    """What four people who do nothing else get done in a second."""
    over = asyncio.Event()
    ordering = asyncio.create_task(overload.shoppers(stack, 4, over))
    await asyncio.sleep(seconds)
    over.set()
    return _done(await ordering) / seconds


async def _all_at_once(stack: Stack, rate: float, seconds: float) -> tuple[overload.Seen, Counter[str], probe.Probe]:
    over = asyncio.Event()
    async with probe.probing(stack.url) as asked:
        ordering = asyncio.create_task(overload.shoppers(stack, 4, over))
        seen = await overload.offered(stack, overload.kinds(), rate=rate, seconds=seconds, seed=SEED)
        over.set()
        orders = await ordering
    return seen, orders, asked


def _shed(stack: Stack) -> Counter[str]:
    text = httpx.get(f"{stack.url}/metrics", trust_env=False, timeout=20).text
    found = re.findall(r'highstreet_shed_total\{class="(\w+)"\} ([\d.e+]+)', text)
    return Counter({name: int(float(value)) for name, value in found})


@pytest.mark.long
def test_a_minute_of_three_times_the_capacity(row: Add) -> None:
    with Stack(["web"], web_workers=2) as stack:
        overloaded(stack, 60.0, row)


@pytest.mark.long
@pytest.mark.parametrize("seed", [11, 12])
def test_500_buyers_on_50_units_with_few_connections(seed: int, row: Add) -> None:
    """More in flight than there are connections: exactly 50, nobody refused while there are some, nothing hangs."""
    with Stack(["web"], web_workers=2, threads=4) as stack:
        result, asked, most = loops.run(_race(stack, seed))
    row(
        "S1",
        "500 buyers at once on 50 units, 8 connections",
        n=500,
        accepted=result.sold,
        refused=result.sold_out,
        invariants="hold" if result.after == 0 else result.broken,
        seed=seed,
        notes=f"at most {most} connections; {asked}",
    )
    assert result.exact, result
    assert asked.failed == [], asked


async def _race(stack: Stack, seed: int) -> tuple[Race, probe.Probe, int]:
    """The race beside which /livez is asked and PostgreSQL's connections are counted."""
    most, over = 0, asyncio.Event()

    async def count() -> None:
        nonlocal most
        while not over.is_set():
            query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = ''"
            most = max(most, int(await asyncio.to_thread(stack.one, query)))
            await asyncio.sleep(0.3)

    async with probe.probing(stack.url) as asked:
        counting = asyncio.create_task(count())
        result = await race(stack, buyers=500, units=50, seed=seed, connections=500)
        over.set()
        await counting
    return result, asked, most
