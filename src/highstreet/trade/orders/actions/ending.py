"""How orders end: expired, cancelled, or completed; what was held goes free and what is owed is booked."""

from __future__ import annotations

from uuid import UUID

from highstreet.kernel import clock, ledger
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.policy import PUBLIC, SYSTEM, Actor, action, require, within
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import WRONG_STATE
from highstreet.supply.organisations import reads as organisations
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.fulfilment.states import WITH_COURIER

from ..events import OrderCompleted
from ..models import Order
from ..refusals import TOO_LATE_TO_CANCEL
from ..states import Axes, settle
from ..steps.common import clean, find, left, owns, tell
from ..steps.ending import call_off, close_as_expired, stop_paying
from .refunds import compensate

BEFORE_PICKING = ("pending", "accepted", "rejected", "cancelled")
BATCH = 200


@action(PUBLIC, trailed=True)
def cancel(*, actor: Actor, order_id: UUID, reason: str = "") -> None:
    """Call an order off, with a full refund. Who ordered may until picking starts, support until it leaves.

    Refuses TOO_LATE_TO_CANCEL, WRONG_STATE when it has ended already, and OVER_LIMIT for what goes back.
    """
    reason = clean(reason, 40, "reason")
    order = find(actor, order_id, lock=True)
    mine = owns(actor, order)
    if not mine:
        require(actor, "orders.cancel_any")
        within(actor, "orders.cancel_any", left(order))
    if order.status not in ("pending", "confirmed"):
        raise Refused(WRONG_STATE, state=order.status)
    going = fulfilments.of_order(order.pk)
    if going is not None:
        before = going.status in BEFORE_PICKING
        if going.status in WITH_COURIER or (not before and not actor.may("orders.cancel_any")):
            raise Refused(TOO_LATE_TO_CANCEL)
    call_off(actor, order, reason if reason not in ("", "expired") else "customer" if mine else "support")


@action(SYSTEM)
def let_down(*, actor: Actor, order_id: UUID, reason: str) -> None:
    """`cancel` what the platform cannot do ("no_store", "no_courier"), with the retailer's credit for a broken promise.

    Refuses as `cancel` does.
    """
    cancel(actor=actor, order_id=order_id, reason=reason)
    credit = organisations.terms(find(actor, order_id).organisation_id).late_credit
    if credit:
        compensate(actor=actor, order_id=order_id, amount=credit, reason=reason)


@action(SYSTEM)
def fulfilment_ended(*, actor: Actor, order_id: UUID, fulfilment_id: UUID, reason: str) -> None:
    """The fulfilment stopped by itself (all short, not packed or collected, came back): the order ends, in full refund.

    Does nothing for an order that ended first, or that another store has meanwhile.
    """
    order = find(actor, order_id, lock=True)
    latest = fulfilments.of_order(order.pk)
    if order.status == "confirmed" and latest is not None and latest.id == fulfilment_id:
        call_off(actor, order, reason[:40] or "store")


@action(SYSTEM)
def complete(*, actor: Actor, order_id: UUID) -> None:
    """The goods are with the shopper: what was paid for them becomes revenue. Twice is once."""
    order = find(actor, order_id, lock=True)
    if order.status == "completed":
        return
    settle(order, Axes("delivered"), actor=actor.name)
    if order.captured == 0:
        stop_paying(actor, order)
    funds = order.captured - order.refunded
    fee = min(order.delivery_fee, funds)
    ledger.post(
        key=f"order:{order.pk}:completed",
        kind="order_completed",
        cause=order.pk,
        actor=actor,
        lines=[
            (AccountRef(order.organisation_id, "customer_funds", order.currency), funds),
            (AccountRef(order.organisation_id, "goods_revenue", order.currency), fee - funds),
            (AccountRef(order.organisation_id, "delivery_revenue", order.currency), -fee),
        ],
    )
    tell(order, OrderCompleted(order.pk, order.store_id))


@action(SYSTEM)
def expire(*, actor: Actor, order_id: UUID) -> bool:
    """End an order that nobody paid in time. Whether it was still there to end."""
    order = find(actor, order_id, lock=True)
    if order.status != "pending" or order.expires_at > clock.now():
        return False
    close_as_expired(actor, order)
    return True


def expire_due(*, actor: Actor, limit: int = BATCH) -> int:
    """Expire what is due, each order in a transaction of its own. Returns how many ended.

    One transaction for all would lock shelves in the order of orders, against everyone else's.
    """
    require(actor, SYSTEM)
    rows = Order.objects.filter(status="pending", expires_at__lte=clock.now()).order_by("expires_at")
    return sum(expire(actor=actor, order_id=order_id) for order_id in list(rows.values_list("pk", flat=True)[:limit]))


expire_due.__policy__ = SYSTEM  # type: ignore[attr-defined]
