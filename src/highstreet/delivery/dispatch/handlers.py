"""What stores and orders cause here."""

from __future__ import annotations

from datetime import datetime

from highstreet.kernel.policy import THE_SYSTEM
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.fulfilment.events import (
    FulfilmentAccepted,
    FulfilmentCancelled,
    FulfilmentHandedOver,
    FulfilmentReady,
    FulfilmentRejected,
)

from . import actions


def accepted(event: FulfilmentAccepted) -> None:
    if event.mode != "delivery":
        return
    brief = fulfilments.detail(THE_SYSTEM, event.fulfilment_id)
    actions.create(
        actor=THE_SYSTEM,
        fulfilment_id=event.fulfilment_id,
        order_id=event.order_id,
        order_number=brief.order_number,
        store_id=event.store_id,
        lat=brief.lat,
        lon=brief.lon,
        promised_to=brief.promised_to,
        ready_by=datetime.fromisoformat(event.ready_by),
    )


def ready(event: FulfilmentReady) -> None:
    if event.mode == "delivery":
        actions.mark_ready(actor=THE_SYSTEM, fulfilment_id=event.fulfilment_id, at=datetime.fromisoformat(event.at))


def handed_over(event: FulfilmentHandedOver) -> None:
    actions.hand_over(actor=THE_SYSTEM, fulfilment_id=event.fulfilment_id)


def cancelled(event: FulfilmentCancelled) -> None:
    actions.cancel(actor=THE_SYSTEM, fulfilment_id=event.fulfilment_id, reason=event.reason)


def rejected(event: FulfilmentRejected) -> None:
    actions.cancel(actor=THE_SYSTEM, fulfilment_id=event.fulfilment_id, reason=event.reason)
