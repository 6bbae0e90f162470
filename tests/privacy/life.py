"""A person who has used everything: what they typed is known, so that it can be looked for everywhere."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.test import Client

from highstreet.delivery.couriers import actions as couriers
from highstreet.delivery.couriers.models import Courier
from highstreet.delivery.dispatch import actions as dispatch
from highstreet.delivery.dispatch.models import Delivery
from highstreet.delivery.dispatch.tests.test_journey import PHOTO
from highstreet.delivery.fleets.models import Fleet, FleetAlert, FleetEvent, FleetOrder
from highstreet.delivery.fleets.states import MACHINE
from highstreet.growth.partners.models import Attempt, Endpoint, Message, Sending
from highstreet.kernel import clock, ids, outbox
from highstreet.kernel.models import OutboxEvent
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.states import move
from highstreet.people.accounts import actions as accounts
from highstreet.people.accounts.models import User
from highstreet.people.accounts.reads import actor_of_user
from highstreet.trade.orders.actions import Placed
from highstreet.trade.orders.models import Order
from highstreet.trade.orders.tests import support as shop
from highstreet.trade.orders.tests.support import Town
from highstreet.trade.payments.models import Alert, PaymentIntent, TransactionEvent

TYPED = {
    "phone": "13977712345",
    "address": "Rua do Canario Amarelo 77",
    "unit": "apto Colibri 9",
    "note": "bell of the toucan",
    "review": "kind like a sabia bird",
    "reason": "albatross reason",
}


@dataclass
class Life:
    """`api` speaks as the person; `orders` are theirs, oldest first."""

    town: Town
    user: UUID
    api: Client
    headers: dict[str, str]
    orders: list[UUID] = field(default_factory=list)

    @property
    def actor(self) -> Actor:
        return actor_of_user(self.user)

    def send(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self.api.generic(
            method,
            f"/api/v1{path}",
            json.dumps(body) if body is not None else "",
            content_type="application/json",
            headers={**self.headers, "Idempotency-Key": ids.random_token(20)},
        )
        assert answer.status_code == status, (path, answer.status_code, answer.content[:600])
        return json.loads(answer.content) if answer.content.startswith(b"{") else answer

    def place(self, mode: str = "delivery") -> Order:
        """An order through the API, with everything typed that can be typed."""
        cart = self.send("POST", "/carts", {"city": "poa"}, 201)["key"]
        variant = ids.public("var", self.town.variants[0])
        self.headers["X-Cart-Key"] = cart
        self.send("PUT", f"/carts/{cart}/lines/{variant}", {"quantity": 2})
        wanted = {"cart": cart, "mode": mode, "lat": -30.0312345, "lon": -51.2212345}
        wanted |= {"address": TYPED["address"], "unit": TYPED["unit"]} if mode == "delivery" else {}
        quote = self.send("POST", "/quotes", wanted, 201)["id"]
        wish = {
            "quote": quote,
            "cart": cart,
            "phone": TYPED["phone"],
            "payment_method": "wechat",
            "substitution": "refund",
            "note": TYPED["note"],
        }
        placed = self.send("POST", "/orders", wish, 201)
        order_id = ids.private("ord", placed["id"])
        assert order_id is not None
        self.orders.append(order_id)
        return Order.objects.get(pk=order_id)


def begin(town: Town, client: Client, username: str = "canary") -> Life:
    """Somebody with a user, a token and a session."""
    user = accounts.create_user(actor=THE_SYSTEM, username=username, password="a long word 42")
    client.force_login(User.objects.get(pk=user))
    EmailAddress.objects.create(user_id=user, email="bird@nest.test")
    Authenticator.objects.create(user_id=user, type="totp", data={"secret": "sealed"})
    LogEntry.objects.create(user_id=user, action_flag=1, object_id="1", object_repr="x", change_message="x")
    token = accounts.issue_token(actor=THE_SYSTEM, user_id=user)
    return Life(town, user, Client(), {"Authorization": f"Bearer {token}"})


def live(life: Life) -> None:
    """Two orders brought to the door and one called off, a review, what providers and partners were told."""
    for _ in range(2):
        _bring(life, life.place())
    third = life.place()
    paid = _pay(third)
    life.send("POST", f"/orders/{ids.public('ord', third.pk)}/cancel", {"reason": TYPED["reason"]})
    outbox.drain()
    assert shop.settle_refunds(paid) > 0
    outbox.drain()
    first = ids.public("ord", life.orders[0])
    life.send("POST", f"/orders/{first}/review", {"stars": 5, "text": TYPED["review"]}, 201)
    life.send("PUT", "/me/consents/marketing", {"given": True})
    for intent in PaymentIntent.objects.filter(payable__in=life.orders):
        _told(life, intent)


def _pay(order: Order) -> Placed:
    intent = PaymentIntent.objects.get(payable=order.pk)
    placed = Placed(order.pk, order.key, order.number, order.status, intent.pk)
    shop.pay(placed)
    outbox.drain()
    return placed


def _bring(life: Life, order: Order) -> None:
    placed = _pay(order)
    shop.pick(life.town, placed)
    for user_id in Courier.objects.values_list("user_id", flat=True):
        couriers.report_position(actor=actor_of_user(user_id), lat=life.town.lat, lon=life.town.lon)
    assert dispatch.plan(actor=THE_SYSTEM, city_id=life.town.city).assigned >= 1
    row = Delivery.objects.select_related("courier").get(order_id=order.pk)
    assert row.courier is not None
    rider = actor_of_user(row.courier.user_id)
    for act in (dispatch.accept, dispatch.arrive_store, dispatch.pick_up):
        act(actor=rider, delivery_id=row.pk)
    outbox.drain()
    dispatch.deliver(actor=rider, delivery_id=row.pk, proof_kind="photo", proof=PHOTO)
    outbox.drain()


def _told(life: Life, intent: PaymentIntent) -> None:
    """What stands in the inbox, among the alerts, and what a partner heard."""
    now = clock.now()
    TransactionEvent.objects.create(
        id=ids.new_id(),
        provider="wechat",
        event_id=f"EV-{intent.out_trade_no}",
        event_type="TRANSACTION.SUCCESS",
        resource={"out_trade_no": intent.out_trade_no, "payer": {"openid": "o-canary-payer"}, "amount": {"total": 1}},
        received_at=now,
        applied_at=now,
    )
    Alert.objects.create(
        id=ids.new_id(), kind="payment_refused", subject=intent.out_trade_no, facts={"code": "X"}, at=now
    )
    event = OutboxEvent.objects.filter(payload__order_id=str(intent.payable)).first()
    assert event is not None
    endpoint, _ = Endpoint.objects.get_or_create(
        organisation_id=life.town.retailer,
        defaults={"url": "https://partner.test", "events": [], "secret": "", "created_at": now, "changed_at": now},
    )
    message = Message.objects.create(
        id=ids.new_id(),
        organisation_id=life.town.retailer,
        event=event.pk,
        type="order.cancelled",
        entity=intent.payable,
        body=json.dumps({"reason": TYPED["reason"]}),
        at=now,
    )
    sending = Sending.objects.create(
        id=ids.new_id(),
        endpoint=endpoint,
        message=message,
        event=event.pk,
        entity=intent.payable,
        next_at=now,
        created_at=now,
    )
    Attempt.objects.create(id=ids.new_id(), sending=sending, at=now, duration_ms=1, status=200)
    _carried(life, intent.payable)


def _carried(life: Life, order_id: UUID) -> None:
    """A fleet had it, told who brings it, and somebody had to look."""
    now, row = clock.now(), Order.objects.get(pk=order_id)
    fleet, _ = Fleet.objects.get_or_create(
        organisation_id=life.town.retailer,
        defaults={"provider": "meituan", "name": "fleet", "secrets": "", "created_at": now, "changed_at": now},
    )
    number = ids.public("flo", ids.new_id())
    FleetOrder.objects.create(
        fleet=fleet,
        delivery_id=ids.new_id(),
        order_id=order_id,
        order_number=row.number,
        store_id=row.store_id,
        attempt=1,
        number=number,
        courier_name="Rui",
        courier_phone="13800001234",
        since=now,
        heard_at=now,
        created_at=now,
        promised_to=row.promised_to,
    )
    order = FleetOrder.objects.get(number=number)
    with transaction.atomic():
        for event in ("place", "finish"):
            move(MACHINE, order, event, actor="test")
    FleetEvent.objects.create(
        fleet=fleet,
        event_id=number,
        number=number,
        code="20",
        resource={"order_id": number, "status": "20", "courier_name": "Rui"},
        received_at=now,
        applied_at=now,
    )
    FleetAlert.objects.create(fleet=fleet, kind="code_unknown", subject=number, order_id=order_id, facts={}, at=now)
