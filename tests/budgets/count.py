"""How many statements each address asks of the database: `python -m tests.budgets.count ORDERS`, JSON on stdout.

Runs in a process of its own on the database of DATABASE_URL (a small demo city), where it places ORDERS orders first.
Every route is asked three times and the fewer statements of the later two count: what a process remembers, it
remembers, and what it asks anew every few seconds (the recent promises) is not any one route's.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import django

from tests.security.authz.routes import every_route

# Who asks for what begins so, the longest first; a guest is "". Everybody else is the shopper.
WHO = {
    "/accounts/login/": "",
    "/accounts/password/reset/": "",
    "/accounts/signup/": "",
    "/api/v1/carts/": "",
    "/api/v1/cities/{code}/replays": "owner",
    "/api/v1/courier": "courier",
    "/api/v1/deliveries": "owner",
    "/api/v1/fulfilments": "owner",
    "/api/v1/partners": "owner",
    "/api/v1/quotes/": "",
    "/api/v1/replays/": "owner",
    "/api/v1/rosters": "owner",
    "/api/v1/store/": "owner",
    "/api/v1/stores/{store}/cash": "owner",
    "/console/": "owner",
    "/courier/": "courier",
    "/store/": "owner",
}
# Another's framework, or no answer of ours that reads.
OUTSIDE = ("/admin/", "/i18n/")
HERE = "?lat=-30.0335&lon=-51.2287"
# Of whose roster nobody knows anything yet.
DAY = "2099-01-01"
QUERY = {
    "/api/v1/cities/{code}/stores": HERE,
    "/api/v1/products/{product}": HERE,
    "/api/v1/stores/{store}/slots": HERE,
    "/search": "?q=milk",
    "/console/orders": "?q=a",
    "/console/roster": f"?week={DAY}",
    "/console/roster/propose": f"?day={DAY}",
    "/console/roster/publish": f"?day={DAY}",
    "/console/jump": "?q=a",
    "/place/map.svg": "?size=s",
}
POINT = {"lat": -30.0335, "lon": -51.2287}
# What stands for a name that the town has nothing for. Routes that only take what is posted refuse before they look.
NOTHING = "none"
METHOD_NOT_ALLOWED = 405


def reading() -> list[str]:
    """The paths that answer a GET: of the API those with such an operation, of pages all; asked, they tell."""
    return [one.path for one in every_route() if one.method == "GET" and not one.path.startswith(OUTSIDE)]


class Counter:
    """Signed-in clients and the statements of their requests."""

    def __init__(self) -> None:
        self._clients: dict[str, Any] = {}
        self._number = 0

    def client(self, who: str) -> Any:
        from django.contrib.auth import get_user_model
        from django.test import Client

        if who not in self._clients:
            client = self._clients[who] = Client(raise_request_exception=False, headers={"Accept-Language": "en"})
            if who:
                client.force_login(
                    get_user_model().objects.get(username=who), "django.contrib.auth.backends.ModelBackend"
                )
        return self._clients[who]

    def send(self, who: str, method: str, path: str, body: object = None, cart: str = "") -> Any:
        self._number += 1
        headers = {"Idempotency-Key": f"budget-{self._number:022}", "X-Cart-Key": cart}
        data = json.dumps(body if body is not None else {})
        return self.client(who).generic(method, path, data, "application/json", headers=headers)

    def done(self, who: str, path: str, body: object, cart: str = "") -> Any:
        answer = self.send(who, "POST", path, body, cart)
        if answer.status_code >= 400:
            raise AssertionError(f"{path}: {answer.status_code} {answer.content[:300]!r}")
        return answer.json()

    def counted(self, ask: Callable[[], Any]) -> tuple[int, int]:
        """(status, fewest statements) of the second and the third time."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        ask()
        found = []
        for _ in range(2):
            with CaptureQueriesContext(connection) as queries:
                answer = ask()
            found.append(len(queries))
        if answer.status_code >= 400:
            sys.stderr.write(f"{answer.content[:200]!r}\n")
        return answer.status_code, min(found)


