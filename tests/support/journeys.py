"""Orders' lives as requests that may be sent again, each with a key of its own; and processes that die in them.

A journey is run in a child process (a fork: no second to start in) that dies at a fail-point; then it is run again
from its beginning with the same keys, as a client does that got no answer and a worker that finds its job undone.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.test import Client

from highstreet.delivery.couriers.tests import support as riders
from highstreet.delivery.dispatch import actions as dispatch
from highstreet.delivery.dispatch.models import Delivery
from highstreet.kernel import failpoints, idempotency, ids, outbox
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.supply.stores import reads as stores
from highstreet.trade.fulfilment import actions as fulfilment
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.fulfilment.models import Fulfilment, PickupCode
from highstreet.trade.orders import jobs as order_jobs
from highstreet.trade.orders.models import Order
from highstreet.trade.orders.tests.support import Town, later
from highstreet.trade.payments import actions as payments
from highstreet.trade.payments import gateways
from highstreet.trade.payments.models import PaymentIntent, Refund, TransactionEvent
from highstreet.trade.payments.sandbox.crypto import SandboxKeys
from highstreet.trade.payments.tests import support as provider

KILLED = -9


def in_child(work: Callable[[], object], *, fail: str = "", trace: str = "") -> int:
    """Run `work` in a fork that dies at the fail-point `fail`. 0 when it came to its end, -9 when it was killed."""
    # A connection that two processes share belongs to neither.
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            failpoints.arm(fail, trace=trace)
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def warm_up() -> None:
    """Load what the first request loads, so that the children need not, each anew."""
    http = Client()
    assert http.get("/livez").status_code == 200
    assert http.get("/api/v1/carts/none").status_code in (404, 422)


@dataclass
class Scene:
    """A town with a rider and a provider that answers; everything that a journey needs."""

    town: Town
    rider: Actor
    keys: SandboxKeys
    provider: provider.Provider

    @property
    def place(self) -> riders.Town:
        return riders.Town(self.town.city, self.town.retailer, [stores.store(one) for one in self.town.stores])


def scene(town: Town, keys: SandboxKeys) -> Scene:
    stand_in = provider.Provider(keys, refund_state="succeeded")
    gateways.register("wechat", stand_in)
    place = riders.Town(town.city, town.retailer, [stores.store(one) for one in town.stores])
    return Scene(town, riders.courier(place, 50, capacity=3), keys, stand_in)


@dataclass(frozen=True)
class Visit:
    """One order by its shopper's cart; `name` is the order's note, by which it is found afterwards."""

    scene: Scene
    name: str
    cart: str
    http: Client

    def send(self, method: str, path: str, body: dict[str, Any], step: str) -> dict[str, Any]:
        answer = self.http.generic(
            method,
            f"/api/v1{path}",
            json.dumps(body).encode(),
            "application/json",
            headers={"X-Cart-Key": self.cart, "Idempotency-Key": f"{self.name}-{step}".replace(" ", "-")},
        )
        assert answer.status_code < 300, f"{step}: {answer.status_code} {answer.content[:300]!r}"
        found: dict[str, Any] = json.loads(answer.content)
        return found

    def order(self, mode: str, method: str = "wechat") -> dict[str, Any]:
        town = self.scene.town
        place = {"cart": self.cart, "mode": mode, "lat": town.lat, "lon": town.lon, "address": "Rua da Praia 1"}
        quote = self.send("POST", "/quotes", {**place, "store": ids.public("str", town.stores[0])}, "quote")
        wish = {"quote": quote["id"], "cart": self.cart, "phone": "13800001111", "payment_method": method}
        return self.send("POST", "/orders", {**wish, "substitution": "refund", "note": self.name}, "order")

    def pay(self, placed: dict[str, Any]) -> None:
        """The code is shown, the phone pays, the provider tells us, the job applies it."""
        intent = PaymentIntent.objects.get(pk=ids.private("int", placed["intent"]) or "")
        headers, body = provider.notice(self.scene.keys, intent)
        answer = self.http.generic(
            "POST", "/api/v1/payments/wechat/notify", body, "application/json", headers=dict(headers)
        )
        assert answer.status_code == 200, answer.content
        self.work()

    def work(self) -> None:
        """What the worker does until nothing is left: callbacks, events, refunds."""
        for event_id in TransactionEvent.objects.filter(applied_at=None).values_list("pk", flat=True):
            payments.apply_event(actor=THE_SYSTEM, event_id=event_id)
        outbox.drain()
        for refund in Refund.objects.filter(status__in=["requested", "sent"]):
            payments.send_refund(actor=THE_SYSTEM, refund_id=refund.pk)
        outbox.drain()

    def once(self, step: str, work: Callable[[], object]) -> None:
        """What staff do, sent with a key as their app does."""

        def run() -> tuple[int, Any]:
            work()
            return 200, {}

        idempotency.once(subject="staff", endpoint=f"STAFF {step}", key=f"{self.name}-{step}"[:80], body=b"", work=run)
        outbox.drain()

    def box(self, placed: dict[str, Any]) -> Fulfilment:
        return Fulfilment.objects.filter(order_id=ids.private("ord", placed["id"]) or "").latest("created_at")

    def pick(self, placed: dict[str, Any], *, short: bool = False) -> None:
        worker, box = self.scene.town.worker(), self.box(placed)
        self.once("accept", lambda: fulfilment.accept(actor=worker, fulfilment_id=box.pk))
        detail = fulfilments.detail(THE_SYSTEM, box.pk)
        for number, line in enumerate(detail.lines):
            if short and number == 0:
                self.once("short", lambda line=line: fulfilment.mark_short(actor=worker, line_id=line.id, units=1))  # type: ignore[misc]
                self.work()
            for unit in range(line.quantity - (1 if short and number == 0 else 0)):
                self.once(
                    f"scan-{number}-{unit}",
                    lambda line=line: fulfilment.scan(actor=worker, fulfilment_id=box.pk, code=line.barcode),  # type: ignore[misc]
                )
        self.once("pack", lambda: fulfilment.pack(actor=worker, fulfilment_id=box.pk))


def delivered(visit: Visit) -> None:
    """From the quote to the doorstep, with the courier's pay."""
    placed = visit.order("delivery")
    visit.pay(placed)
    visit.pick(placed, short=True)
    box, rider = visit.box(placed), visit.scene.rider
    row = Delivery.objects.get(fulfilment_id=box.pk)
    if row.status == "waiting":
        dispatch.plan(actor=THE_SYSTEM, city_id=visit.scene.town.city)
    mine: dict[str, Any] = {"actor": rider, "delivery_id": row.pk}
    visit.once("take", lambda: dispatch.accept(**mine))
    visit.once("counter", lambda: dispatch.arrive_store(**mine))
    visit.once("bag", lambda: dispatch.pick_up(**mine))
    visit.once("door", lambda: dispatch.arrive_door(**mine))
    visit.once("give", lambda: dispatch.deliver(**mine, proof_kind="code", proof=box.handover_code))
    visit.work()


