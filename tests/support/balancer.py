"""A very small load balancer, as a transport of httpx: round robin over the servers whose /readyz says 200."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from highstreet.kernel import ids

from . import shop

EVERY = 0.1


class Balancer:
    """Asks each server's /readyz all the time; a request goes to the next that was ready when last asked.

    A connection that is refused was never a request: the next server gets it. Nothing else is tried again.
    """

    def __init__(self, servers: Sequence[str]) -> None:
        self.servers = list(servers)
        self.ready = set(self.servers)
        self._turn = itertools.count()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _watch(self) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=2.0) as http:
            while True:
                for server in self.servers:
                    try:
                        good = (await http.get(f"{server}/readyz")).status_code == 200
                    except httpx.TransportError:
                        good = False
                    (self.ready.add if good else self.ready.discard)(server)
                await asyncio.sleep(EVERY)

    def transport(self) -> httpx.AsyncBaseTransport:
        return _Balanced(self)

    def order(self) -> list[str]:
        """The servers to try: the ready ones, beginning with the one whose turn it is."""
        ready = [server for server in self.servers if server in self.ready] or self.servers
        start = next(self._turn) % len(ready)
        return ready[start:] + ready[:start]


class _Balanced(httpx.AsyncBaseTransport):
    def __init__(self, balancer: Balancer) -> None:
        self._balancer = balancer
        self._inner = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_keepalive_connections=20))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        last: httpx.ConnectError | None = None
        for server in self._balancer.order():
            target = httpx.URL(server)
            url = request.url.copy_with(scheme="http", host=target.host, port=target.port)
            headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"host"]
            headers.append((b"Host", f"{target.host}:{target.port}".encode()))
            sent = httpx.Request(request.method, url, headers=headers, stream=request.stream)
            try:
                return await self._inner.handle_async_request(sent)
            except httpx.ConnectError as error:
                last = error
        raise last or httpx.ConnectError("no server")

    async def aclose(self) -> None:
        await self._inner.aclose()


@dataclass
class Watched:
    """A shopper whose every answer is counted in `seen`, by status or by the error that came instead.

    With `tries` above 1, who gets no answer, or 503, asks again with the same key.
    """

    http: httpx.AsyncClient
    number: int
    seen: Counter[str]
    note: str = ""
    tries: int = 1

    async def order(self, shelf: shop.Shelf, method: str = "at_pickup") -> dict[str, Any]:
        """Cart, line, quote, order. Returns the order, empty if a step failed."""
        opened = await self.ask("POST", "/carts", {"city": shop.CITY})
        cart = opened.get("key", "")
        if not cart or not await self.ask("PUT", f"/carts/{cart}/lines/{shelf.variant}", {"quantity": 1}, cart):
            return {}
        wanted = {"cart": cart, "mode": "pickup", "lat": shop.HERE[0], "lon": shop.HERE[1], "store": shelf.store}
        quote = await self.ask("POST", "/quotes", wanted, cart)
        if not quote:
            return {}
        buyer = shop.Buyer(self.http, self.number, cart, quote["id"])
        return await self.ask("POST", "/orders", buyer.wish(method, self.note), cart)

    async def ask(self, method: str, path: str, body: Any, cart: str = "", **rest: Any) -> dict[str, Any]:
        headers = {"Idempotency-Key": ids.random_token(16)} | ({"X-Cart-Key": cart} if cart else {})
        for attempt in range(self.tries):
            try:
                answer = await self.http.request(method, path, json=body, headers=headers, **rest)
            except httpx.TransportError as error:
                self.seen[type(error).__name__] += 1
            else:
                if answer.status_code != 503 or attempt == self.tries - 1:
                    self.seen[f"{answer.status_code} {shop.problem_of(answer)}".strip()] += 1
                    found: dict[str, Any] = answer.json() if answer.status_code < 300 else {}
                    return found
            await asyncio.sleep(0.2)
        return {}
