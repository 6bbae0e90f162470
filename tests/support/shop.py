"""Shoppers for tests: they call the public API and remember every answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import httpx

from highstreet.kernel import ids

from .stack import Stack

T = TypeVar("T")
CONNECTIONS = 96
CITY = "porto-alegre"
HERE = (-30.0335, -51.2287)


def client(stack: Stack, *, seconds: float = 120.0, connections: int = CONNECTIONS) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    return httpx.AsyncClient(base_url=f"{stack.url}/api/v1", timeout=seconds, limits=limits, trust_env=False)


async def at_most(count: int, work: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
    """Run coroutines, `count` at a time; results in order."""
    gate = asyncio.Semaphore(count)

    async def one(make: Callable[[], Awaitable[T]]) -> T:
        async with gate:
            return await make()

    return list(await asyncio.gather(*(one(make) for make in work)))


@dataclass
class Tally:
    """Answers counted: `codes` by "status type", `slow` the longest in seconds."""

    codes: Counter[str] = field(default_factory=Counter)

    def add(self, answer: httpx.Response) -> None:
        self.codes[f"{answer.status_code} {problem_of(answer)}".strip()] += 1

    @property
    def accepted(self) -> int:
        return sum(count for code, count in self.codes.items() if code.startswith("2"))

    @property
    def broken(self) -> int:
        return sum(count for code, count in self.codes.items() if code.startswith("5"))


def problem_of(answer: httpx.Response) -> str:
    if answer.status_code < 400:
        return ""
    try:
        body = answer.json()
    except ValueError:
        return "not-json"
    return str(body.get("type", "no-type")) if isinstance(body, dict) else "no-type"


@dataclass
class Buyer:
    """One guest with a cart, a quote and, with luck, an order."""

    http: httpx.AsyncClient
    number: int
    cart: str = ""
    quote: str = ""
    order: dict[str, Any] = field(default_factory=dict)

    def headers(self, key: str) -> dict[str, str]:
        return {"X-Cart-Key": self.cart, "Idempotency-Key": key}

    async def prepare(self, variant: str, quantity: int = 1, *, store: str = "", mode: str = "pickup") -> None:
        """Open a cart, put `quantity` of a variant in, take the quote."""
        opened = await self.http.post("/carts", json={"city": CITY}, headers={"Idempotency-Key": ids.random_token(16)})
        self.cart = _good(opened)["key"]
        line = await self.http.put(
            f"/carts/{self.cart}/lines/{variant}", json={"quantity": quantity}, headers=self.headers("line")
        )
        _good(line)
        wanted: dict[str, Any] = {"cart": self.cart, "mode": mode, "lat": HERE[0], "lon": HERE[1]}
        if mode == "delivery":
            wanted |= {"address": "Rua dos Andradas 100", "unit": "201"}
        if store:
            wanted["store"] = store
        quoted = await self.http.post("/quotes", json=wanted, headers=self.headers("quote"))
        self.quote = _good(quoted)["id"]

    def wish(self, method: str = "at_pickup", note: str = "") -> dict[str, Any]:
        return {
            "quote": self.quote,
            "cart": self.cart,
            "phone": f"139{self.number:08d}",
            "payment_method": method,
            "substitution": "refund",
            "note": note,
        }

    async def place(self, method: str = "at_pickup", *, key: str = "order", note: str = "") -> httpx.Response:
        answer = await self.http.post("/orders", json=self.wish(method, note), headers=self.headers(key))
        if answer.status_code < 300:
            self.order = answer.json()
        return answer


def _good(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code < 300, f"{answer.request.url.path}: {answer.status_code} {answer.text[:300]}"
    body: dict[str, Any] = answer.json()
    return body


@dataclass(frozen=True)
class Shelf:
    """A variant on a store's shelf."""

    store: str
    variant: str
    store_id: UUID
    variant_id: UUID
    level_id: UUID


def only_shelf(stack: Stack, units: int) -> Shelf:
    """A variant of which one store has exactly `units` and the others none; its moves say why."""
    store, variant = stack.sql(
        "SELECT l.store_id, v.variant_id FROM inventory_stocklevel v JOIN inventory_stocklocation l "
        "ON l.id = v.location_id JOIN stores_store s ON s.id = l.store_id "
        "WHERE s.code = 'maua' AND v.on_hand > 10 AND v.held + v.allocated = 0 ORDER BY v.id LIMIT 1"
    )[0]
    level = None
    for level_id, at in stack.sql(
        "SELECT v.id, l.store_id FROM inventory_stocklevel v JOIN inventory_stocklocation l ON l.id = v.location_id "
        "WHERE v.variant_id = %s",
        variant,
    ):
        set_stock(stack, level_id, units if at == store else 0)
        level = level_id if at == store else level
    assert level is not None
    return Shelf(ids.public("str", store), ids.public("var", variant), store, variant, level)


def bottomless_shelf(stack: Stack) -> Shelf:
    """A shelf for a load that no answer should refuse: plenty on it, in a store that picks in no time.

    Else nobody packs, the queue grows over closing time, and then no order can be promised for today.
    """
    shelf = only_shelf(stack, 100_000)
    stack.sql("UPDATE stores_store SET pick_minutes_base = 0, pick_seconds_per_unit = 0 WHERE id = %s", shelf.store_id)
    return shelf


def set_stock(stack: Stack, level_id: UUID, units: int) -> None:
    """Count a shelf: as a stocktake does, the move beside the level."""
    stack.sql(
        "WITH was AS (SELECT id, on_hand FROM inventory_stocklevel WHERE id = %s FOR UPDATE), "
        "now AS (UPDATE inventory_stocklevel s SET on_hand = %s FROM was WHERE s.id = was.id RETURNING s.id) "
        "INSERT INTO inventory_stockmove (id, level_id, kind, delta, after, cause, reason, actor, at) "
        "SELECT gen_random_uuid(), was.id, 'count', %s - was.on_hand, %s, NULL, 'test', 'test', %s FROM was "
        "JOIN now ON now.id = was.id WHERE was.on_hand <> %s",
        level_id,
        units,
        units,
        units,
        stack.now(),
        units,
    )
