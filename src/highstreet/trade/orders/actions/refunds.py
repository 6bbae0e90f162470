"""Money back: of units, of differences, of all; and what makes good a broken promise."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import F

from highstreet.kernel import ledger
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.policy import SYSTEM, Actor, action, within
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import WRONG_STATE
from highstreet.trade.payments import actions as payments
from highstreet.trade.pricing import rules as pricing

from .. import rules
from ..events import OrderCompensated
from ..models import Order, OrderLine
from ..refusals import BAD_AMOUNT, TOO_MANY_UNITS
from ..steps.common import as_system, clean, find, left, tell
from ..steps.giving_back import account, find_line, given_by, take_off, tell_due

POINTS = "PTS"
# Before, nothing has come that could go back; a cancelled order gave all of it back when it ended.
GOES_BACK_BY_UNITS = ("confirmed", "completed")


@dataclass(frozen=True)
class Compensation:
    """What was given: `money` fen on its way back, `points` booked to the customer."""

    money: int
    points: int


@action("orders.refund")
def refund_units(*, actor: Actor, order_line_id: UUID, units: int, reason: str) -> int:
    """Refund `units` of a line at the price that was frozen. Returns the fen that go back.

    An order that is still to be paid in cash becomes cheaper instead. Refuses WRONG_STATE unless the order is
    confirmed or completed, TOO_MANY_UNITS, and OVER_LIMIT for what an actor gives back of one order in all.
    """
    reason = clean(reason, 40, "reason")
    order, line = find_line(actor, order_line_id)
    if order.status not in GOES_BACK_BY_UNITS:
        raise Refused(WRONG_STATE, state=order.status)
    if type(units) is not int or units < 1:
        raise Refused(BAD_AMOUNT)
    moved = (
        OrderLine.objects.filter(pk=line.pk, quantity__gte=F("refunded") + units).update(refunded=F("refunded") + units)
        if units <= line.quantity
        else 0
    )
    if moved != 1:
        raise Refused(TOO_MANY_UNITS, left=line.quantity - line.refunded)
    amount = pricing.refund_of_units(line.unit_price, line.quantity, line.refunded, units)
    within(actor, "orders.refund", amount + given_by(actor, order))
    return take_off(actor, order, amount, key=f"units:{line.pk}:{line.refunded + units}", reason=reason)


@action(SYSTEM)
def refund_short(*, actor: Actor, order_line_id: UUID, units: int) -> int:
    """Refund `units` that the shop did not have, but for those that were given back already. Returns the fen."""
    order, line = find_line(actor, order_line_id)
    owed = min(units, line.quantity - line.refunded) if order.status in GOES_BACK_BY_UNITS else 0
    if owed <= 0:
        tell_due(actor, order)
        return 0
    return refund_units(actor=actor, order_line_id=order_line_id, units=owed, reason="short")


@action("orders.refund")
def refund_difference(*, actor: Actor, order_line_id: UUID, units: int, price_below: int) -> int:
    """A cheaper substitute came: the difference goes back, of units that were not given back already. A dearer one
    costs nothing. Returns the fen."""
    order, line = find_line(actor, order_line_id)
    amount = pricing.refund_of_difference(price_below, min(units, line.quantity - line.refunded))
    if amount == 0:
        return 0
    within(actor, "orders.refund", amount + given_by(actor, order))
    return take_off(actor, order, amount, key=f"substitute:{line.pk}", reason="substitute")


@action("orders.refund")
def compensate(*, actor: Actor, order_id: UUID, amount: int, reason: str) -> Compensation:
    """Make `reason` good with `amount` fen: money up to what is left of the payment, the rest in points.

    Once for each reason of an order; again does nothing. The retailer pays. Refuses OVER_LIMIT as a refund does.
    """
    reason = clean(reason, 40, "reason")
    order = find(actor, order_id, lock=True)
    if type(amount) is not int or not 0 < amount <= 10**9 or not reason:
        raise Refused(BAD_AMOUNT)
    within(actor, "orders.refund", amount + given_by(actor, order))
    money, points = rules.split_compensation(amount, left(order))
    key = f"{order.pk}:compensation:{reason}"
    posted = ledger.post(
        key=f"order:{key}",
        kind="compensation",
        cause=order.pk,
        actor=actor,
        lines=[
            (account(order, "promise_compensation"), money),
            (account(order, "refunds_payable"), -money),
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
