"""Bad input over HTTP: refused in words, never a 5xx, and nothing has changed afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from highstreet.kernel import ids
from tests.support import junk, world
from tests.support.junk import Junk, Operation
from tests.support.shop import CITY, HERE
from tests.support.stack import Stack
from tests.support.world import World

WHO = {
    "public": "",
    "shop.own": "shopper",
    "courier.work": "courier",
    "fulfilment.read": "picker",
    "fulfilment.work": "picker",
    "stock.adjust": "manager",
    "stock.read": "manager",
    "store.manage": "manager",
    "store.figures": "manager",
}


@pytest.fixture(scope="module")
def place() -> Iterator[World]:
    with Stack(["web"], log_level="CRITICAL") as stack:
        made = world.build(stack)
        yield made
        verdict = stack.audit()
        assert verdict.code == 0, verdict.broken


def refused(answer: httpx.Response, *statuses: int) -> str:
    """The problem's type; fails on anything but a well-formed refusal."""
    asked = f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:300]}"
    assert 400 <= answer.status_code < 500, asked
    assert answer.headers["Content-Type"].startswith("application/problem+json"), asked
    body = answer.json()
    assert body["type"] and body["title"] and body["status"] == answer.status_code, asked
    assert not statuses or answer.status_code in statuses, asked
    return str(body["type"])


def policies() -> dict[tuple[str, str], str]:
    from highstreet.web.api import api

    found = {}
    for prefix, router in api._routers:
        for address, view in router.path_operations.items():
            for operation in view.operations:
                for method in operation.methods:
                    path = re.sub(r"//+", "/", f"/{prefix}/{address}")
                    found[method.lower(), path] = getattr(operation.view_func, "__policy__", "")
    return found


def everything(place: World) -> list[Operation]:
    found = junk.operations(place.http.get("/openapi.json").json())
    assert len(found) > 20
    return found


def address(operation: Operation, place: World, *, real: bool) -> str:
    path = operation.path.removeprefix("/api/v1")
    for name in re.findall(r"{(\w+)}", path):
        path = path.replace(f"{{{name}}}", place.owned.get(name, "xxx_0") if real else f"%00{name}%ff")
    return path


def test_junk_is_refused_by_every_mutating_operation(place: World) -> None:
    """Each operation of the OpenAPI document, by who may call it, on things that exist."""
    known, before, wrong, sent = policies(), place.picture(), [], 0
    for operation in everything(place):
        path = operation.path.removeprefix("/api/v1")
        permission = known[operation.method, path]
        who = WHO.get(permission, "owner")
        cases: list[tuple[str, Junk]] = []
        if operation.schema is not None:
            base = base_of(operation, place)
            cases = [
                (address(operation, place, real=True), one) for one in (*junk.raw(), *junk.spoiled(operation, base))
            ]
        elif "notify" in path:
            cases = [(address(operation, place, real=True), one) for one in junk.raw()]
        if "{" in path:
            cases.append((address(operation, place, real=False), Junk("junk in the path", b"{}")))
        for target, bad in cases:
            sent += 1
            answer = place.send(
                operation.method,
                target,
                who=who,
                content=bad.body,
                params={"key": place.victim.order["key"]},
                headers={"Content-Type": bad.content_type} if bad.content_type else {},
            )
            try:
                refused(answer)
            except (AssertionError, KeyError, ValueError) as error:
                wrong.append(f"{operation} [{bad.why}] {type(error).__name__} {str(error).splitlines()[0][:260]}")
    changed = {name: (was, now) for name, now in place.picture().items() if (was := before[name]) != now}
    print(f"{sent} requests, {len(wrong)} not refused as they should be")  # noqa: T201
    assert wrong == [], "\n".join(wrong[:40])
    assert changed == {}


JUNK_QUERIES = (
    "%00",
    "%ED%A0%80",
    "%FF",
    "x" * 3000,
    "-1",
    "9" * 40,
    "NaN",
    "1e999",
    "2026-13-45",
    "..%2f..%2f",
    "%27%22%3B--",
)


def test_no_read_breaks(place: World) -> None:
    """Every GET with junk in each part of its path and each of its queries: an answer or a refusal."""
    known, wrong, sent = policies(), [], 0
    for operation in junk.operations(place.http.get("/openapi.json").json(), ["get"]):
        path = operation.path.removeprefix("/api/v1")
        who = WHO.get(known.get(("get", path), ""), "owner")
        right = address(operation, place, real=True)
        targets = [f"{right}?{name}={value}" for name in operation.queries for value in JUNK_QUERIES]
        targets += [
            path.replace(f"{{{name}}}", value)
            for name in re.findall(r"{(\w+)}", path)
            for value in (*JUNK_QUERIES, "%2e%2e")
        ]
        for target in targets:
            sent += 1
            answer = place.send("GET", target, who=who)
            if answer.status_code >= 500:
                wrong.append(f"GET {target[:100]}: {answer.status_code}")
    print(f"{sent} reads, {len(wrong)} broken")  # noqa: T201
    assert wrong == [], "\n".join(wrong[:40])


def base_of(operation: Operation, place: World) -> dict[str, Any]:
    """A right body for an operation, with things that exist where their names are known."""
    base = {
        name: junk.example(rule)
        for name, rule in (operation.schema or {}).get("properties", {}).items()
        if name in (operation.schema or {}).get("required", ())
    }
    own = {**place.owned, "cart": place.victim.cart, "mode": "pickup", "phone": "13900000000"}
    return {name: own.get(name, value) for name, value in base.items()}


