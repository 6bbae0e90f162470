"""A2 and A9: foreign ids inside bodies, and fields that are nobody's to send."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from highstreet.people.accounts.models import User
from highstreet.supply.stores import reads as stores
from highstreet.supply.stores.reads import StoreView
from tests.conftest import Add

from . import canaries, forms, table
from .callers import Answer
from .calls import Matrix
from .routes import Route, every_route, operations
from .test_matrix import KEPT

pytestmark = pytest.mark.django_db

ID = re.compile(r"^[a-z]{3}_[0-9a-z]{26}$")
# What is in the shop's window for everybody, in whatever city: goods, and the shops that sell them.
WINDOW = {
    ("POST /api/v1/carts", "variant"),
    ("POST /cart/lines", "variant"),
    # A guest's cart is whoever's has its key: the key is the proof, and the quote shows nothing but that cart.
    ("POST /api/v1/quotes", "cart"),
}
SHOPPING = ("POST /api/v1/quotes", "POST /api/v1/checkout")
OWN, FOREIGN = "a1", ("b", "a2")
# Somebody of the first plot's side, the least powerful first.
OURS = ("anna", "rider_a1", "picker_a", "manager_a", "support_a", "owner_a")


def writers() -> Iterator[tuple[Route, str]]:
    """Every route that takes a body, with somebody whom the table lets in with their own things."""
    known = table.read()
    for route in every_route():
        if route.name in forms.BODIES and route.method != "GET":
            plot = OWN if forms.concerns(route) else ""
            yield route, next((who for who in OURS if known.get((route.name, plot, who)) in GOOD), "guest")


GOOD = {"200", "201", "204", "302", "303", "409", "422"}


def swapped(body: Any, own: dict[str, str], other: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """The body with one id at a time replaced by the same thing of another's; the field's name and the body."""
    # The stores of a city sell the same goods: what both plots have is nothing foreign.
    names = {value: name for name, value in own.items() if other.get(name, value) != value}
    for path, value in leaves(body):
        if isinstance(value, str) and value in names and (ID.match(value) or names[value] in ("cart", "pickup_code")):
            made = copy.deepcopy(body)
            place: Any = made
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = other[names[value]]
            yield str(next(step for step in reversed(path) if isinstance(step, str))), made


def leaves(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(body, dict):
        for name, value in body.items():
            yield from leaves(value, (*path, name))
    elif isinstance(body, list):
        for at, value in enumerate(body):
            yield from leaves(value, (*path, at))
    else:
        yield path, body


def foreign(matrix: Matrix) -> list[tuple[str, Answer]]:
    """Each id field of each body with another store's and another city's thing in it."""
    found = []
    own = matrix.world.plots[OWN]
    for route, who in writers():
        address, body = forms.target(route, own), forms.body(route, own)
        for owner in FOREIGN:
            other = matrix.world.plots[owner]
            for name, sent in swapped(body, forms.values(own), forms.values(other)):
                caller = matrix.callers["picker_a" if who == "owner_a" and "collect" in route.path else who]
                if (route.name, name) not in WINDOW and not (owner == "a2" and shared(route, name, who)):
                    found.append((name, caller.ask(route, address, sent, plot=owner)))
    return found


def shared(route: Route, name: str, who: str) -> bool:
    """Whether the retailer's second store is the caller's too, or open to every shopper of the city."""
    return who in ("owner_a", "support_a") or (name == "store" and route.name in SHOPPING)


# A cart's key is all that a guest has: with it and its own quote, one orders as that guest.
def accepted(found: list[tuple[str, Answer]]) -> list[str]:
    return [
        f"{answer.caller} {answer.route.name} {name}: {answer.label} {answer.asked[:200]}"
        for name, answer in found
        if answer.label in ("200", "201", "204", "302", "303")
    ]


def test_no_foreign_id_in_a_body_is_taken_or_told(matrix: Matrix, row: Add) -> None:
    found = foreign(matrix)
    seen = canaries.of_world(matrix.world, matrix.callers).sightings(answer for _name, answer in found)
    taken = accepted(found)
    row(
        "A2",
        "each id of each body replaced by another store's and city's",
        n=len(found),
        accepted=len(taken),
        refused=len(found) - len(taken),
        invariants=f"{len(seen)} echoed",
    )
    assert len(found) >= 20
    assert taken == []
    assert seen == [], "\n".join(map(str, seen))


def test_a_foreign_store_is_taken_without_the_guard(matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: nobody asks whose store it is."""

    def anybodys(actor: Any, store_id: Any) -> StoreView:
        return stores.store(store_id)

    monkeypatch.setattr(stores, "must_work_at", anybodys)
    assert any("partners/keys" in one for one in accepted(foreign(matrix)))


