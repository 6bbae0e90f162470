"""A6: whatever opens something opens nothing else: for another, for another purpose, after its use, after its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.cached_db import SessionStore
from django.core import signing
from django.test import Client

from highstreet.growth.partners.models import ApiKey
from highstreet.kernel import clock, ids, streams
from highstreet.people.accounts.models import ApiToken, User
from highstreet.people.accounts.reads import digest
from highstreet.people.staff.models import Employee
from highstreet.trade.fulfilment.models import PickupCode
from highstreet.trade.orders.models import Quote
from highstreet.web.shop.pages import visit
from tests.conftest import Add

from . import forms
from .callers import Answer, Caller, undone
from .calls import Matrix
from .plots import Plot
from .routes import Route
from .world import PASSWORD

pytestmark = pytest.mark.django_db

API_ORDERS = Route("/api/v1/orders", "GET")
API_ORDER = Route("/api/v1/orders/{order}", "GET")
QUEUE = Route("/api/v1/store/queue", "GET")
CONSOLE = Route("/console/orders", "GET")
COLLECT = Route("/api/v1/store/collect", "POST")


@dataclass(frozen=True)
class Misuse:
    """`wrong` does what nobody may; `right` is the same token where it belongs, so that the test could fail."""

    token: str
    how: str
    wrong: Callable[[], Answer]
    right: Callable[[], Answer] | None = None


def bearer(token: str, route: Route = API_ORDERS, target: str = "", **headers: str) -> Answer:
    return Caller("somebody", token=token).ask(route, target or route.path, **headers)


def session(key: str, route: Route = CONSOLE, target: str = "") -> Answer:
    return Caller("somebody", session=key).ask(route, target or route.path)


def guest(route: Route, target: str, sent: Any = None, **headers: str) -> Answer:
    return Caller("guest").ask(route, target, sent, **headers)


def after(change: Callable[[], Any], ask: Callable[[], Answer]) -> Callable[[], Answer]:
    """`ask` once `change` is done; the change is undone."""

    def run() -> Answer:
        with undone():
            change()
            return ask()

    return run


def of_tokens(matrix: Matrix) -> list[Misuse]:
    """A person's bearer token."""
    token = matrix.callers["owner_a"].token
    row = ApiToken.objects.filter(digest=digest(token))
    owner = User.objects.filter(username="owner_a")
    now = clock.now()

    def right() -> Answer:
        return bearer(token)

    return [
        Misuse("bearer", "on a page", lambda: bearer(token, CONSOLE), right),
        Misuse("bearer", "as a session", lambda: session(token)),
        Misuse("bearer", "as a cart's key", lambda: guest(*_cart(token))),
        Misuse("bearer", "one character more", lambda: bearer(token + "0")),
        Misuse("bearer", "one character less", lambda: bearer(token[:-1])),
        Misuse("bearer", "its digest", lambda: bearer(digest(token))),
        Misuse("bearer", "after its expiry", after(lambda: row.update(expires_at=now - timedelta(seconds=1)), right)),
        Misuse("bearer", "after it was revoked", after(lambda: row.update(revoked_at=now), right)),
        Misuse("bearer", "of who may not sign in", after(lambda: owner.update(is_active=False), right)),
    ]


def of_sessions(matrix: Matrix) -> list[Misuse]:
    key = matrix.callers["owner_a"].session
    owner, job = User.objects.filter(username="owner_a"), Employee.objects.filter(user__username="owner_a")

    def right() -> Answer:
        return session(key)

    def old() -> None:
        store = SessionStore(session_key=key)
        store.set_expiry(-1)
        store.save()

    def forged() -> str:
        store = SessionStore()
        store[SESSION_KEY] = str(owner.get().pk)
        store.create()
        return str(store.session_key)

    return [
        Misuse("session", "as a bearer token", lambda: bearer(key), right),
        Misuse("session", "of nobody", lambda: session("x" * 32)),
        Misuse("session", "without the password's hash", lambda: session(forged())),
        Misuse("session", "after its expiry", after(old, right)),
        Misuse("session", "after signing out", after(lambda: SessionStore(session_key=key).delete(), right)),
        Misuse("session", "after the password changed", after(lambda: owner.update(password="md5$x$y"), right)),
        Misuse("session", "of who may not sign in", after(lambda: owner.update(is_active=False), right)),
        Misuse("session", "of who was dismissed", after(lambda: job.update(active=False), right)),
    ]


