"""What dispatch causes here, and what we cause in orders."""

from __future__ import annotations

from highstreet.delivery.dispatch.events import DeliveryCalledOff
from highstreet.kernel.policy import THE_SYSTEM

from . import actions
from .events import NobodyBrings


def called_off(event: DeliveryCalledOff) -> None:
    actions.call_off(actor=THE_SYSTEM, delivery_id=event.delivery_id)


def nobody_brings(event: NobodyBrings) -> None:
    actions.end_order(actor=THE_SYSTEM, order_id=event.order_id, delivery_id=event.delivery_id)
