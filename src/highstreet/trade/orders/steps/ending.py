"""How a locked order ends early: money first, then the store, the shelves last."""

from __future__ import annotations

from highstreet.kernel import holds
from highstreet.kernel.policy import Actor
from highstreet.trade.fulfilment import actions as fulfilment
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.fulfilment.states import OPEN
from highstreet.trade.payments import actions as payments
from highstreet.trade.payments import reads as intents

from ..events import OrderCancelled, OrderExpired
from ..models import Order
from ..ports import promises
from ..states import Axes, settle
from .common import as_system, tell
from .giving_back import give_back_all


def close_as_expired(actor: Actor, order: Order) -> None:
    """Expire a locked, pending order: its holds go free."""
    settle(order, Axes(None, "expired"), actor=actor.name)
    stop_paying(actor, order)
    promises().void(order_id=order.pk)
    tell(order, OrderExpired(order.pk, order.store_id))
    holds.release(order.group, state="expired")


def call_off(actor: Actor, order: Order, reason: str) -> None:
    """Cancel a locked order: money first, then the store, the shelves last."""
    give_back_all(actor, order, reason=reason)
    settle(order, Axes(None, reason), actor=actor.name, note=reason)
    stop_paying(actor, order)
    promises().void(order_id=order.pk)
    tell(order, OrderCancelled(order.pk, order.store_id, reason))
    going = fulfilments.of_order(order.pk)
    if going is not None and going.status in OPEN:
        fulfilment.cancel(actor=as_system(actor), fulfilment_id=going.id, reason=reason)
    holds.release(order.group)


def stop_paying(actor: Actor, order: Order) -> None:
    """Nothing is to be paid any more."""
    for intent in intents.intents(order.pk):
        if intent.status == "created":
            payments.close(actor=as_system(actor), intent_id=intent.id)
