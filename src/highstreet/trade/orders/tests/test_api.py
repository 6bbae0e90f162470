"""The same over HTTP: what bodies may hold, what is refused in which words, what a repeat gets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from highstreet.kernel import ids, outbox
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.trade.fulfilment import actions as fulfilment
from highstreet.trade.orders.models import Order

from .support import NOON, PHONE, Town, clean_audit, package, pick


@dataclass
class Shopper:
    """A guest with a client; `send` makes a fresh Idempotency-Key unless given one."""

    town: Town
    http: Client = field(default_factory=lambda: Client(raise_request_exception=False))
    sent: int = 0

    def send(self, method: str, path: str, body: object = None, *, key: str = "", raw: bytes = b"") -> Any:
        self.sent += 1
        headers = {"Idempotency-Key": key or f"{id(self):022}-{self.sent}", "Accept-Language": "en"}
        data = raw or json.dumps(body if body is not None else {}).encode()
        return self.http.generic(method, f"/api/v1{path}", data, "application/json", headers=headers)

    def get(self, path: str) -> Any:
        return self.http.get(f"/api/v1{path}", headers={"Accept-Language": "en"})

    def cart(self, *quantities: int) -> str:
        opened = self.send("POST", "/carts", {"city": "poa"})
        assert opened.status_code == 201, opened.content
        key: str = opened.json()["key"]
        for variant, quantity in zip(self.town.variants, quantities, strict=False):
            answer = self.send("PUT", f"/carts/{key}/lines/{ids.public('var', variant)}", {"quantity": quantity})
            assert answer.status_code == 200, answer.content
        return key

    def quote(self, cart: str) -> dict[str, Any]:
        answer = self.send("POST", "/quotes", self.wish(cart))
        assert answer.status_code == 201, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def wish(self, cart: str) -> dict[str, Any]:
        return {"cart": cart, "mode": "delivery", "lat": self.town.lat, "lon": self.town.lon, "address": "Rua 1"}

    def order(self, *quantities: int) -> dict[str, Any]:
        cart = self.cart(*quantities)
        answer = self.send("POST", "/orders", {"quote": self.quote(cart)["id"], "cart": cart, "phone": PHONE})
        assert answer.status_code == 201, answer.content
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
def shopper(town: Town) -> Shopper:
    return Shopper(town)


def problem(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["type"]) == (status, code), answer.content
    assert answer.json()["title"]
    assert answer["Content-Type"].startswith("application/problem+json")


def test_a_guest_orders_and_follows(shopper: Shopper) -> None:
    placed = shopper.order(2, 1)
    path = f"/orders/{placed['id']}"
    problem(shopper.get(path), 404, "not_found")
    problem(shopper.get(f"{path}?key={'0' * 32}"), 404, "not_found")
    order = shopper.get(f"{path}?key={placed['key']}").json()
    assert (order["status"], order["total"], order["can_cancel"]) == ("pending", 2970, True)
    assert [line["quantity"] for line in order["lines"]] == [2, 1]
    problem(shopper.send("POST", f"{path}/cancel"), 404, "not_found")
    cancelled = shopper.send("POST", f"{path}/cancel?key={placed['key']}", {"reason": "late"})
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    problem(shopper.send("POST", f"{path}/cancel?key={placed['key']}"), 409, "wrong_state")


def test_an_answer_is_not_repeated_to_who_cannot_see_the_order(shopper: Shopper) -> None:
    placed = shopper.order(1)
    path, body = f"/orders/{placed['id']}/cancel", {"reason": "x"}
    first, again = (shopper.send("POST", f"{path}?key={placed['key']}", body, key="1") for _ in range(2))
    assert (first.status_code, again.json()) == (200, first.json())
    problem(Shopper(shopper.town).send("POST", path, body, key="1"), 404, "not_found")


def test_a_quote_is_seen_with_its_carts_key_only(shopper: Shopper) -> None:
    cart = shopper.cart(1)
    quote = shopper.quote(cart)
    seen = shopper.get(f"/quotes/{quote['id']}?cart={cart}").json()
    assert {name: seen[name] for name in ("id", "total", "lines", "store")} == {
        name: quote[name] for name in ("id", "total", "lines", "store")
    }
    for other in ("", "x", shopper.cart(1)):
        problem(shopper.get(f"/quotes/{quote['id']}?cart={other}"), 404, "not_found")


def test_the_same_key_is_one_order_and_another_body_is_refused(shopper: Shopper) -> None:
    cart = shopper.cart(1)
    body = {"quote": shopper.quote(cart)["id"], "cart": cart, "phone": PHONE}
    first, second = (shopper.send("POST", "/orders", body, key="same") for _ in range(2))
    assert (first.status_code, first.json()) == (201, second.json())
    problem(shopper.send("POST", "/orders", body | {"note": "x"}, key="same"), 422, "key_reused")
    assert Order.objects.count() == 1


@pytest.mark.parametrize("quantity", [-1, 100, 10**18, 1.5, "1", True, None, [1], "1e3"])
def test_odd_quantities_are_refused(shopper: Shopper, quantity: object) -> None:
    cart = shopper.cart()
    variant = ids.public("var", shopper.town.variants[0])
    problem(shopper.send("PUT", f"/carts/{cart}/lines/{variant}", {"quantity": quantity}), 422, "invalid")
    assert shopper.get(f"/carts/{cart}").json()["count"] == 0


def test_a_stale_cart_is_refused(shopper: Shopper) -> None:
    cart = shopper.cart(1)
    variant = ids.public("var", shopper.town.variants[0])
    problem(shopper.send("PUT", f"/carts/{cart}/lines/{variant}", {"quantity": 2, "version": 0}), 409, "cart_changed")
    quote = shopper.quote(cart)
    shopper.send("PUT", f"/carts/{cart}/lines/{variant}", {"quantity": 3})
    body = {"quote": quote["id"], "cart": cart, "phone": PHONE}
    problem(shopper.send("POST", "/orders", body), 409, "cart_changed")


@pytest.mark.parametrize(
    "extra",
    [
        {"price": 1},
        {"total": 1},
        {"goods_total": 0},
        {"delivery_fee": 0},
        {"currency": "USD"},
        {"customer": "cus_x"},
        {"customer_id": "1"},
        {"status": "confirmed"},
        {"payment_status": "paid"},
        {"lines": []},
        {"store_id": "x"},
    ],
)
def test_what_a_body_may_not_say_is_refused(shopper: Shopper, extra: dict[str, Any]) -> None:
    cart = shopper.cart(1)
    problem(shopper.send("POST", "/quotes", shopper.wish(cart) | extra), 422, "invalid")
    body = {"quote": shopper.quote(cart)["id"], "cart": cart, "phone": PHONE}
    problem(shopper.send("POST", "/orders", body | extra), 422, "invalid")
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    "odd",
    [
        {"lat": "1"},
        {"lat": 91},
        {"lat": True},
        {"mode": "drone"},
        {"mode": None},
        {"address": "a\x00"},
        {"address": "\ud800"},
        {"address": "a" * 161},
        {"unit": 7},
        {"cart": 7},
    ],
)
def test_odd_quotes_are_refused(shopper: Shopper, odd: dict[str, Any]) -> None:
    answer = shopper.send("POST", "/quotes", shopper.wish(shopper.cart(1)) | odd)
    assert answer.status_code == 422, answer.content
    assert answer.json()["title"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"quote": NaN}',
        b"\xff\xfe",
        b'{"cart":"\\ud800"}',
        b'{"cart":"\\u0000"}',
        b'{"quote":"ord_00000000000000000000000000","cart":"","phone":"13800001111"}',
    ],
)
def test_odd_bodies_are_never_our_fault(shopper: Shopper, raw: bytes) -> None:
    for path in ("/carts", "/quotes", "/orders"):
        answer = shopper.http.generic(
            "POST", f"/api/v1{path}", raw, "application/json", headers={"Idempotency-Key": f"{path}{raw!r}"[:80]}
        )
        assert 400 <= answer.status_code < 500 or (path, raw) == ("/carts", b"{}"), (path, raw, answer.content)


def test_a_foreign_id_anywhere_is_not_found(shopper: Shopper) -> None:
    other = Shopper(shopper.town)
    theirs = other.order(1)
    cart, other_cart = shopper.cart(1), other.cart(1)
    mine, foreign = shopper.quote(cart), other.quote(other_cart)
    body = {"quote": mine["id"], "cart": cart, "phone": PHONE}
    problem(shopper.send("POST", "/orders", body | {"quote": foreign["id"]}), 404, "not_found")
    problem(shopper.send("POST", "/orders", body | {"quote": theirs["id"]}), 404, "not_found")
    problem(shopper.send("POST", "/orders", body | {"quote": "quo_0"}), 404, "not_found")
    problem(shopper.send("POST", "/orders", body | {"cart": other_cart}), 404, "not_found")
    ours = shopper.order(1)
    wrong = f"/orders/{theirs['id']}"
    for path in ("cancel", f"substitutes/{ids.public('lin', ids.new_id())}", "review", "pay"):
        sent: dict[str, Any] = {"review": {"stars": 5}, "pay": {}, "cancel": {}}.get(path, {"agreed": True})
        problem(shopper.send("POST", f"{wrong}/{path}?key={ours['key']}", sent), 404, "not_found")
    line = ids.public("lin", ids.new_id())
    problem(
        shopper.send("POST", f"/orders/{ours['id']}/substitutes/{line}?key={ours['key']}", {"agreed": True}),
        404,
        "not_found",
    )


def test_own_orders_need_a_sign_in(shopper: Shopper) -> None:
    problem(shopper.get("/orders"), 401, "not_signed_in")


def test_a_completed_order_is_rated_once(shopper: Shopper) -> None:
    from highstreet.trade.orders.actions import Placed
    from highstreet.trade.orders.models import Order

    from .support import pay

    answer = shopper.order(1)
    row = Order.objects.get(key=answer["key"])
    private = ids.private("int", answer["intent"])
    assert private is not None
    placed = Placed(row.pk, row.key, row.number, row.status, private)
    path = f"/orders/{answer['id']}/review?key={answer['key']}"
    problem(shopper.send("POST", path, {"stars": 5}), 409, "not_completed")
    pay(placed)
    pick(shopper.town, placed)
    fulfilment.hand_over(actor=THE_SYSTEM, fulfilment_id=package(placed).id)
    fulfilment.deliver(actor=THE_SYSTEM, fulfilment_id=package(placed).id)
    outbox.drain()
    for odd in (0, 6, 4.5, "5", True, 10**18):
        problem(shopper.send("POST", path, {"stars": odd}), 422, "invalid")
    assert shopper.send("POST", path, {"stars": 4, "text": "fresh"}).status_code == 201
    problem(shopper.send("POST", path, {"stars": 1}), 409, "already_rated")


def test_a_missing_key_is_asked_for(shopper: Shopper) -> None:
    answer = shopper.http.post("/api/v1/quotes", shopper.wish(shopper.cart(1)), "application/json")
    problem(answer, 422, "key_missing")


def now(town: Town, *quantities: int, **more: object) -> dict[str, object]:
    """The body of an order in one step that agrees to anything, changed by `more`."""
    lines = [
        {"variant": ids.public("var", variant), "quantity": quantity}
        for variant, quantity in zip(town.variants, quantities, strict=False)
        if quantity
    ]
    place = {"lat": town.lat, "lon": town.lon, "address": "Rua 1"}
    agreed = {"most_total": 10**9, "latest": (NOON + timedelta(hours=6)).isoformat()}
    return {"city": "poa", "lines": lines, "mode": "delivery", "phone": PHONE, **place, **agreed, **more}


def test_an_order_in_one_step_is_what_a_quote_and_its_checkout_make(shopper: Shopper) -> None:
    town = shopper.town
    quoted = shopper.quote(shopper.cart(2, 1))
    answer = shopper.send("POST", "/checkout", now(town, 2, 1, most_total=quoted["total"]))
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["total"], made["store"], made["status"]) == (quoted["total"], quoted["store"], "pending")
    assert made["promised_to"][:16] == quoted["promised_to"][:16]
    assert town.level(0).held == 2
    seen = shopper.get(f"/orders/{made['id']}?key={made['key']}").json()
    assert [line["quantity"] for line in seen["lines"]] == [2, 1]
    clean_audit()


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"most_total": 1}, 409, "costs_more"),
        ({"latest": (NOON + timedelta(minutes=5)).isoformat()}, 409, "promised_later"),
        ({"latest": "noon"}, 422, "invalid"),
        ({"latest": "2026-03-04T12:00:00"}, 422, "invalid"),
        ({"total": 1}, 422, ""),
        ({"lines": []}, 422, ""),
        ({"payment_method": "at_pickup"}, 422, "pay_at_pickup_only"),
        ({"lines": [{"variant": ids.public("var", ids.new_id()), "quantity": 1}]}, 404, "not_sold"),
    ],
)
def test_an_order_in_one_step_refuses_what_was_not_agreed_to(
    shopper: Shopper, more: dict[str, object], status: int, code: str
) -> None:
    answer = shopper.send("POST", "/checkout", now(shopper.town, 1, **more))
    assert answer.status_code == status, answer.content
    assert code in answer.json().get("type", "")
    assert Order.objects.count() == 0
    assert shopper.town.level(0).held == 0


def test_a_guest_repeats_an_order_in_one_step_by_a_key_nobody_guesses(shopper: Shopper) -> None:
    body = now(shopper.town, 1)
    assert shopper.send("POST", "/checkout", body, key="short").status_code == 422
    first, again = (shopper.send("POST", "/checkout", body, key="k" * 22) for _ in range(2))
    assert first.json() == again.json()
    assert Order.objects.count() == 1
