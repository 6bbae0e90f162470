"""Asks /livez again and again while a test does its worst, and remembers how long each answer took."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bench.load import Wire

EVERY = 0.1


@dataclass
class Probe:
    """`slow` of `asked` answers took longer than `bar` seconds or did not come; `worst` in seconds."""

    bar: float
    asked: int = 0
    worst: float = 0.0
    failed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"/livez asked {self.asked}, worst {self.worst * 1000:.0f} ms, failed {self.failed[:3]}"


@asynccontextmanager
async def probing(url: str, *, bar: float = 5.0) -> AsyncIterator[Probe]:
    """A fresh connection for each question, as a load balancer or a kubelet asks."""
    probe, over = Probe(bar), asyncio.Event()

    async def ask() -> None:
        while not over.is_set():
            at = time.perf_counter()
            wire = Wire(url)
            try:
                answer = await asyncio.wait_for(wire.ask("GET", "/livez"), bar)
                if answer.status != 200:
                    probe.failed.append(str(answer.status))
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                probe.failed.append(type(error).__name__)
            wire.close()
            probe.asked += 1
            probe.worst = max(probe.worst, time.perf_counter() - at)
            await asyncio.sleep(EVERY)

    task = asyncio.create_task(ask())
    try:
        yield probe
    finally:
        over.set()
        await task