class Town:
    """What the paths name: a store, a variant, the last order placed there."""

    def __init__(self, counter: Counter, orders: int) -> None:
        from highstreet.kernel import ids

        self.counter = counter
        self.store = ids.public("str", self._one("SELECT id FROM stores_store WHERE code = 'maua'"))
        rows = self._rows(
            "SELECT v.id, v.product_id FROM catalog_variant v JOIN catalog_listing l ON l.variant_id = v.id "
            "JOIN stores_store s ON s.id = l.store_id JOIN inventory_stocklocation o ON o.store_id = s.id "
            "JOIN inventory_stocklevel i ON i.location_id = o.id AND i.variant_id = v.id "
            "WHERE s.code = 'maua' AND l.visible ORDER BY i.on_hand DESC, v.sku LIMIT 3"
        )
        self.variants = [ids.public("var", row[0]) for row in rows]
        self.product = ids.public("prd", rows[0][1])
        self.category = str(self._one("SELECT code FROM catalog_category ORDER BY code LIMIT 1"))
        counter.done("courier", "/api/v1/courier/shift", {})
        self.cart = self.open()
        self.quote = self.quoted(self.cart)
        # A public address, to which nothing is sent: no worker runs.
        hook = {"url": "https://1.1.1.1/hook", "events": ["order.paid"]}
        self.hook = str(counter.done("owner", "/api/v1/partners/webhooks", hook)["id"])
        self.fleet = self._fleet()
        counter.done("owner", f"/api/v1/rosters/porto-alegre/{DAY}/propose", {})
        made = [self.order() for _ in range(orders)]
        self.placed = made[-1]
        self._pay(made[-1])
        self.brought = self._brought(made[0])
        wanted = {"name": "budget", "scopes": ["console.read"]}
        self.api_key = str(counter.done("owner", "/api/v1/partners/keys", wanted)["id"])
        self.seen = self._seen()

    def _fleet(self) -> str:
        """An account with a fleet, made by the console's form; nothing is given to it."""
        from highstreet.kernel import ids

        form = {"provider": "meituan", "name": "fleet", "appkey": "app", "secret": "none", "service_code": "1"}
        self.counter.client("owner").post("/console/fleets/new?provider=meituan", form)
        return ids.public("flt", self._one("SELECT id FROM fleets_fleet LIMIT 1"))

    def lines(self) -> list[dict[str, object]]:
        return [{"variant": variant, "quantity": 1} for variant in self.variants[:2]]

    def open(self) -> str:
        return str(self.counter.done("", "/api/v1/carts", {"lines": self.lines()})["key"])

    def quoted(self, cart: str) -> str:
        wanted = {"cart": cart, "mode": "pickup", "store": self.store, **POINT}
        return str(self.counter.done("", "/api/v1/quotes", wanted, cart)["id"])

    def now(self, **more: object) -> dict[str, object]:
        agreed = {"most_total": 10**9, "latest": "2099-01-01T00:00:00+00:00", "payment_method": "at_pickup"}
        wish = {"lines": self.lines(), "mode": "pickup", "store": self.store, "phone": "13900000000", **agreed}
        return wish | more

    def order(self) -> dict[str, str]:
        found: dict[str, str] = self.counter.done("shopper", "/api/v1/checkout", self.now())
        return found

    def _pay(self, order: dict[str, str]) -> None:
        """At the till: a journal for the console to show."""
        from django.db import transaction

        from highstreet.kernel.policy import THE_SYSTEM
        from highstreet.trade.payments.models import PaymentIntent
        from highstreet.trade.payments.steps import book

        intent = PaymentIntent.objects.get(out_trade_no=_private("int", order["intent"]).hex)
        with transaction.atomic():
            book(THE_SYSTEM, intent, intent.amount, "till")

    def _brought(self, order: dict[str, str]) -> dict[str, str]:
        """Names of an order that the courier is on the way for; its ride is written down, as nobody dispatches."""
        from highstreet.delivery.couriers.models import Courier
        from highstreet.delivery.dispatch.models import Delivery
        from highstreet.kernel import clock, ids
        from highstreet.trade.fulfilment.models import Fulfilment
        from highstreet.trade.orders.models import Order

        at, going = clock.now(), Order.objects.get(pk=_private("ord", order["id"]))
        box = Fulfilment.objects.get(order_id=going.pk)
        for row in (going, box):
            row.mode = "delivery"
            row.save(update_fields=["mode"])
        ride = Delivery.objects.create(
            fulfilment_id=box.pk,
            order_id=going.pk,
            order_number=going.number,
            city_id=going.city_id,
            store_id=going.store_id,
            courier=Courier.objects.get(user__username="courier"),
            status="accepted",
            **POINT,
            promised_to=going.promised_to,
            ready_by=going.promised_to,
            created_at=at,
            assigned_at=at,
            accepted_at=at,
        )
        delivery = ids.public("dlv", ride.pk)
        return {"order": order["id"], "delivery": delivery, "delivery_id": delivery}

    def _seen(self) -> dict[str, str]:
        """What the console shows one of: a replay, an alert of a provider's and one of a fleet's."""
        from highstreet.delivery.dispatch.models import Replay
        from highstreet.delivery.fleets.models import FleetAlert
        from highstreet.kernel import clock, ids
        from highstreet.trade.orders.models import Order
        from highstreet.trade.payments.models import Alert

        at, order = clock.now(), Order.objects.get(pk=_private("ord", self.placed["id"]))
        replay = Replay.objects.create(
            city_id=order.city_id,
            day=at.date(),
            policy="timely",
            failure="replay_empty",
            asked_at=at,
            finished_at=at,
        )
        alert = Alert.objects.create(
            kind="payment_amount", organisation_id=order.organisation_id, subject="none", facts={}, at=at
        )
        of_fleet = FleetAlert.objects.create(
            fleet_id=_private("flt", self.fleet), kind="order_unknown", subject="none", facts={}, at=at
        )
        return {
            "replay": ids.public("rpl", replay.pk),
            "alert": ids.public("alt", alert.pk),
            "fleet_alert": ids.public("fla", of_fleet.pk),
        }

    def names(self) -> dict[str, str]:
        from highstreet.kernel import ids
        from highstreet.kernel.ledger import AccountRef

        order = _private("ord", self.placed["id"])
        fulfilment = self._one("SELECT id FROM fulfilment_fulfilment WHERE order_id = %s", order)
        journal = self._one("SELECT id FROM kernel_journal ORDER BY at DESC LIMIT 1")
        retailer = "SELECT p.owner, p.code, p.currency FROM kernel_posting p JOIN organisations_city c "
        retailer += "ON c.retailer_id = p.owner ORDER BY p.code LIMIT 1"
        return {
            "code": "porto-alegre",
            "public_id": self.product,
            "product": self.product,
            "variant": self.variants[0],
            "store": self.store,
            "order": self.placed["id"],
            "ref": self.placed["key"],
            "key": self.cart,
            "quote": self.quote,
            "fulfilment": ids.public("ful", fulfilment),
            "journal": ids.public("jou", journal),
            "account": ids.public("acc", AccountRef(*self._rows(retailer)[0]).id),
            "line": ids.public(
                "oli", self._one("SELECT min(id::text)::uuid FROM orders_orderline WHERE order_id = %s", order)
            ),
            "packed": ids.public(
                "lin",
                self._one(
                    "SELECT min(id::text)::uuid FROM fulfilment_fulfilmentline WHERE fulfilment_id = %s", fulfilment
                ),
            ),
            "role": "support",
            "day": DAY,
            "shift": ids.public("shf", self._one("SELECT id FROM couriers_rostershift ORDER BY starts_at, id LIMIT 1")),
            "permission": "orders.refund",
            "webhook": self.hook,
            "hook": self.hook,
            "fleet": self.fleet,
            "provider": "wechat",
            "delivery": self.brought["delivery"],
            "delivery_id": self.brought["delivery"],
            **self.seen,
            "employee": ids.public("emp", self._one("SELECT id FROM staff_employee ORDER BY id DESC LIMIT 1")),
        }

    @staticmethod
    def _rows(sql: str, *values: Any) -> list[Any]:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())

    def _one(self, sql: str, *values: Any) -> Any:
        return self._rows(sql, *values)[0][0]