MARK, NUMBER = "kanari-forbidden", 31415926
# Forty fields that the platform decides. Those that an operation's own body has are left out for it.
FORBIDDEN: dict[str, Any] = {
    **dict.fromkeys(
        [
            "price",
            "unit_price",
            "total",
            "goods_total",
            "delivery_fee",
            "amount",
            "amount_due",
            "discount",
            "captured",
            "refunded",
            "reduced",
            "compensated",
            "pay",
            "points",
            "balance",
            "used_count",
            "limit_per_person",
            "on_hand",
            "held",
        ],
        NUMBER,
    ),
    **dict.fromkeys(
        [
            "status",
            "payment_status",
            "currency",
            "organisation",
            "organisation_id",
            "store_id",
            "customer_id",
            "user_id",
            "courier_id",
            "employee_id",
            "city_id",
            "id",
            "key",
            "number",
            "created_at",
            "placed_at",
            "handover_code",
            "digest",
            "secret",
            "permissions",
            "role",
        ],
        MARK,
    ),
    "is_staff": True,
    "is_superuser": True,
}


def described(route: Route) -> set[str]:
    """The names in the body that the API's document has for the route; those of our own form for a page."""
    known = forms.BODIES.get(route.name) or {}
    return {*known, *_properties(route)}


def _properties(route: Route) -> set[str]:
    from .routes import document

    schema = operations().get(route, {}).get("requestBody", {}).get("content", {}).get("application/json", {})
    name = schema.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
    return set(document()["components"]["schemas"].get(name, {}).get("properties", {})) if name else set()


class Watch:
    """Notes whether a statement that writes has a mark among its values."""

    def __init__(self) -> None:
        self.marked: list[str] = []

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if str(sql).lstrip().upper().startswith(("INSERT", "UPDATE")) and _marked(params):
            self.marked.append(str(sql)[:80])
        return execute(sql, params, many, context)


def _marked(params: Any) -> bool:
    return any(MARK in text or str(NUMBER) in text for text in map(str, params or ()))


def smuggled(matrix: Matrix) -> Iterator[tuple[Route, str, Answer, Answer, list[str]]]:
    """Each forbidden field in each body: the route, the field, the answer without and with it, what was marked."""
    own = matrix.world.plots[OWN]
    for route, who in writers():
        address, body, caller = forms.target(route, own), forms.body(route, own), matrix.callers[who]
        plain = caller.ask(route, address, body)
        legal = described(route)
        extra = {name: value for name, value in FORBIDDEN.items() if name not in legal}
        # The API refuses each by name; a page ignores all of them together.
        sent = [{name: value} for name, value in extra.items()] if route.api else [extra]
        for more in sent:
            watch = Watch()
            with connection.execute_wrapper(watch):
                answer = caller.ask(route, address, {**body, **more})
            yield route, ",".join(more)[:40], plain, answer, watch.marked


def test_forbidden_fields_change_nothing(matrix: Matrix, row: Add) -> None:
    """A9: the API refuses the field, a page ignores it; nothing of it is ever written."""
    assert len(FORBIDDEN) >= 40
    rulers = set(User.objects.filter(is_superuser=True).values_list("pk", flat=True))
    wrong, tried = [], 0
    for route, name, plain, answer, marked in smuggled(matrix):
        tried += 1
        raw = route.path.endswith("/notify")
        if marked:
            wrong.append(f"{route.name} wrote {name}: {marked}")
        elif route.api and not raw and (answer.label != "422" or answer.wrote - KEPT):
            wrong.append(f"{route.name} with {name}: {answer.label}, wrote {set(answer.wrote)}")
        elif not route.api and (answer.label, answer.wrote) != (plain.label, plain.wrote):
            wrong.append(f"{route.name}: {plain.label} became {answer.label} with {name}")
    row(
        "A9",
        f"{len(FORBIDDEN)} forbidden fields in every body",
        n=tried,
        accepted=len(wrong),
        refused=tried - len(wrong),
    )
    assert wrong == [], "\n".join(wrong[:40])
    assert set(User.objects.filter(is_superuser=True).values_list("pk", flat=True)) == rulers


def test_a_field_that_is_let_through_is_caught(matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: an action that takes its amount from the request."""
    from highstreet.trade.orders import actions

    real = actions.cancel

    def generous(**known: Any) -> Any:
        from highstreet.trade.orders.models import Order

        Order.objects.filter(pk=known["order_id"]).update(end_reason=f"{MARK}"[:20])
        return real(**known)

    monkeypatch.setattr(actions, "cancel", generous)
    assert any(marked for _route, _name, _plain, _answer, marked in smuggled_pages(matrix))


def smuggled_pages(matrix: Matrix) -> Iterator[tuple[Route, str, Answer, Answer, list[str]]]:
    own = matrix.world.plots[OWN]
    route = Route("/console/orders/{order}/cancel", "POST")
    watch = Watch()
    with connection.execute_wrapper(watch):
        answer = matrix.callers["owner_a"].ask(route, forms.target(route, own), forms.body(route, own))
    yield route, "", answer, answer, watch.marked