def of_keys(matrix: Matrix) -> list[Misuse]:
    """An organisation's API key."""
    a, b, few = (matrix.callers[name].token for name in ("key_a", "key_b", "key_a1"))
    row = ApiKey.objects.filter(digest=digest(a))
    plots = matrix.world.plots

    def queue(token: str, plot: Plot) -> Answer:
        return bearer(token, QUEUE, forms.target(QUEUE, plot))

    def right() -> Answer:
        return queue(a, plots["a1"])

    return [
        Misuse("API key", "on a page", lambda: bearer(a, CONSOLE), right),
        Misuse("API key", "at another organisation", lambda: queue(b, plots["a1"]), lambda: queue(b, plots["b"])),
        Misuse("API key", "at another store", lambda: queue(few, plots["a2"]), lambda: queue(few, plots["a1"])),
        Misuse("API key", "beyond its scopes", lambda: bearer(few, Route("/api/v1/partners/webhooks", "GET"))),
        Misuse("API key", "to make keys", lambda: bearer(a, Route("/api/v1/partners/keys", "GET"))),
        Misuse("API key", "as a session", lambda: session(a)),
        Misuse("API key", "its prefix", lambda: bearer(a[:12], QUEUE, forms.target(QUEUE, plots["a1"]))),
        Misuse("API key", "after its expiry", after(lambda: row.update(expires_at=clock.now()), right)),
        Misuse("API key", "after it was revoked", after(lambda: row.update(revoked_at=clock.now()), right)),
    ]


def _cart(key: str) -> tuple[Route, str]:
    return Route("/api/v1/carts/{key}", "GET"), f"/api/v1/carts/{key}"


def of_carts_and_orders(matrix: Matrix) -> list[Misuse]:
    """What a guest holds: the key of a cart, of an order."""
    a, b = matrix.world.plots["a1"], matrix.world.plots["b"]
    cart, other_cart, quote = a.values["cart"], b.values["cart"], a.values["quote"]
    key, other_key = a.secrets["key-riding"], b.secrets["key-riding"]
    address = f"/api/v1/orders/{a.values['order_riding']}"
    see_quote, order = Route("/api/v1/quotes/{quote}", "GET"), Route("/api/v1/orders", "POST")
    wish = {"quote": quote, "cart": other_cart, "phone": "13800000000", "payment_method": "at_pickup"}

    def of(order_key: str) -> Answer:
        return guest(API_ORDER, f"{address}?key={order_key}")

    def place(cart_key: str) -> Answer:
        return guest(order, order.path, {**wish, "cart": cart_key})

    def quoted(cart_key: str) -> Answer:
        return guest(see_quote, f"/api/v1/quotes/{quote}?cart={cart_key}")

    used, over = Quote.objects.filter(cart__key=cart), {"expires_at": clock.now() - timedelta(seconds=1)}
    return [
        Misuse("cart key", "for another's quote", lambda: quoted(other_cart), lambda: quoted(cart)),
        Misuse("cart key", "to order another's quote", lambda: place(other_cart), lambda: place(cart)),
        Misuse("cart key", "as an order's", lambda: of(cart)),
        Misuse("cart key", "as a bearer token", lambda: bearer(cart)),
        Misuse("quote", "after its use", after(lambda: used.update(used_at=clock.now()), lambda: place(cart))),
        Misuse("quote", "after its expiry", after(lambda: used.update(**over), lambda: place(cart))),
        Misuse("order key", "for another order", lambda: of(other_key), lambda: of(key)),
        Misuse("order key", "as a cart's", lambda: guest(*_cart(key))),
        Misuse("order key", "as a bearer token", lambda: bearer(key)),
        Misuse("order key", "in capitals", lambda: of(key.upper())),
        Misuse("order key", "cut short", lambda: of(key[:-1])),
        Misuse("order key", "with a wildcard", lambda: of("%" * 32)),
    ]


def of_codes(matrix: Matrix) -> list[Misuse]:
    """The pickup code at a counter, the proof code at a door."""
    a, beside, b = (matrix.world.plots[name] for name in ("a1", "a2", "b"))
    code, picker, owner = a.values["pickup_code"], matrix.callers["picker_a"], matrix.callers["owner_a"]
    row = PickupCode.objects.filter(code=code)
    deliver = Route("/api/v1/deliveries/{delivery_id}/deliver", "POST")

    def collect(who: Caller, store: Plot) -> Answer:
        return who.ask(COLLECT, COLLECT.path, {"store": store.values["store"], "code": code, "cash_received": 0})

    def hand(plot: Plot, secret: str) -> Answer:
        proof = {"proof_kind": "code", "proof": secret}
        rider = {"a1": "rider_a1", "b": "rider_b"}[plot.name]
        return matrix.callers[rider].ask(deliver, forms.target(deliver, plot), proof)

    right = collect(picker, a)
    assert right.label == "200", right.text
    redeemed = after(lambda: row.update(redeemed_at=clock.now()), lambda: collect(picker, a))
    return [
        Misuse("pickup code", "at another store", lambda: collect(owner, beside), lambda: collect(picker, a)),
        Misuse("pickup code", "by another organisation", lambda: collect(matrix.callers["picker_b"], b)),
        Misuse("pickup code", "by its customer", lambda: collect(matrix.callers["anna"], a)),
        Misuse("pickup code", "after its use", redeemed),
        Misuse("proof code", "of another delivery", lambda: hand(a, b.secrets["handover_code"])),
        Misuse("proof code", "as a cart's key", lambda: guest(*_cart(a.secrets["handover_code"]))),
    ]


