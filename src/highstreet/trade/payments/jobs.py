"""Jobs of payments: apply a callback, close, send a refund; and the sweep for what never came."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from highstreet.kernel import clock
from highstreet.kernel.policy import THE_SYSTEM

from . import actions
from .models import TransactionEvent

log = structlog.get_logger(__name__)
RETRY = RetryStrategy(max_attempts=8, exponential_wait=2)
BATCH = 200


@app.task(name="payments.apply", retry=RETRY)
def apply(event_id: str) -> None:
    actions.apply_event(actor=THE_SYSTEM, event_id=UUID(event_id))


@app.task(name="payments.close", retry=RETRY)
def close(intent_id: str) -> None:
    actions.close_now(actor=THE_SYSTEM, intent_id=UUID(intent_id))


@app.task(name="payments.send_refund", retry=RETRY)
def send_refund(refund_id: str) -> None:
    actions.send_refund(actor=THE_SYSTEM, refund_id=UUID(refund_id))


# Every 5 seconds of the wall: croniter's sixth field.
@app.periodic(cron="* * * * * */5", periodic_id="payments.sweep")
@app.task(name="payments.sweep", queueing_lock="payments.sweep", lock="payments.sweep")
def sweep(timestamp: int) -> None:
    sweep_inbox()
    actions.sweep_intents(actor=THE_SYSTEM)
    actions.sweep_refunds(actor=THE_SYSTEM)


def sweep_inbox() -> int:
    """Apply callbacks that wait (for their order, or since their job died). Returns how many were tried."""
    since = clock.now() - timedelta(seconds=2)
    waiting = TransactionEvent.objects.filter(applied_at=None, received_at__lte=since).order_by("received_at")
    ids = list(waiting.values_list("pk", flat=True)[:BATCH])
    for event_id in ids:
        try:
            actions.apply_event(actor=THE_SYSTEM, event_id=event_id)
        except Exception:
            # One poisoned row must not keep the others from being applied; it is tried again.
            log.exception("payments.apply", event=str(event_id))
    return len(ids)