@pytest.mark.parametrize("quantity", ["-1", "1000000000000000000", "1.5", '"1"', "NaN", "true", "null", "100", "1e2"])
def test_a_quantity_is_a_whole_number_up_to_99(place: World, quantity: str) -> None:
    cart = opened(place)
    before = place.picture()
    body = f'{{"quantity": {quantity}}}'
    answer = place.send(
        "PUT",
        f"/carts/{cart}/lines/{place.shelf.variant}",
        cart=cart,
        content=body.encode(),
        headers={"Content-Type": "application/json"},
    )
    refused(answer, 422)
    assert place.picture() == before


def test_a_quantity_of_nothing_is_no_line(place: World) -> None:
    cart = opened(place)
    answer = put(place, cart, 0)
    assert (answer.status_code, answer.json()["lines"]) == (200, [])
    assert refused(quoted(place, cart)) == "empty_cart"


def test_a_stale_cart_places_nothing(place: World) -> None:
    cart = opened(place)
    put(place, cart, 1)
    quote = quoted(place, cart).json()
    put(place, cart, 3)
    before = place.picture()
    assert refused(order(place, cart, quote["id"]), 409) == "cart_changed"
    assert place.picture() == before


def test_a_quote_is_used_once(place: World) -> None:
    cart = opened(place)
    put(place, cart, 1)
    quote = quoted(place, cart).json()
    assert order(place, cart, quote["id"]).status_code == 201
    assert refused(order(place, cart, quote["id"]), 409) == "quote_used"


def test_nothing_of_another_customer_is_reached(place: World) -> None:
    """Another's cart, quote, order and pick list, in bodies and paths, by strangers of every kind."""
    victim, mine = place.victim, opened(place)
    put(place, mine, 1)
    own = quoted(place, mine).json()
    theirs = victim.order["id"]
    before = place.picture()
    pick = place.owned["fulfilment"]
    for who in ("", "shopper", "shopper2", "courier", "picker2"):
        answers = [
            order(place, mine, victim.quote, who=who),
            order(place, victim.cart, own["id"], who=who),
            place.send("GET", f"/quotes/{victim.quote}", who=who, params={"cart": mine}),
            place.send("GET", f"/orders/{theirs}", who=who),
            place.send("GET", f"/orders/{theirs}", who=who, params={"key": mine}),
            place.send("POST", f"/orders/{theirs}/cancel", who=who, json={"reason": "mine"}, params={"key": mine}),
            place.send("POST", f"/orders/{theirs}/pay", who=who, json={}, params={"key": mine}),
            place.send("POST", f"/orders/{theirs}/substitutes/{place.owned['line']}", who=who, json={"agreed": True}),
            place.send("GET", f"/fulfilments/{pick}", who=who),
            place.send("POST", f"/fulfilments/{pick}/accept", who=who),
            place.send("POST", f"/fulfilments/{pick}/reject", who=who, json={"reason": "sold out"}),
        ]
        for answer in answers:
            refused(answer, 401, 403, 404, 422)
            assert (
                "77000001" not in answer.text
                and "the victim" not in answer.text
                and victim.order["key"] not in answer.text
            )
    assert place.picture() == before
    listed = place.send("GET", "/orders", who="shopper").json()
    assert theirs not in str(listed)


@pytest.mark.parametrize("path", ["/carts", "/orders", "/sessions", "/payments/wechat/notify"])
def test_a_20_mb_body_is_too_large(place: World, path: str) -> None:
    before = place.picture()
    body = b'{"city": "' + b"x" * 20_000_000 + b'"}'
    answer = place.send("POST", path, content=body, headers={"Content-Type": "application/json"})
    assert refused(answer, 413) == "too_large"
    assert place.picture() == before


@pytest.mark.parametrize("name", ["note", "phone", "unit", "quote", "cart"])
@pytest.mark.parametrize("text", ["a\\u0000b", "a\\ud800b", "\\u202e\\u0007"])
def test_no_text_field_of_an_order_takes_control_characters(place: World, name: str, text: str) -> None:
    cart = opened(place)
    put(place, cart, 1)
    fields = {
        "quote": quoted(place, cart).json()["id"],
        "cart": cart,
        "phone": "13900000000",
        "payment_method": "at_pickup",
        "note": "",
        "unit": "",
        name: text,
    }
    body = "{" + ", ".join(f'"{key}": "{value}"' for key, value in fields.items()) + "}"
    before = place.picture()
    answer = place.send(
        "POST", "/orders", cart=cart, content=body.encode(), headers={"Content-Type": "application/json"}
    )
    refused(answer, 404, 422)
    assert place.picture() == before


@pytest.mark.parametrize("key", ["", "k" * 81, "a\tb"])
def test_an_odd_idempotency_key_is_refused(place: World, key: str) -> None:
    cart = opened(place)
    answer = place.http.put(
        f"/carts/{cart}/lines/{place.shelf.variant}", json={"quantity": 1}, headers=[(b"Idempotency-Key", key.encode())]
    )
    refused(answer, 422)


def opened(place: World) -> str:
    return str(place.send("POST", "/carts", json={"city": CITY}).json()["key"])


def put(place: World, cart: str, quantity: int) -> httpx.Response:
    return place.send("PUT", f"/carts/{cart}/lines/{place.shelf.variant}", cart=cart, json={"quantity": quantity})


def quoted(place: World, cart: str) -> httpx.Response:
    wanted = {"cart": cart, "mode": "pickup", "lat": HERE[0], "lon": HERE[1], "store": place.shelf.store}
    return place.send("POST", "/quotes", cart=cart, json=wanted)


def order(place: World, cart: str, quote: str, who: str = "") -> httpx.Response:
    body = {"quote": quote, "cart": cart, "phone": "13900000000", "payment_method": "at_pickup"}
    return place.send("POST", "/orders", who=who, cart=cart, json=body, key=ids.random_token(20))
