"""What stores, couriers and orders cause here."""

from __future__ import annotations

from datetime import datetime

from highstreet.delivery.couriers.events import ShiftEnded, ShiftStarted
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.fulfilment.events import (
    FulfilmentCollected,
    FulfilmentDelivered,
    FulfilmentFailed,
    FulfilmentReady,
    FulfilmentReturned,
    StartMoved,
)
from highstreet.trade.orders.events import OrderCancelled, OrderExpired, OrderRerouted

from . import actions

# Goods that never came as they should: a broken promise, whatever the time.
SPOILT = ("damaged", "lost")


def ready(event: FulfilmentReady) -> None:
    actions.packed(actor=THE_SYSTEM, order_id=event.order_id, at=datetime.fromisoformat(event.at))


def start_moved(event: StartMoved) -> None:
    actions.begun(actor=THE_SYSTEM, order_id=event.order_id, at=datetime.fromisoformat(event.start_at))


def delivered(event: FulfilmentDelivered) -> None:
    actions.fulfilled(actor=THE_SYSTEM, order_id=event.order_id, at=datetime.fromisoformat(event.at))


def ride_over(event: FulfilmentDelivered | FulfilmentReturned) -> None:
    group = fulfilments.detail(THE_SYSTEM, event.fulfilment_id).group
    actions.used_up(actor=THE_SYSTEM, group=group)


def collected(event: FulfilmentCollected) -> None:
    actions.fulfilled(actor=THE_SYSTEM, order_id=event.order_id, at=datetime.fromisoformat(event.at))


def failed(event: FulfilmentFailed) -> None:
    if event.reason in SPOILT:
        actions.spoilt(actor=THE_SYSTEM, order_id=event.order_id)


def returned(event: FulfilmentReturned) -> None:
    actions.void(actor=THE_SYSTEM, order_id=event.order_id)


def rerouted(event: OrderRerouted) -> None:
    actions.moved(actor=THE_SYSTEM, order_id=event.order_id, store_id=event.store_id)


def cancelled(event: OrderCancelled) -> None:
    actions.void(actor=THE_SYSTEM, order_id=event.order_id)


def expired(event: OrderExpired) -> None:
    actions.void(actor=THE_SYSTEM, order_id=event.order_id)


def shift_started(event: ShiftStarted) -> None:
    actions.open_slots(actor=THE_SYSTEM, city_id=event.city_id)


def shift_ended(event: ShiftEnded) -> None:
    actions.open_slots(actor=THE_SYSTEM, city_id=event.city_id)