def _private(prefix: str, text: str) -> Any:
    from highstreet.kernel import ids

    return ids.private(prefix, text)


def writes(counter: Counter, town: Town) -> dict[str, Callable[[], Any]]:
    """What shoppers and shops do most, each on rows of its own."""

    def post(who: str, path: str, body: Callable[[], object], cart: Callable[[], str] = str) -> Callable[[], Any]:
        return lambda: counter.send(who, "POST", path, body(), cart())

    def ordered() -> Any:
        cart = town.open()
        wish = {"quote": town.quoted(cart), "cart": cart, "phone": "13900000000", "payment_method": "at_pickup"}
        return counter.send("", "POST", "/api/v1/orders", wish, cart)

    line = f"/api/v1/carts/{town.cart}/lines/{town.variants[2]}"
    wanted = {"cart": town.cart, "mode": "pickup", "store": town.store, **POINT}
    return {
        "POST /api/v1/carts": post("", "/api/v1/carts", lambda: {"lines": town.lines()}),
        "PUT /api/v1/carts/{key}/lines/{variant}": lambda: counter.send("", "PUT", line, {"quantity": 2}, town.cart),
        "POST /api/v1/quotes (pick up)": post("", "/api/v1/quotes", lambda: wanted, lambda: town.cart),
        "POST carts, quotes, orders": ordered,
        "POST /api/v1/checkout (guest)": post("", "/api/v1/checkout", town.now),
        "POST /api/v1/checkout (signed in)": post("shopper", "/api/v1/checkout", town.now),
    }


