"""Money on its way back to who paid: asked of the provider and booked, in the caller's transaction."""

from __future__ import annotations

from uuid import UUID

from highstreet.kernel import ledger
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.policy import SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.trade.fulfilment import actions as fulfilment
from highstreet.trade.payments import actions as payments

from ..events import OrderRefunded
from ..models import Order, OrderLine
from ..rules import ON_HANDOVER
from .common import as_system, due, find, left, sync_payment, tell

POINTS = "PTS"


def find_line(actor: Actor, order_line_id: UUID) -> tuple[Order, OrderLine]:
    """A line and its order, the order locked; NOT_FOUND unless the actor may see it."""
    line = OrderLine.objects.filter(pk=order_line_id).first()
    if line is None:
        raise Refused(NOT_FOUND)
    order = find(actor, line.order_id, lock=True)
    line.refresh_from_db()
    return order, line


def given_by(actor: Actor, order: Order) -> int:
    """What an actor with a limit gave back of an order before, in fen and points: small steps add up.

    What was taken off before payment is in no journal, so all of it counts. 0 for who has no limit.
    """
    if actor.kind == SYSTEM or "orders.refund" not in actor.limits:
        return 0
    kinds = ("refund", "compensation")
    return order.reduced + ledger.credited(order.pk, actor.name, kinds, ("refunds_payable", "points"))


def take_off(actor: Actor, order: Order, amount: int, *, key: str, reason: str) -> int:
    """Make an order cheaper by `amount`: what is not yet paid in cash, else what was paid."""
    if order.payment_method in ON_HANDOVER and order.captured < due(order):
        amount = min(amount, due(order))
        order.reduced += amount
        Order.objects.filter(pk=order.pk).update(reduced=order.reduced)
        tell_due(actor, order)
        sync_payment(actor, order)
        return amount
    return give_back(actor, order, amount, key=key, reason=reason)


def tell_due(actor: Actor, order: Order) -> None:
    """Who takes the cash takes what the order costs now. A store that is short has said less already; where it spoke of
    units that were given back before, too little."""
    if order.payment_method in ON_HANDOVER and order.captured == 0:
        fulfilment.collect_now(actor=as_system(actor), order_id=order.pk, due=due(order))


def give_back(
    actor: Actor,
    order: Order,
    amount: int,
    *,
    key: str,
    reason: str,
    intent_id: UUID | None = None,
    source: str = "",
) -> int:
    """Refund up to `amount` of what is left of the payment, out of the account `source`: the customer's
    funds, or revenue once the order is completed. The order is locked. Returns the fen."""
    amount = min(amount, left(order))
    if amount <= 0:
        return 0
    source = source or ("goods_revenue" if order.status == "completed" else "customer_funds")
    _book(actor, order, key, reason, amount, [(account(order, source), amount)], intent_id)
    return amount


def give_back_all(actor: Actor, order: Order, *, reason: str) -> int:
    """Refund whatever is left, before completion. What was given as compensation meanwhile is not given
    twice: it becomes part of the refund, and no expense. The order is locked. Returns the fen."""
    amount, given = left(order), order.compensated
    if amount + given <= 0:
        return 0
    lines = [
        (account(order, "customer_funds"), amount + given),
        (account(order, "promise_compensation"), -given),
    ]
    order.refunded, order.compensated = order.refunded + given, 0
    Order.objects.filter(pk=order.pk).update(refunded=order.refunded, compensated=0)
    _book(actor, order, f"all:{order.captured}", reason, amount, lines, None)
    return amount


def _book(
    actor: Actor,
    order: Order,
    key: str,
    reason: str,
    amount: int,
    lines: list[tuple[AccountRef, int]],
    intent_id: UUID | None,
) -> None:
    key = f"{order.pk}:{key}"
    if amount:
        payments.refund(
            actor=as_system(actor), payable=order.pk, amount=amount, reason=reason, key=key, intent_id=intent_id
        )
    posted = ledger.post(
        key=f"order:{key}",
        kind="refund",
        cause=order.pk,
        actor=actor,
        lines=[*lines, (account(order, "refunds_payable"), -amount)],
    )
    if not posted:
        raise RuntimeError(f"refund {key} is booked already")
    order.refunded += amount
    Order.objects.filter(pk=order.pk).update(refunded=order.refunded)
    tell(order, OrderRefunded(order.pk, amount, reason))


def account(order: Order, code: str) -> AccountRef:
    return AccountRef(order.organisation_id, code, order.currency)
