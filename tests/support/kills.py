"""`kill -9` of what serves while people order and pay; they try again with the same keys."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from highstreet.kernel import ids

from . import shop
from .shop import Shelf
from .stack import Stack, Verdict

PATIENCE = 60.0
CLIENTS = 12


@dataclass
class Seen:
    """What the clients were told. `acknowledged` maps a note of theirs to the order's id."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    asked: int = 0
    retries: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    paid: int = 0


@dataclass(frozen=True)
class Killed:
    """What the database says afterwards, against what was acknowledged."""

    kills: int
    asked: int
    acknowledged: int
    present_once: int
    twice: int
    unasked: int
    paid: int
    captured: int
    retries: dict[str, int]
    refused: dict[str, int]
    recovery: list[float]
    audit: Verdict
    seconds: float

    def __str__(self) -> str:
        slowest = max(self.recovery, default=0.0)
        return (
            f"kills={self.kills} asked={self.asked} acknowledged={self.acknowledged} present once={self.present_once} "
            f"twice={self.twice} unasked={self.unasked} paid={self.paid} captured={self.captured} "
            f"audit={self.audit.code} slowest restart={slowest:.1f} s in {self.seconds:.0f} s "
            f"retries={self.retries} refused={self.refused}"
        )


async def killed(stack: Stack, *, kills: int, seed: int, kill: Callable[[], None] | None = None) -> Killed:
    """`CLIENTS` people order and pay without end while the web server is killed `kills` times at random.

    `kill` kills something else, and returns when it serves again.
    """
    started, source = time.monotonic(), random.Random(seed)
    shelf = shop.only_shelf(stack, 100_000)
    # Nobody picks here: a shop that took its time would have no window left after some hundred orders.
    stack.sql("UPDATE stores_store SET pick_minutes_base = 0, pick_seconds_per_unit = 0")
    seen, over, recovery = Seen(), asyncio.Event(), []
    async with shop.client(stack, seconds=20.0) as http:
        crowd = [asyncio.create_task(_client(stack, http, shelf, number, seen, over)) for number in range(CLIENTS)]
        try:
            for _ in range(kills):
                await asyncio.sleep(source.uniform(1.5, 3.5))
                at = time.monotonic()
                await asyncio.to_thread(kill or partial(stack.restart, "web"))
                recovery.append(time.monotonic() - at)
            await asyncio.sleep(1.5)
        finally:
            over.set()
            await asyncio.gather(*crowd)
    captured = await asyncio.to_thread(stack.eventually, _CAPTURED, seen.paid, PATIENCE)
    rows = stack.sql("SELECT note, count(*) FROM orders_order GROUP BY note")
    times = {str(note): int(count) for note, count in rows}
    verdict = stack.audit()
    return Killed(
        kills,
        seen.asked,
        len(seen.acknowledged),
        sum(times.get(note) == 1 for note in seen.acknowledged),
        sum(count > 1 for count in times.values()),
        len(set(times) - set(seen.acknowledged)),
        seen.paid,
        int(captured),
        dict(seen.retries),
        dict(seen.refused),
        recovery,
        verdict,
        time.monotonic() - started,
    )


_CAPTURED = (
    "SELECT count(*) FROM orders_order o WHERE o.captured = o.total AND o.status = 'confirmed' AND "
    "(SELECT count(*) FROM kernel_journal j WHERE j.cause = o.id AND j.kind = 'payment_captured') = 1"
)


async def _client(
    stack: Stack, http: httpx.AsyncClient, shelf: Shelf, number: int, seen: Seen, over: asyncio.Event
) -> None:
    visit = 0
    while not over.is_set():
        visit += 1
        await _visit(stack, http, shelf, f"c{number}-{visit}", seen)


async def _visit(stack: Stack, http: httpx.AsyncClient, shelf: Shelf, note: str, seen: Seen) -> None:
    """One order from cart to payment, each step tried until it is answered."""

    async def call(method: str, path: str, body: Any, key: str, **rest: Any) -> dict[str, Any] | None:
        headers = {"Idempotency-Key": f"{note}-{key}"} | ({"X-Cart-Key": cart} if cart else {})
        return await _until_answered(seen, lambda: http.request(method, path, json=body, headers=headers, **rest))

    cart = ""
    opened = await call("POST", "/carts", {"city": shop.CITY}, "cart")
    cart = (opened or {}).get("key", "")
    if not cart or await call("PUT", f"/carts/{cart}/lines/{shelf.variant}", {"quantity": 1}, "line") is None:
        return
    wanted = {"cart": cart, "mode": "pickup", "lat": shop.HERE[0], "lon": shop.HERE[1], "store": shelf.store}
    quote = await call("POST", "/quotes", wanted, "quote")
    if quote is None:
        return
    seen.asked += 1
    order = await call(
        "POST",
        "/orders",
        {
            "quote": quote["id"],
            "cart": cart,
            "phone": "13900000000",
            "payment_method": "wechat",
            "substitution": "refund",
            "note": note,
        },
        "order",
    )
    if order is None:
        return
    seen.acknowledged[note] = order["id"]
    assert ids.private("ord", order["id"]) is not None
    asked = await call("POST", f"/orders/{order['id']}/pay", {}, "pay", params={"key": order["key"]})
    if asked is None:
        return
    code = str(asked["code_url"]).partition("pr=")[2]
    async with httpx.AsyncClient(trust_env=False) as phone:
        done = await phone.post(f"{stack.wallet}/wallet/native", params={"pr": code}, data={"answer": "pay"})
    seen.paid += done.status_code == 303


async def _until_answered(seen: Seen, send: Callable[[], Awaitable[httpx.Response]]) -> dict[str, Any] | None:
    """Try again with the same key until there is an answer; None for a refusal, which is counted."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            answer = await send()
        except httpx.TransportError as error:
            seen.retries[type(error).__name__] += 1
        else:
            if answer.status_code < 300:
                body: dict[str, Any] = answer.json()
                return body
            if answer.status_code < 500:
                seen.refused[f"{answer.status_code} {shop.problem_of(answer)}"] += 1
                return None
            polite = answer.status_code != 503 or "Retry-After" in answer.headers
            seen.retries[f"{answer.status_code}{'' if polite else ' without Retry-After'}"] += 1
        if time.monotonic() > deadline:
            seen.refused["no answer"] += 1
            return None
        await asyncio.sleep(0.2)
