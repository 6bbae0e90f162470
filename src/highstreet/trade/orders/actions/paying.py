"""Payment: an order is paid in time, late, twice or after its end; each leads to goods or to money back."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from highstreet.kernel import clock, holds
from highstreet.kernel.policy import PUBLIC, THE_SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.stores import reads as stores
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.payments import actions as payments
from highstreet.trade.payments import reads as intents
from highstreet.trade.payments.reads import IntentView

from .. import rules
from ..events import OrderPaid
from ..models import Order, OrderLine
from ..ports import PromiseOffer, promises
from ..refusals import NO_CAPACITY, NOT_PAYABLE
from ..steps.common import claims_on, due, find, owns, sync_payment, tell, wants
from ..steps.confirming import give_to_store
from ..steps.ending import close_as_expired
from ..steps.giving_back import give_back, give_back_all

LEAST_TO_PAY = timedelta(seconds=1)


class OrderPayments:
    """Fills `payments.payables`: what became of an order's money, in the transaction that books it."""

    def captured(self, *, intent_id: UUID, payable: UUID, amount: int, currency: str) -> None:
        payment_captured(actor=THE_SYSTEM, intent_id=intent_id, order_id=payable, amount=amount, currency=currency)

    def refund_done(self, *, payable: UUID, amount: int) -> None:
        refund_settled(actor=THE_SYSTEM, order_id=payable)


def pay(*, actor: Actor, order_id: UUID, openid: str = "") -> IntentView:
    """The way to pay an order that waits for it (a QR code, or with `openid` a JSAPI call). Safe to repeat.

    Calls the provider, so not inside a transaction. Refuses NOT_PAYABLE, and what `payments.start` refuses.
    """
    intent_id = open_intent(actor=actor, order_id=order_id)
    return payments.start(actor=actor, intent_id=intent_id, openid=openid)


pay.__policy__ = PUBLIC  # type: ignore[attr-defined]


@action(PUBLIC)
def open_intent(*, actor: Actor, order_id: UUID) -> UUID:
    """The open payment of the actor's own order; a new one where the last can no longer be paid."""
    order = find(actor, order_id, lock=True)
    if not owns(actor, order) and actor.kind != "system":
        raise Refused(NOT_FOUND)
    if order.status != "pending" or order.expires_at <= clock.now() + LEAST_TO_PAY:
        raise Refused(NOT_PAYABLE, state=order.status if order.status != "pending" else "expired")
    for intent in intents.intents(order.pk):
        if intent.status == "created" and intent.expires_at > clock.now():
            return intent.id
    return payments.create_intent(
        actor=actor,
        payable=order.pk,
        organisation_id=order.organisation_id,
        provider=order.payment_method,
        amount=due(order),
        currency=order.currency,
        description=f"Highstreet {order.number}",
        expires_at=order.expires_at,
    ).id


@action("system")
def payment_captured(*, actor: Actor, intent_id: UUID, order_id: UUID, amount: int, currency: str) -> None:
    """`amount` fen came for an order: confirm it, or what it takes when it is late, or give it back."""
    order = find(actor, order_id, lock=True)
    if currency != order.currency:
        raise ValueError(f"{order.pk} is in {order.currency}, not {currency}")
    order.captured += amount
    order.paid_at = order.paid_at or clock.now()
    Order.objects.filter(pk=order.pk).update(captured=order.captured, paid_at=order.paid_at)
    sync_payment(actor, order)
    tell(order, OrderPaid(order.pk, amount))
    if order.status in ("confirmed", "completed"):
        surplus = rules.surplus_of(due=due(order), captured=order.captured, amount=amount)
        _give_surplus_back(actor, order, surplus, intent_id)
    elif order.status == "cancelled":
        give_back_all(actor, order, reason="cancelled")
    elif order.status == "pending" and holds.confirm(order.group):
        lines = list(OrderLine.objects.filter(order=order).order_by("position"))
        give_to_store(actor, order, lines, PromiseOffer.from_json(order.quote.promise))
    elif not _hold_anew(actor, order):
        give_back_all(actor, order, reason="expired")
        if order.status == "pending":
            close_as_expired(actor, order)


@action("system")
def refund_settled(*, actor: Actor, order_id: UUID) -> None:
    """A refund of this order arrived: the payment axis follows."""
    sync_payment(actor, find(actor, order_id, lock=True))


def _give_surplus_back(actor: Actor, order: Order, surplus: int, intent_id: UUID) -> None:
    """Paid twice, or more than was due: what was not owed goes back by the payment that brought it."""
    # Money that came after the completion was never revenue, so it leaves the customer's funds again.
    give_back(
        actor,
        order,
        surplus,
        key=f"surplus:{intent_id}",
        reason="paid_twice",
        intent_id=intent_id,
        source="customer_funds",
    )


def _hold_anew(actor: Actor, order: Order) -> bool:
    """A payment after the expiry: take everything again under a promise made now. Whether that went.

    All in a savepoint, so that a refusal leaves nothing behind and no shelf locked.
    """
    try:
        with transaction.atomic():
            _take_again(actor, order)
    except Refused:
        order.refresh_from_db()
        return False
    return True


def _take_again(actor: Actor, order: Order) -> None:
    store = stores.store(order.store_id)
    lines = list(OrderLine.objects.filter(order=order).order_by("position"))
    wanted = wants(lines)
    now = clock.now()
    offer = _offered_anew(order, store, sum(want.quantity for want in wanted), now)
    if offer is None or not rules.still_wanted(order.promised_to, offer.promised_to, rules.LATE_PAYMENT_GRACE):
        raise Refused(NO_CAPACITY)
    promises().keep(order_id=order.pk, city_id=order.city_id, store_id=store.id, mode=order.mode, offer=offer)
    order.promised_from, order.promised_to = offer.promised_from, offer.promised_to
    give_to_store(actor, order, lines, offer, promised_from=offer.promised_from, promised_to=offer.promised_to)
    claims = [*promises().claims(offer), *claims_on(store.id, wanted)]
    holds.release(order.group, state="expired")
    holds.forget(order.group)
    holds.take(order.group, claims, now + timedelta(minutes=1), confirmed=True)


def _offered_anew(order: Order, store: StoreView, units: int, now: datetime) -> PromiseOffer | None:
    """A promise for what was ordered before: of the window that was chosen, else the soonest."""
    agreed = PromiseOffer.from_json(order.quote.promise).slot
    for slot in dict.fromkeys((agreed, None)):
        offer = promises().offer(
            store=store,
            lat=order.lat,
            lon=order.lon,
            units=units,
            mode=order.mode,
            at=now,
            slot=slot,
            agreed=True,
        )
        if offer is not None:
            return offer
    return None