def cancelled(visit: Visit) -> None:
    """Paid, called off by the shopper, and the money back."""
    placed = visit.order("pickup")
    visit.pay(placed)
    visit.send("POST", f"/orders/{placed['id']}/cancel?key={placed['key']}", {"reason": "rain"}, "cancel")
    visit.work()


def too_late(visit: Visit) -> None:
    """Nobody pays in time, the order expires, then the money comes: taken anew."""
    placed = visit.order("pickup")
    with later(11):
        order_jobs.expire(0)
        outbox.drain()
        visit.pay(placed)


def rerouted(visit: Visit) -> None:
    """The shop will not; another does."""
    placed = visit.order("delivery")
    visit.pay(placed)
    worker = visit.scene.town.worker()
    first = Fulfilment.objects.filter(order_id=ids.private("ord", placed["id"]) or "").earliest("created_at")
    visit.once("reject", lambda: fulfilment.reject(actor=worker, fulfilment_id=first.pk, reason="too_busy"))
    visit.work()


def collected(visit: Visit) -> None:
    """Ordered, picked, collected and paid at the counter."""
    placed = visit.order("pickup", "at_pickup")
    outbox.drain()
    visit.pick(placed)
    box = visit.box(placed)
    code = PickupCode.objects.get(fulfilment=box).code
    worker, store = visit.scene.town.worker(), visit.scene.town.stores[0]
    visit.once("hand", lambda: fulfilment.collect(actor=worker, store_id=store, code=code, cash_received=10**6))
    visit.work()


JOURNEYS: dict[str, Callable[[Visit], None]] = {
    "delivered": delivered,
    "cancelled": cancelled,
    "too late": too_late,
    "rerouted": rerouted,
    "collected": collected,
}
# (status, payment_status, what is left of the money in parts of what came) in which each must end.
ENDS = {
    "delivered": ("completed", "partially_refunded"),
    "cancelled": ("cancelled", "refunded"),
    "too late": ("confirmed", "paid"),
    "rerouted": ("confirmed", "paid"),
    "collected": ("completed", "paid"),
}


def visit(scene: Scene, name: str) -> Visit:
    """A shopper with a filled cart."""
    return Visit(scene, name, scene.town.cart(2, 1), Client(raise_request_exception=False))


def wrong_end(name: str, journey: str) -> str:
    """What is not as it must be after the journey; "" when all is."""
    rows = list(Order.objects.filter(note=name))
    if len(rows) != 1:
        return f"{len(rows)} orders"
    order = rows[0]
    if (order.status, order.payment_status) != ENDS[journey]:
        return f"{order.status} {order.payment_status}"
    intents = PaymentIntent.objects.filter(payable=order.pk, status="captured")
    if sum(one.captured for one in intents) != order.captured or len(intents) != 1:
        return f"{len(intents)} captures of {order.captured}"
    returned = sum(one.amount for one in Refund.objects.filter(intent__payable=order.pk, status="succeeded"))
    return "" if returned == order.refunded else f"{returned} returned of {order.refunded}"
