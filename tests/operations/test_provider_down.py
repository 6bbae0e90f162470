"""K6: the payment provider is down, slow or talks nonsense; the shop goes on, and says so at once where it cannot.

Maps and promises are computed here, and nothing is pushed yet: payment is the only service of others on this path.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.conftest import Add
from tests.support import balancer, loops, probe, shop
from tests.support.stack import Stack

SLOW_SECONDS = 10.0
ENOUGH = 18
GARBAGE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n\xff\xfe{nonsense"


@asynccontextmanager
async def provider(port: int, mode: str) -> AsyncIterator[None]:
    """What stands where the provider should: nothing, one that answers after 10 s, or one that babbles."""
    if mode == "down":
        yield
        return

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            if mode == "slow":
                await asyncio.sleep(SLOW_SECONDS)
            writer.write(GARBAGE)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()


def without_provider(mode: str, seconds: float, row: Add, *, web: Sequence[str] = ("highstreet", "web")) -> None:
    with Stack(["web"], threads=8, web_module=web) as stack:
        seen, pays, took, asked = loops.run(_shopping(stack, mode, seconds))
        verdict = stack.audit()
    placed = seen["201"] / max(1, seen["201"] + sum(n for code, n in seen.items() if code[0] in "45"))
    took.sort()
    late = took[int(len(took) * 0.9)]
    row(
        "K6",
        f"payment provider {mode} for {seconds:.0f} s",
        n=sum(seen.values()) + sum(pays.values()),
        accepted=f"checkout {placed:.1%}",
        refused=f"pay: {dict(pays)}, p50 {took[len(took) // 2] * 1000:.0f} ms, p90 {late * 1000:.0f} ms",
        invariants="hold" if verdict.code == 0 else verdict.broken,
        notes=asked,
    )
    assert placed >= 0.99, seen
    assert set(pays) == {"503 provider_silent"}, pays
    assert took[len(took) // 2] < 1.0, took
    assert asked.failed == []
    assert verdict.code == 0, verdict.broken


async def _shopping(
    stack: Stack, mode: str, seconds: float
) -> tuple[Counter[str], Counter[str], list[float], probe.Probe]:
    """Six people order, every second one to pay by WeChat, and those try to pay at once."""
    shelf = await asyncio.to_thread(shop.bottomless_shelf, stack)
    seen, pays, took = Counter[str](), Counter[str](), list[float]()
    until = time.monotonic() + seconds

    async def one(number: int) -> None:
        async with httpx.AsyncClient(base_url=f"{stack.url}/api/v1", trust_env=False, timeout=60) as http:
            # On a busy machine few get as far as paying in that time: a median needs some.
            while time.monotonic() < until or len(took) < ENOUGH:
                order = await balancer.Watched(http, number, seen).order(shelf, ("at_pickup", "wechat")[number % 2])
                if not order or number % 2 == 0:
                    continue
                for _ in range(3):
                    at = time.perf_counter()
                    paying = balancer.Watched(http, number, pays)
                    await paying.ask("POST", f"/orders/{order['id']}/pay", {}, params={"key": order["key"]})
                    took.append(time.perf_counter() - at)

    async with provider(int(stack.wallet.rpartition(":")[2]), mode), probe.probing(stack.url) as asked:
        await asyncio.gather(*(one(number) for number in range(6)))
    return seen, pays, took, asked


@pytest.mark.long
def test_without_a_breaker_everybody_waits_for_it() -> None:
    """The negative control: a server that never gives the provider up."""
    with pytest.raises(AssertionError, match=r"\[\d"):
        without_provider("slow", 6.0, lambda *told, **figures: None, web=["tests.support.patient"])


@pytest.mark.long
@pytest.mark.parametrize("mode", ["down", "slow", "garbage"])
def test_a_minute_without_the_payment_provider(mode: str, row: Add) -> None:
    without_provider(mode, 60.0, row)
