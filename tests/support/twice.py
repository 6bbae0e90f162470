"""One request sent more than once: nine ways, on seven changing endpoints, and what each must leave behind (M3).

The ways are those that Zulip tries its idempotent requests in: first, repeated, at once, with another body, at another
endpoint, by somebody else, after a failure, after a crash before the commit and after one behind it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from highstreet.kernel import ids

from . import loops, shop
from .world import World

NEVER_REPEATED = {"token"}


@dataclass(frozen=True)
class Wish:
    """One request: `who` sends it, `effect` counts what it has done, `bad` is a body that the work itself refuses."""

    path: str
    body: dict[str, Any]
    other: dict[str, Any]
    bad: dict[str, Any]
    effect: str
    of: Any
    who: str = ""
    stranger: str = ""
    cart: str = ""
    query: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Tries:
    """A wish with a key of its own, and how often it has been carried out."""

    place: World
    wish: Wish
    key: str = field(default_factory=lambda: ids.random_token(20))

    def send(self, body: dict[str, Any] | None = None, *, stranger: bool = False) -> httpx.Response:
        wish = self.wish
        cart = ids.random_token(32) if stranger else wish.cart
        return self.place.send(
            "POST",
            wish.path,
            who=wish.stranger if stranger else wish.who,
            key=self.key,
            cart=cart,
            json=wish.body if body is None else body,
            params={} if stranger else wish.query,
        )

    def crash(self, when: str) -> None:
        """Send it and see the server die of it. Once, on a connection of its own: one request kills one process."""
        try:
            answer = httpx.post(
                f"{self.place.http.base_url}{self.wish.path.removeprefix('/')}",
                json=self.wish.body,
                params=self.wish.query,
                headers={**self._headers(), "X-Die": when},
                timeout=30.0,
                trust_env=False,
            )
        except httpx.TransportError:
            return
        raise AssertionError(f"answered {answer.status_code}, and should have died")

    def until_answered(self) -> httpx.Response:
        """Again with the same key, as a client does that was not answered.

        A server whose worker dies twice within 5.5 s takes it for a loop and ends; who runs it starts it again.
        """
        deadline = time.monotonic() + 60.0
        while True:
            try:
                return self.send()
            except httpx.TransportError as error:
                assert time.monotonic() < deadline, f"no answer for a minute: {error!r}"
                if self.place.stack.processes["web"].poll() is not None:
                    self.place.stack.restart("web")
                time.sleep(0.1)

    def _headers(self) -> dict[str, str]:
        headers = {"Idempotency-Key": self.key, "X-Cart-Key": self.wish.cart}
        if self.wish.who:
            headers["Authorization"] = f"Bearer {self.place.tokens[self.wish.who]}"
        return headers

    def at_once(self, times: int) -> list[httpx.Response]:
        wish, headers = self.wish, self._headers()

        async def all_of_them() -> list[httpx.Response]:
            async with shop.client(self.place.stack) as http:
                await asyncio.gather(*(http.get("/cities") for _ in range(times)))
                return await asyncio.gather(
                    *(http.post(wish.path, json=wish.body, params=wish.query, headers=headers) for _ in range(times))
                )

        return loops.run(all_of_them())

    @property
    def effects(self) -> int:
        return int(self.place.stack.one(self.wish.effect, self.wish.of))


def told(answer: httpx.Response) -> str:
    """What was answered, in a form that compares; a secret told once is left out."""
    assert answer.status_code < 300, answer.text[:300]
    return json.dumps(
        {name: value for name, value in answer.json().items() if name not in NEVER_REPEATED}, sort_keys=True
    )


def problem(answer: httpx.Response) -> str:
    return f"{answer.status_code} {shop.problem_of(answer)}"


def first(tries: Tries, times: int) -> None:
    assert told(tries.send())
    assert tries.effects == 1


def repeated(tries: Tries, times: int) -> None:
    assert len({told(tries.send()) for _ in range(3)}) == 1
    assert tries.effects == 1


def at_once(tries: Tries, times: int) -> None:
    answers = tries.at_once(times)
    good = [answer for answer in answers if answer.status_code < 300]
    assert {problem(answer) for answer in answers if answer not in good} <= {"409 key_in_flight"}
    assert len({told(answer) for answer in good}) == 1
    assert tries.effects == 1


def another_body(tries: Tries, times: int) -> None:
    was = told(tries.send())
    assert problem(tries.send(tries.wish.other)) == "422 key_reused"
    assert told(tries.send()) == was
    assert tries.effects == 1


def another_endpoint(tries: Tries, times: int) -> None:
    was = told(tries.send())
    cart = tries.place.victim.cart
    line = tries.place.http.put(
        f"/carts/{cart}/lines/{tries.place.shelf.variant}",
        json={"quantity": 3},
        headers={"Idempotency-Key": tries.key, "X-Cart-Key": tries.wish.cart},
    )
    assert told(line) != was
    assert line.json()["key"] == cart
    assert tries.effects == 1


def somebody_else(tries: Tries, times: int) -> None:
    was = told(tries.send())
    theirs = tries.send(stranger=True)
    assert theirs.status_code < 500
    assert theirs.status_code >= 400 or told(theirs) != was
    assert told(tries.send()) == was


def after_a_failure(tries: Tries, times: int) -> None:
    refused = tries.send(tries.wish.bad)
    assert 400 <= refused.status_code < 500, refused.text
    assert tries.effects == 0
    assert told(tries.send()) == told(tries.send())
    assert tries.effects == 1


def died_before(tries: Tries, times: int) -> None:
    tries.crash("before")
    assert tries.effects == 0
    assert told(tries.until_answered()) == told(tries.until_answered())
    assert tries.effects == 1


def died_after(tries: Tries, times: int) -> None:
    tries.crash("after")
    assert tries.effects == 1
    assert told(tries.until_answered()) == told(tries.until_answered())
    assert tries.effects == 1


WAYS: dict[str, Callable[[Tries, int], None]] = {
    way.__name__: way
    for way in (
        first,
        repeated,
        at_once,
        another_body,
        another_endpoint,
        somebody_else,
        after_a_failure,
        died_before,
        died_after,
    )
}


def cart_with(place: World, quantity: int) -> str:
    body = {"city": shop.CITY, "lines": [{"variant": place.shelf.variant, "quantity": quantity}]}
    opened = place.send("POST", "/carts", json=body)
    assert opened.status_code == 201, opened.text
    return str(opened.json()["key"])


def wish_quote(place: World) -> Wish:
    cart = cart_with(place, 1)
    body = {"cart": cart, "mode": "pickup", "lat": shop.HERE[0], "lon": shop.HERE[1], "store": place.shelf.store}
    count = "SELECT count(*) FROM orders_quote q JOIN cart_cart c ON c.id = q.cart_id WHERE c.key = %s"
    return Wish("/quotes", body, {**body, "unit": "2"}, {**body, "unit": "\u202e"}, count, cart, cart=cart)


def wish_order(place: World) -> Wish:
    quote = wish_quote(place)
    made = place.send("POST", "/quotes", cart=quote.cart, json=quote.body)
    assert made.status_code == 201, made.text
    body = {"quote": made.json()["id"], "cart": quote.cart, "phone": "13900000000", "payment_method": "at_pickup"}
    count = (
        "SELECT count(*) FROM orders_order o JOIN orders_quote q ON q.id = o.quote_id "
        "JOIN cart_cart c ON c.id = q.cart_id WHERE c.key = %s"
    )
    bad = {**body, "phone": "none"}
    return Wish("/orders", body, {**body, "note": "other"}, bad, count, quote.cart, cart=quote.cart)


def wish_now(place: World) -> Wish:
    note = ids.random_token(12)
    body = {
        "lines": [{"variant": place.shelf.variant, "quantity": 1}],
        "mode": "pickup",
        "store": place.shelf.store,
        "city": shop.CITY,
        "lat": shop.HERE[0],
        "lon": shop.HERE[1],
        "phone": "13900000000",
        "payment_method": "at_pickup",
        "most_total": 10**9,
        "latest": "2099-01-01T00:00:00+00:00",
        "note": note,
    }
    count = "SELECT count(*) FROM orders_order WHERE note = %s"
    bad = {**body, "phone": "none"}
    return Wish("/checkout", body, {**body, "unit": "2"}, bad, count, note, who="shopper", stranger="shopper2")


def wish_cancel(place: World) -> Wish:
    wish = wish_order(place)
    placed = place.send("POST", "/orders", cart=wish.cart, json=wish.body).json()
    return Wish(
        f"/orders/{placed['id']}/cancel",
        {"reason": "changed_mind"},
        {"reason": "other"},
        {"reason": "changed_mind", "refund": 1},
        "SELECT count(*) FROM kernel_statechange WHERE subject = %s AND machine = 'order' AND now = 'cancelled'",
        ids.private("ord", placed["id"]),
        cart=wish.cart,
        query={"key": placed["key"]},
    )


def wish_key(place: World) -> Wish:
    name = ids.random_token(12)
    body = {"name": name, "scopes": ["fulfilment.read"]}
    count = "SELECT count(*) FROM partners_apikey WHERE name = %s"
    other, bad = {**body, "days": 3}, {**body, "scopes": ["everything"]}
    return Wish("/partners/keys", body, other, bad, count, name, who="owner", stranger="manager")


def _picking(place: World) -> tuple[str, Any]:
    """An order of five that is being picked: its fulfilment and its line."""
    wish = wish_order(place)
    place.send("PUT", f"/carts/{wish.cart}/lines/{place.shelf.variant}", cart=wish.cart, json={"quantity": 5})
    body = {"cart": wish.cart, "mode": "pickup", "lat": shop.HERE[0], "lon": shop.HERE[1], "store": place.shelf.store}
    quote = place.send("POST", "/quotes", cart=wish.cart, json=body).json()["id"]
    placed = place.send("POST", "/orders", cart=wish.cart, json={**wish.body, "quote": quote})
    assert placed.status_code == 201, placed.text
    found, line = place.stack.sql(
        "SELECT f.id, l.id FROM fulfilment_fulfilment f JOIN fulfilment_fulfilmentline l ON l.fulfilment_id = f.id "
        "WHERE f.order_id = %s",
        ids.private("ord", placed.json()["id"]),
    )[0]
    path = f"/fulfilments/{ids.public('ful', found)}"
    for step in ("accept", "start"):
        done = place.send("POST", f"{path}/{step}", who="owner")
        assert done.status_code == 200, done.text
    return path, line


def wish_scan(place: World) -> Wish:
    path, line = _picking(place)
    code = str(place.stack.one("SELECT barcode FROM catalog_variant WHERE id = %s", place.shelf.variant_id))
    count = "SELECT picked FROM fulfilment_fulfilmentline WHERE id = %s"
    body = {"code": code, "units": 1}
    other, bad = {"code": code, "units": 2}, {"code": "0000000000000", "units": 1}
    return Wish(f"{path}/scan", body, other, bad, count, line, who="owner", stranger="shopper")


def wish_short(place: World) -> Wish:
    path, line = _picking(place)
    count = "SELECT short FROM fulfilment_fulfilmentline WHERE id = %s"
    body = {"line": ids.public("lin", line), "units": 1}
    other, bad = {**body, "units": 2}, {**body, "units": 99}
    return Wish(f"{path}/short", body, other, bad, count, line, who="owner", stranger="shopper")


ENDPOINTS: dict[str, Callable[[World], Wish]] = {
    "quotes": wish_quote,
    "orders": wish_order,
    "checkout": wish_now,
    "cancel": wish_cancel,
    "keys": wish_key,
    "scan": wish_scan,
    "short": wish_short,
}
