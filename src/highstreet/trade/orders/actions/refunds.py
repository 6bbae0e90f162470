"""Money back: of units, of differences, of all; and what makes good a broken promise."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import F

from highstreet.kernel import ledger
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.policy import Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.trade.payments import actions as payments
from highstreet.trade.pricing import rules as pricing

from .. import rules
from ..events import OrderCompensated, OrderRefunded
from ..models import Order, OrderLine
from ..refusals import BAD_AMOUNT, TOO_MANY_UNITS
from .common import as_system, clean, due, find, left, sync_payment, tell

POINTS = "PTS"


@dataclass(frozen=True)
class Compensation:
    """What was given: `money` fen on its way back, `points` booked to the customer."""

    money: int
    points: int


@action("orders.refund")
def refund_units(*, actor: Actor, order_line_id: UUID, units: int, reason: str) -> int:
    """Refund `units` of a line at the price that was frozen. Returns the fen that go back.

    An order that is still to be paid at the counter becomes cheaper instead. Refuses TOO_MANY_UNITS.
    """
    reason = clean(reason, 40, "reason")
    order, line = find_line(actor, order_line_id)
    if type(units) is not int or units < 1:
        raise Refused(BAD_AMOUNT)
    moved = OrderLine.objects.filter(pk=line.pk, quantity__gte=F("refunded") + units).update(
        refunded=F("refunded") + units
    ) if units <= line.quantity else 0
    if moved != 1:
        raise Refused(TOO_MANY_UNITS, left=line.quantity - line.refunded)
    amount = pricing.refund_of_units(line.unit_price, line.quantity, line.refunded, units)
    return take_off(actor, order, amount, key=f"units:{line.pk}:{line.refunded + units}", reason=reason)


@action("orders.refund")
def refund_difference(*, actor: Actor, order_line_id: UUID, units: int, price_below: int) -> int:
    """A cheaper substitute came: the difference goes back. A dearer one costs nothing. Returns the fen."""
    order, line = find_line(actor, order_line_id)
    amount = pricing.refund_of_difference(price_below, min(units, line.quantity))
    if amount == 0:
        return 0
    return take_off(actor, order, amount, key=f"substitute:{line.pk}", reason="substitute")


@action("orders.refund")
def compensate(*, actor: Actor, order_id: UUID, amount: int, reason: str) -> Compensation:
    """Make `reason` good with `amount` fen: money up to what is left of the payment, the rest in points.

    Once for each reason of an order; again does nothing. The retailer pays.
    """
    reason = clean(reason, 40, "reason")
    order = find(actor, order_id, lock=True)
    if type(amount) is not int or not 0 < amount <= 10**9 or not reason:
        raise Refused(BAD_AMOUNT)
    money, points = rules.split_compensation(amount, left(order))
    key = f"{order.pk}:compensation:{reason}"
    posted = ledger.post(
        key=f"order:{key}", kind="compensation", cause=order.pk, actor=actor,
        lines=[
            (_account(order, "promise_compensation"), money), (_account(order, "refunds_payable"), -money),
            (AccountRef(order.organisation_id, "points_issued", POINTS), points),
            (AccountRef(order.customer_id, "points", POINTS), -points),
        ],
    )
    if not posted:
        return Compensation(0, 0)
    if money:
        payments.refund(actor=as_system(actor), payable=order.pk, amount=money, reason=reason, key=key)
        Order.objects.filter(pk=order.pk).update(compensated=F("compensated") + money)
    tell(order, OrderCompensated(order.pk, money, points, reason))
    return Compensation(money, points)


def find_line(actor: Actor, order_line_id: UUID) -> tuple[Order, OrderLine]:
    """A line and its order, the order locked; NOT_FOUND unless the actor may see it."""
    line = OrderLine.objects.filter(pk=order_line_id).first()
    if line is None:
        raise Refused(NOT_FOUND)
    order = find(actor, line.order_id, lock=True)
    line.refresh_from_db()
    return order, line


def take_off(actor: Actor, order: Order, amount: int, *, key: str, reason: str) -> int:
    """Make an order cheaper by `amount`: what is not yet paid at the counter, else what was paid."""
    if order.payment_method == "at_pickup" and order.captured < due(order):
        amount = min(amount, due(order))
        order.reduced += amount
        Order.objects.filter(pk=order.pk).update(reduced=order.reduced)
        sync_payment(actor, order)
        return amount
    return give_back(actor, order, amount, key=key, reason=reason)


def give_back(
    actor: Actor, order: Order, amount: int, *, key: str, reason: str, intent_id: UUID | None = None,
    source: str = "",
) -> int:
    """Refund up to `amount` of what is left of the payment, out of the account `source`: the customer's
    funds, or revenue once the order is completed. The order is locked. Returns the fen."""
    amount = min(amount, left(order))
    if amount <= 0:
        return 0
    source = source or ("goods_revenue" if order.status == "completed" else "customer_funds")
    _book(actor, order, key, reason, amount, [(_account(order, source), amount)], intent_id)
    return amount


def give_back_all(actor: Actor, order: Order, *, reason: str) -> int:
    """Refund whatever is left, before completion. What was given as compensation meanwhile is not given
    twice: it becomes part of the refund, and no expense. The order is locked. Returns the fen."""
    amount, given = left(order), order.compensated
    if amount + given <= 0:
        return 0
    lines = [
        (_account(order, "customer_funds"), amount + given), (_account(order, "promise_compensation"), -given),
    ]
    order.refunded, order.compensated = order.refunded + given, 0
    Order.objects.filter(pk=order.pk).update(refunded=order.refunded, compensated=0)
    _book(actor, order, f"all:{order.captured}", reason, amount, lines, None)
    return amount


def _book(
    actor: Actor, order: Order, key: str, reason: str, amount: int, lines: list[tuple[AccountRef, int]],
    intent_id: UUID | None,
) -> None:
    key = f"{order.pk}:{key}"
    if amount:
        payments.refund(
            actor=as_system(actor), payable=order.pk, amount=amount, reason=reason, key=key, intent_id=intent_id
        )
    posted = ledger.post(
        key=f"order:{key}", kind="refund", cause=order.pk, actor=actor,
        lines=[*lines, (_account(order, "refunds_payable"), -amount)],
    )
    if not posted:
        raise RuntimeError(f"refund {key} is booked already")
    order.refunded += amount
    Order.objects.filter(pk=order.pk).update(refunded=order.refunded)
    tell(order, OrderRefunded(order.pk, amount, reason))


def _account(order: Order, code: str) -> AccountRef:
    return AccountRef(order.organisation_id, code, order.currency)
