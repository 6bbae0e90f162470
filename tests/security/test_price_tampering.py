"""M5: requests that would like another price; whatever becomes an order costs what the server reckons."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import pytest
from django.test import Client

from highstreet.kernel import ids
from highstreet.supply.catalog.models import Listing
from highstreet.supply.stores.models import Store
from highstreet.trade.orders.models import Order, OrderLine
from highstreet.trade.orders.tests.support import Town
from tests.conftest import Add
from tests.support import crowd

SEED = 20261126
FEE = 500
MONEY = ("price", "unit_price", "total", "goods_total", "amount", "amount_due", "discount", "delivery_fee", "currency")
ODD = (0, -1, 1, 10**18, 1.5, "1", None, True, [1], {"a": 1}, "CNY", "USD")


@pytest.fixture
def town(db: None) -> Iterator[Town]:
    with crowd.town() as made:
        crowd.shelve(made, *[5000] * 5)
        yield made


@dataclass
class Shopper:
    """A guest who sends what the API takes, and what it should not take, and goes on if it did."""

    town: Town
    dice: random.Random
    http: Client = field(default_factory=lambda: Client(raise_request_exception=False))
    cart: str = ""
    answers: Counter[int] = field(default_factory=Counter)

    def send(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer's body, or that of the honest request when this one was refused: the thief is patient."""
        headers = {"X-Cart-Key": self.cart, "Idempotency-Key": ids.random_token(16)}
        answer = self.http.generic(
            method, f"/api/v1{path}", json.dumps(body).encode(), "application/json", headers=headers
        )
        self.answers[answer.status_code] += 1
        assert answer.status_code < 500, (path, body, answer.content[:300])
        found: dict[str, Any] = json.loads(answer.content)
        return found if answer.status_code < 300 else {}

    def tampered(self, body: dict[str, Any]) -> dict[str, Any]:
        """`body` with a field of money added, or one of its own fields made odd."""
        name = self.dice.choice([*MONEY, *body])
        return {**body, name: self.dice.choice(ODD)}

    def either(self, method: str, path: str, body: dict[str, Any], where: bool) -> dict[str, Any]:
        return (self.send(method, path, self.tampered(body)) if where else {}) or self.send(method, path, body)

    def buy(self) -> str:
        """One visit, tampered with in one place. Returns the order's public id, "" when none came of it."""
        place = self.dice.choice(["cart", "line", "quote", "order", "other store", "stale", "foreign quote"])
        self.cart = ""
        self.cart = self.either("POST", "/carts", {"city": "poa"}, place == "cart")["key"]
        variants = self.town.variants[:2]
        for variant in variants:
            path = f"/carts/{self.cart}/lines/{ids.public('var', variant)}"
            self.either("PUT", path, {"quantity": self.dice.randint(1, 3)}, place == "line")
        if place == "other store":
            hidden = f"/carts/{self.cart}/lines/{ids.public('var', self.town.variants[4])}"
            self.send("PUT", hidden, {"quantity": 1})
        wanted: dict[str, Any] = {
            "cart": self.cart,
            "mode": self.dice.choice(["pickup", "delivery"]),
            "address": "Rua 1",
        }
        wanted |= {"lat": self.town.lat, "lon": self.town.lon, "store": ids.public("str", self.town.stores[0])}
        quote = self.either("POST", "/quotes", wanted, place == "quote").get("id", "quo_")
        if place == "stale":
            self.send("PUT", f"/carts/{self.cart}/lines/{ids.public('var', variants[0])}", {"quantity": 9})
        if place == "foreign quote":
            mine, self.cart = self.cart, self.send("POST", "/carts", {"city": "poa"})["key"]
            assert mine != self.cart
        wish = {"quote": quote, "cart": self.cart, "phone": "13800001111", "payment_method": "wechat"}
        return str(self.either("POST", "/orders", wish, place == "order").get("id", ""))


def reckoned(order: Order) -> int:
    """What its lines cost by the store's list, with the fee; -1 where the store does not list one."""
    prices = dict(Listing.objects.filter(store_id=order.store_id).values_list("variant_id", "price"))
    lines = list(OrderLine.objects.filter(order=order))
    if any(line.variant_id not in prices for line in lines):
        return -1
    goods = sum(prices[line.variant_id] * line.quantity for line in lines)
    terms = import_module("highstreet.supply.organisations.reads").terms(order.organisation_id)
    return goods + (terms.delivery_fee if order.mode == "delivery" and goods < terms.free_delivery_from else 0)


def differing(town: Town, visits: int) -> tuple[list[str], int, Shopper]:
    """The orders whose total is not what the server reckons or not what is in the cart; how many orders there are."""
    Listing.objects.filter(store_id=town.stores[0], variant_id=town.variants[4]).delete()
    assert Store.objects.count() == 3
    shopper, wrong = Shopper(town, random.Random(SEED)), []
    for _ in range(visits):
        public = shopper.buy()
        if not public:
            continue
        order = Order.objects.get(pk=ids.private("ord", public) or "")
        if order.total != reckoned(order) or any(line.quantity > 3 for line in OrderLine.objects.filter(order=order)):
            wrong.append(f"{order.number}: {order.total}, reckoned {reckoned(order)}")
    return wrong, Order.objects.count(), shopper


@pytest.mark.parametrize("visits", [40, pytest.param(300, marks=pytest.mark.long)])
def test_no_order_costs_what_its_shopper_said(town: Town, row: Add, visits: int) -> None:
    wrong, orders, shopper = differing(town, visits)
    refused = sum(count for code, count in shopper.answers.items() if code >= 400)
    row(
        "M5",
        "visits with a tampered price, total, currency, quantity, store, cart or quote",
        n=visits,
        accepted=orders,
        refused=refused,
        invariants=crowd.invariants(),
        seed=SEED,
        notes=f"orders with another total than reckoned: {len(wrong)}; 5xx 0",
    )
    assert wrong == []
    assert orders and refused
    assert crowd.broken() == []


def test_a_server_that_adds_what_it_is_told_is_found_out(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the total of an order is what its writer likes."""
    module: Any = import_module("highstreet.trade.orders.steps.quoting")
    basket = module.pricing.basket

    def cheaper(*arguments: Any) -> Any:
        from dataclasses import replace

        # In itself it adds up, so the table's own constraint has nothing to say.
        priced = basket(*arguments)
        return replace(priced, goods_total=priced.goods_total - 1, total=priced.total - 1)

    monkeypatch.setattr(module.pricing, "basket", cheaper)
    assert differing(town, 12)[0]
