"""What orders do when a fulfilment says what happened: one action an event."""

from __future__ import annotations

from highstreet.kernel.policy import THE_SYSTEM
from highstreet.trade.fulfilment.events import (
    FulfilmentCancelled,
    FulfilmentCollected,
    FulfilmentDelivered,
    FulfilmentRejected,
    FulfilmentReturned,
    LineShort,
    LineSubstituted,
)

from . import actions
from .events import OrderStoreLost


def rejected(event: FulfilmentRejected) -> None:
    actions.lose_store(
        actor=THE_SYSTEM, order_id=event.order_id, fulfilment_id=event.fulfilment_id, reason=event.reason
    )


def store_lost(event: OrderStoreLost) -> None:
    actions.reroute(actor=THE_SYSTEM, order_id=event.order_id)


def short(event: LineShort) -> None:
    actions.refund_short(actor=THE_SYSTEM, order_line_id=event.order_line_id, units=event.units)


def substituted(event: LineSubstituted) -> None:
    actions.refund_difference(
        actor=THE_SYSTEM, order_line_id=event.order_line_id, units=event.units, price_below=event.price_below
    )


def delivered(event: FulfilmentDelivered) -> None:
    actions.complete(actor=THE_SYSTEM, order_id=event.order_id)


def collected(event: FulfilmentCollected) -> None:
    actions.complete(actor=THE_SYSTEM, order_id=event.order_id)


def cancelled(event: FulfilmentCancelled) -> None:
    actions.fulfilment_ended(
        actor=THE_SYSTEM, order_id=event.order_id, fulfilment_id=event.fulfilment_id, reason=event.reason
    )


def returned(event: FulfilmentReturned) -> None:
    actions.fulfilment_ended(
        actor=THE_SYSTEM, order_id=event.order_id, fulfilment_id=event.fulfilment_id, reason="returned"
    )
