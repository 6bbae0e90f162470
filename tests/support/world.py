"""A small world for trespassers: who can sign in, whose things there are, and what everything looks like."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

from highstreet.kernel import ids

from . import loops, shop
from .shop import Buyer, Shelf
from .stack import Stack

PEOPLE = ("shopper", "shopper2", "courier", "picker", "picker2", "manager", "owner")
# Work lists of the machinery, sessions and log-in counters: not what a request is about.
VOLATILE = ("procrastinate_", "axes_", "django_session", "accounts_apitoken")


@dataclass
class World:
    """`owned` maps a path parameter's name to what it stands for in the victim's order."""

    stack: Stack
    http: httpx.Client
    shelf: Shelf
    victim: Buyer
    tokens: dict[str, str] = field(default_factory=dict)
    owned: dict[str, str] = field(default_factory=dict)

    def send(
        self, method: str, path: str, *, who: str = "", key: str = "", cart: str = "", **rest: Any
    ) -> httpx.Response:
        """One request as `who` ("" for a guest), with a key of its own unless given."""
        headers = {"Idempotency-Key": key or ids.random_token(20), **rest.pop("headers", {})}
        if who:
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        if cart:
            headers["X-Cart-Key"] = cart
        try:
            return self.http.request(method, path, headers=headers, **rest)
        except (httpx.RemoteProtocolError, httpx.ReadError):
            # A refused large body, or the death of a worker, ended its connection; this request was the next on it.
            return self.http.request(method, path, headers=headers, **rest)

    def picture(self) -> dict[str, tuple[int, int]]:
        """Rows and a checksum of the content of every table."""
        names = [
            str(row[0])
            for row in self.stack.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        ]
        wanted = [name for name in names if not name.startswith(VOLATILE)]
        return {
            name: self.stack.sql(
                f'SELECT count(*), COALESCE(SUM(hashtext(t::text)::bigint), 0)::bigint FROM "{name}" t'  # noqa: S608
            )[0]
            for name in wanted
        }


def build(stack: Stack) -> World:
    """Sign everybody in and have a guest place an order to be collected at the shop of `picker`."""
    shelf = shop.only_shelf(stack, 500)

    async def place() -> Buyer:
        async with shop.client(stack) as http:
            buyer = Buyer(http, 77_000_001)
            await buyer.prepare(shelf.variant, 2, store=shelf.store)
            answer = await buyer.place("at_pickup", note="the victim's note")
            assert answer.status_code == 201, answer.text
            return buyer

    http = httpx.Client(base_url=f"{stack.url}/api/v1", timeout=30.0, trust_env=False)
    world = World(stack, http, shelf, loops.run(place()))
    for name in PEOPLE:
        answer = http.post("/sessions", json={"username": name, "password": "demo"})
        assert answer.status_code == 201, answer.text
        world.tokens[name] = answer.json()["token"]
    order_id = ids.private("ord", world.victim.order["id"])
    fulfilment, line = stack.sql(
        "SELECT f.id, l.id FROM fulfilment_fulfilment f JOIN fulfilment_fulfilmentline l ON l.fulfilment_id = f.id "
        "WHERE f.order_id = %s",
        order_id,
    )[0]
    world.owned = {
        "order": world.victim.order["id"],
        "fulfilment": ids.public("ful", fulfilment),
        "line": ids.public("lin", line),
        "variant": shelf.variant,
        "store": shelf.store,
        "provider": "wechat",
        "key": world.victim.cart,
        "quote": world.victim.quote,
        "delivery_id": ids.public("dlv", ids.new_id()),
    }
    return world
