"""What stores and orders cause here."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from highstreet.kernel import outbox
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.fulfilment.events import (
    FulfilmentAccepted,
    FulfilmentCancelled,
    FulfilmentHandedOver,
    FulfilmentReady,
    FulfilmentRejected,
    StartMoved,
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
        not_before=brief.not_before,
        # A chosen window's store begins when it was told to: no courier may come sooner.
        start_at=datetime.fromisoformat(event.start_at) if event.start_at and brief.not_before is None else None,
        cash=brief.collect_due > 0,
    )


def _begun(fulfilment_id: UUID) -> None:
    """What comes after the delivery's beginning waits for it: jobs run side by side, and one may be tried again."""
    outbox.after("delivery.dispatch.handlers.accepted", naming=fulfilment_id)


def ready(event: FulfilmentReady) -> None:
    if event.mode == "delivery":
        _begun(event.fulfilment_id)
        actions.mark_ready(actor=THE_SYSTEM, fulfilment_id=event.fulfilment_id, at=datetime.fromisoformat(event.at))


def start_moved(event: StartMoved) -> None:
    _begun(event.fulfilment_id)
    actions.store_begins(actor=THE_SYSTEM, fulfilment_id=event.fulfilment_id, at=datetime.fromisoformat(event.start_at))


def handed_over(event: FulfilmentHandedOver) -> None:
    _begun(event.fulfilment_id)
    actions.hand_over(actor=THE_SYSTEM, fulfilment_id=event.fulfilment_id)


def cancelled(event: FulfilmentCancelled) -> None:
    _begun(event.fulfilment_id)
    actions.cancel(actor=THE_SYSTEM, fulfilment_id=event.fulfilment_id, reason=event.reason)


def rejected(event: FulfilmentRejected) -> None:
    _begun(event.fulfilment_id)
    actions.cancel(actor=THE_SYSTEM, fulfilment_id=event.fulfilment_id, reason=event.reason)