def path_of(town: Town, names: dict[str, str], route: str) -> str:
    """The address to ask for, with its query."""
    here = dict(names)
    if route.startswith("/store/"):
        # The pages of a shop name an order by its package, and a line as it is in it.
        here |= {"order": names["fulfilment"], "line": names["packed"]}
    if route.startswith("/console/tower/orders/") or route == "/api/v1/orders/{order}/delivery":
        here |= town.brought
    if route.startswith("/console/integrations/keys/"):
        here["key"] = town.api_key
    if route.startswith("/console/fleets/alerts/"):
        here["alert"] = names["fleet_alert"]
    if route == "/c/{code}":
        here["code"] = town.category
    query = f"?store={town.store}" if route == "/api/v1/store/queue" else QUERY.get(route, "")
    return re.sub(r"{(\w+)}", lambda name: here.get(name[1], NOTHING), route) + query


def measured(orders: int) -> dict[str, Any]:
    """{"counts": {what: statements}, "status": {what: status}, "unanswered": {route: status}} of what was not counted,
    but for routes that are only posted to."""
    counter = Counter()
    town = Town(counter, orders)
    names, counts, status, unanswered = town.names(), {}, {}, {}
    for route in reading():
        who = next((who for start, who in WHO.items() if route.startswith(start)), "shopper")
        path = path_of(town, names, route)
        code, count = counter.counted(partial(counter.client(who).get, path, headers={"X-Cart-Key": town.cart}))
        if code < 400:
            counts[f"GET {route}"], status[f"GET {route}"] = count, code
        elif code != METHOD_NOT_ALLOWED:
            unanswered[route] = code
    for name, ask in writes(counter, town).items():
        status[name], counts[name] = counter.counted(ask)
    return {"counts": counts, "status": status, "unanswered": unanswered}


if __name__ == "__main__":
    django.setup()
    json.dump(measured(int(sys.argv[1])), sys.stdout)
