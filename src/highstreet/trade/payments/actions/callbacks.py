"""What providers tell us: verified, kept, answered; then applied by a job, however often it comes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from highstreet.kernel import clock, failpoints, ids, queue
from highstreet.kernel.policy import PUBLIC, SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused

from .. import gateways
from ..gateways import Payment, Repayment
from ..models import PaymentIntent, Refund, TransactionEvent
from ..refusals import NOT_BELIEVED
from ..rules import GIVE_UP_SECONDS
from ..steps import capture, heard, raise_alert

log = structlog.get_logger(__name__)
MAX_ID = 64
MAX_TYPE = 40


def receive_notification(*, actor: Actor, provider: str, headers: Mapping[str, str], body: bytes) -> UUID:
    """Verify a callback and keep it; returns the inbox row's id, the same for every repetition.

    Verified outside the transaction, without any outbound call. NOT_BELIEVED, without saying why, for
    whatever is not genuine.
    """
    try:
        notice = gateways.gateway(provider).verify(headers, body)
        if len(notice.event_id) > MAX_ID or len(notice.event_type) > MAX_TYPE or not _storable(notice.resource):
            raise gateways.Forged("not_storable")
    except gateways.Forged as forged:
        log.warning("payments.not_believed", provider=provider, why=forged.reason)
        raise Refused(NOT_BELIEVED) from None
    row = TransactionEvent(
        id=ids.new_id(),
        provider=provider,
        event_id=notice.event_id,
        event_type=notice.event_type,
        resource=notice.resource,
        received_at=clock.now(),
    )
    with transaction.atomic():
        TransactionEvent.objects.bulk_create([row], ignore_conflicts=True)
        kept = TransactionEvent.objects.values_list("pk", flat=True).get(provider=provider, event_id=notice.event_id)
        if kept == row.pk:
            queue.defer("payments.apply", event_id=str(row.pk))
    failpoints.reach("payments.inbox", "kept")
    return kept


receive_notification.__policy__ = PUBLIC  # type: ignore[attr-defined]


@action(SYSTEM)
def apply_event(*, actor: Actor, event_id: UUID) -> str:
    """Do what a kept callback says, once. Returns its outcome; "waiting" when nothing here knows it yet.

    A callback may come before the order's transaction commits: it waits in the inbox, and becomes an
    alert after five minutes.
    """
    row = TransactionEvent.objects.select_for_update(no_key=True).get(pk=event_id)
    if row.applied_at is not None:
        return row.outcome
    outcome = _apply(actor, row)
    if outcome == "waiting" and clock.now() - row.received_at >= _patience():
        raise_alert("callback_unknown", row.event_id, None, event_type=row.event_type)
        outcome = "unknown"
    if outcome != "waiting":
        row.applied_at, row.outcome = clock.now(), outcome[:60]
        row.save(update_fields=["applied_at", "outcome"])
    return outcome


def _patience() -> timedelta:
    return timedelta(seconds=GIVE_UP_SECONDS * max(1.0, clock.speed()))


def _apply(actor: Actor, row: TransactionEvent) -> str:
    try:
        told = gateways.gateway(row.provider).read(row.event_type, row.resource)
    except gateways.Mismatched as mismatch:
        raise_alert(f"callback_{mismatch.reason}", row.event_id, None, event_type=row.event_type)
        return f"mismatch:{mismatch.reason}"
    if isinstance(told, Payment):
        return _payment(actor, row, told)
    if isinstance(told, Repayment):
        return _repayment(actor, row, told)
    return "ignored"


def _payment(actor: Actor, row: TransactionEvent, told: Payment) -> str:
    intent = PaymentIntent.objects.filter(provider=row.provider, out_trade_no=told.out_trade_no).first()
    if intent is None:
        return "waiting"
    if told.state != "paid":
        return "ignored"
    return capture(
        actor,
        intent,
        amount=told.amount,
        currency=told.currency,
        provider_id=told.provider_id,
        subject=row.event_id,
    )


def _repayment(actor: Actor, row: TransactionEvent, told: Repayment) -> str:
    refund = (
        Refund.objects.select_related("intent")
        .filter(out_refund_no=told.out_refund_no, intent__provider=row.provider)
        .first()
    )
    if refund is None:
        return "waiting"
    return heard(actor, refund, told, subject=row.event_id)


def _storable(resource: dict[str, Any]) -> bool:
    """PostgreSQL keeps neither NUL nor halves of a surrogate pair in JSON."""
    try:
        text = json.dumps(resource, ensure_ascii=False)
        return "\\u0000" not in text and bool(text.encode("utf-8"))
    except (UnicodeError, ValueError, RecursionError):
        return False
