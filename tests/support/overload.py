"""More than a server can do: clients that come at a rate, whatever the answers, and what became of them by class."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx
from bench.load import Wire

from . import balancer, shop
from .stack import Stack

CONNECTIONS = 150


@dataclass
class Seen:
    """`took` in seconds by (class, status); what was refused says when to come again, or is counted in `impolite`."""

    took: dict[tuple[str, int], list[float]] = field(default_factory=lambda: defaultdict(list))
    impolite: int = 0
    skipped: int = 0
    seconds: float = 0.0

    def good(self, kind: str = "") -> int:
        return sum(len(took) for (name, status), took in self.took.items() if status < 400 and kind in ("", name))

    def refused(self, kind: str = "") -> int:
        return sum(
            len(took) for (name, status), took in self.took.items() if status in (429, 503) and kind in ("", name)
        )

    def broken(self) -> int:
        return sum(len(took) for (_, status), took in self.took.items() if status >= 500 and status != 503)

    @property
    def rate(self) -> float:
        return self.good() / self.seconds

    def refusal_at(self, share: float) -> float:
        """The time within which that share of the refusals came, in seconds."""
        took = sorted(one for (_, status), many in self.took.items() if status in (429, 503) for one in many)
        return took[min(int(len(took) * share), len(took) - 1)] if took else 0.0


@dataclass(frozen=True)
class Kind:
    """`weight` of all requests are of this class and ask for `path`."""

    name: str
    path: str
    weight: float


def kinds() -> list[Kind]:
    return [
        Kind("search", "/search?q=a", 0.3),
        Kind("browsing", "/browse", 0.5),
        Kind("browsing", "/api/v1/cities", 0.2),
        # Who has no orders here and looks at them all the same.
        Kind("strangers", "/orders", 0.3),
    ]


async def capacity(stack: Stack, mix: Sequence[Kind], *, seconds: float, clients: int, seed: int) -> Seen:
    """Closed loop: as many as `clients` keep asking, each waiting for its answer."""
    seen, source = Seen(), random.Random(seed)
    until = time.perf_counter() + seconds

    async def client() -> None:
        wire = Wire(stack.url)
        while time.perf_counter() < until:
            await _ask(wire, _drawn(mix, source), seen)

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    seen.seconds = time.perf_counter() - started
    return seen


def level(part: float) -> float:
    """As many at every moment."""
    return 1.0


async def offered(
    stack: Stack,
    mix: Sequence[Kind],
    *,
    rate: float,
    seconds: float,
    seed: int,
    share: Callable[[float], float] = level,
) -> Seen:
    """Open loop: `rate` requests a second are sent, on as many as `CONNECTIONS`; beyond that they are `skipped`.

    `share` of that rate once a part of the time (0 to 1) is over.
    """
    seen, source = Seen(), random.Random(seed)
    idle = [Wire(stack.url) for _ in range(CONNECTIONS)]
    running: set[asyncio.Task[None]] = set()

    async def one(wire: Wire) -> None:
        await _ask(wire, _drawn(mix, source), seen)
        idle.append(wire)

    started = time.perf_counter()
    sent, due, before = 0, 0.0, 0.0
    while (now := time.perf_counter() - started) < seconds:
        due += (now - before) * rate * share(now / seconds)
        before = now
        while sent < due:
            sent += 1
            if not idle:
                seen.skipped += 1
                continue
            task = asyncio.create_task(one(idle.pop()))
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.sleep(0.005)
    seen.seconds = time.perf_counter() - started
    await asyncio.gather(*running)
    return seen


def _drawn(mix: Sequence[Kind], source: random.Random) -> Kind:
    return source.choices(mix, [kind.weight for kind in mix])[0]


async def _ask(wire: Wire, kind: Kind, seen: Seen) -> None:
    at = time.perf_counter()
    try:
        answer = await wire.ask("GET", kind.path)
    except (OSError, asyncio.IncompleteReadError):
        wire.close()
        seen.took[kind.name, 599].append(time.perf_counter() - at)
        return
    seen.took[kind.name, answer.status].append(time.perf_counter() - at)
    if answer.status in (429, 503) and "retry-after" not in answer.headers:
        seen.impolite += 1


async def shoppers(stack: Stack, count: int, over: asyncio.Event) -> Counter[str]:
    """People who order one after the other until `over`; every answer they get."""
    shelf = shop.bottomless_shelf(stack)
    seen: Counter[str] = Counter()

    async def one(number: int) -> None:
        async with httpx.AsyncClient(base_url=f"{stack.url}/api/v1", trust_env=False, timeout=60) as http:
            while not over.is_set():
                await balancer.Watched(http, number, seen).order(shelf)

    await asyncio.gather(*(one(number) for number in range(count)))
    return seen