def of_secrets(matrix: Matrix) -> list[Misuse]:
    """A webhook's secret, a stream's token, the shop's signed cookies: each opens one thing."""
    secret = matrix.world.plots["a1"].secrets["webhook_secret"]
    stream = streams.token([f"order:{ids.new_id()}"])
    return [
        Misuse("webhook secret", "as a bearer token", lambda: bearer(secret)),
        Misuse("webhook secret", "as an API key", lambda: bearer(f"hs_live_{secret}")),
        Misuse("stream token", "as a bearer token", lambda: bearer(stream)),
        Misuse("stream token", "as a session", lambda: session(stream)),
    ]


def test_a_token_opens_only_what_it_is_for(matrix: Matrix, row: Add) -> None:
    tried = [
        *of_tokens(matrix),
        *of_sessions(matrix),
        *of_keys(matrix),
        *of_carts_and_orders(matrix),
        *of_codes(matrix),
        *of_secrets(matrix),
    ]
    opened = [f"{one.token} {one.how}: {answer.label}" for one in tried if (answer := one.wrong()).label in OPENED]
    shut = [
        f"{one.token}: {answer.label}" for one in tried if one.right and (answer := one.right()).label not in OPENED
    ]
    kinds = {one.token for one in tried}
    row(
        "A6",
        f"{len(kinds)} kinds of token for another, another purpose, after use, after expiry",
        n=len(tried),
        accepted=len(opened),
        refused=len(tried) - len(opened),
        invariants=f"{sum(one.right is not None for one in tried)} right uses open",
    )
    assert opened == []
    assert shut == []


OPENED = {"200", "201", "204", "302", "303"}


def test_a_stream_token_is_for_its_topics_and_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = f"store:{ids.new_id()}"
    text = streams.token([topic])
    assert streams.topics_of(text) == [topic]
    body, _, signature = text.rpartition(":")
    other = streams.token([f"store:{ids.new_id()}"])
    place = signing.dumps([topic], salt=f"{visit.SALT}.{visit.ORDERS_COOKIE}", compress=True)
    for wrong in (text[:-1], body, f"{other.rpartition(':')[0]}:{signature}", place, signing.dumps([topic]), ""):
        assert streams.topics_of(wrong) == [], wrong
    monkeypatch.setattr(streams, "MAX_AGE_SECONDS", -1)
    assert streams.topics_of(text) == []


def test_a_cookie_of_the_shop_is_for_its_own_purpose(matrix: Matrix) -> None:
    """The place's words, which the shopper chooses, are no keys of orders."""
    anna = matrix.world.plots["a1"]
    key, shown = anna.secrets["key-riding"], anna.marks["number-riding"]

    def orders(cookie: str) -> str:
        client = Client()
        client.cookies["orders"] = cookie
        return client.get("/orders").content.decode()

    right = signing.dumps([key], salt=f"{visit.SALT}.{visit.ORDERS_COOKIE}", compress=True)
    wrong = signing.dumps([31.2, 121.4, key, True, "delivery", key], salt=f"{visit.SALT}.{visit.PLACE_COOKIE}")
    assert shown in orders(right)
    assert shown not in orders(wrong)


def test_a_form_needs_the_token_of_its_own_browser(matrix: Matrix) -> None:
    """CSRF: none, another browser's, and one's own."""
    address = forms.target(Route("/store/{store}/pause", "POST"), matrix.world.plots["a1"])

    def sent(cookie: str, token: str) -> int:
        client = Client(enforce_csrf_checks=True)
        client.cookies["sessionid"] = matrix.callers["owner_a"].session
        client.cookies["csrftoken"] = cookie
        with undone():
            return client.post(address, {"minutes": "15", "csrfmiddlewaretoken": token}).status_code

    own, other = "a" * 32, "b" * 32
    assert sent(own, own) == 302
    assert [sent(own, ""), sent(own, other), sent("", own), sent("", "")] == [403] * 4


def test_an_expired_token_is_taken_without_the_guard(matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the query that finds a token's user asks for nothing but its digest."""
    from highstreet.people.accounts import reads

    monkeypatch.setattr(
        reads,
        "OF_TOKEN",
        "JOIN accounts_apitoken t ON t.user_id = u.id WHERE t.digest = %s AND %s > now() - interval '1 year'",
    )
    opened = {one.how for one in of_tokens(matrix) if one.wrong().label in OPENED}
    assert {"after its expiry", "after it was revoked", "of who may not sign in"} <= opened
    assert PASSWORD
