"""Money on its way back: asked for once, sent until the provider has answered, booked once."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F

from highstreet.kernel import clock, failpoints, ids, queue
from highstreet.kernel.policy import SYSTEM, Actor, action, outside
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID, NOT_FOUND
from highstreet.kernel.states import move
from highstreet.supply.stores import reads as stores

from .. import gateways
from ..gateways import ProviderRefused, ProviderUnavailable
from ..models import PaymentIntent, Refund
from ..refusals import MORE_THAN_LEFT
from ..rules import try_again
from ..states import REFUND
from ..steps import fail, heard, raise_alert

log = structlog.get_logger(__name__)
# Refusals that pass: our balance at the provider is low, or we asked too often.
PASSING = frozenset({"NOT_ENOUGH", "NOTENOUGH", "FREQUENCY_LIMITED", "FREQUENCY_LIMIT_EXCEED", "SYSTEM_ERROR"})


@action(SYSTEM)
def refund(*, actor: Actor, payable: UUID, amount: int, reason: str, key: str, intent_id: UUID | None = None) -> UUID:
    """Send `amount` fen of a captured payment back; the same `key` again is the same refund.

    Takes from the payment `intent_id`, or from the first of `payable` that has so much left. Called by
    whoever was paid for, which has decided who may. Refuses MORE_THAN_LEFT.
    """
    if amount <= 0:
        raise Refused(INVALID, field="amount", problem=str(amount))
    known = Refund.objects.filter(key=key).values_list("pk", flat=True).first()
    if known is not None:
        return known
    rows = PaymentIntent.objects.filter(payable=payable, status="captured")
    if intent_id is not None:
        rows = rows.filter(pk=intent_id)
    for intent in rows.order_by("created_at", "id"):
        if intent.captured - intent.refunded < amount:
            continue
        row = Refund(id=ids.new_id(), intent=intent, key=key, amount=amount, reason=reason[:60], created_at=clock.now())
        row.out_refund_no = row.pk.hex
        Refund.objects.bulk_create([row], ignore_conflicts=True)
        kept = Refund.objects.values_list("pk", flat=True).get(key=key)
        if kept != row.pk:
            return kept
        taken = PaymentIntent.objects.filter(
            pk=intent.pk, status="captured", captured__gte=F("refunded") + amount
        ).update(refunded=F("refunded") + amount)
        if taken == 1:
            queue.defer("payments.send_refund", refund_id=str(row.pk))
            return row.pk
        Refund.objects.filter(pk=row.pk).delete()
    raise Refused(MORE_THAN_LEFT)


@outside(SYSTEM)
def send_refund(*, actor: Actor, refund_id: UUID) -> str:
    """Send a refund to the provider, or ask what became of it. Returns its state afterwards.

    Raises `ProviderUnavailable` when there is no answer to trust: the state has not changed, and the same
    number is sent again later, which the provider takes as the same refund.
    """
    row = _get(refund_id)
    if row.status not in ("requested", "sent"):
        return row.status
    Refund.objects.filter(pk=row.pk).update(tries=F("tries") + 1, checked_at=clock.now())
    service = gateways.gateway(row.intent.provider)
    try:
        told = service.query_refund(row.out_refund_no) if row.status == "sent" else None
        if told is None:
            told = service.refund(
                out_trade_no=row.intent.out_trade_no,
                out_refund_no=row.out_refund_no,
                amount=row.amount,
                total=row.intent.captured,
                currency=row.intent.currency,
                reason=row.reason,
            )
    except ProviderRefused as no:
        with transaction.atomic():
            whose = row.intent.organisation_id
            raise_alert("refund_refused", row.out_refund_no, whose, code=no.code, amount=row.amount)
            if no.code not in PASSING:
                fail(actor, row, str(no))
        return _get(refund_id).status
    failpoints.reach("payments.provider", "refund")
    with transaction.atomic():
        heard(actor, row, told, subject=row.out_refund_no)
    return _get(refund_id).status


@action("orders.refund")
def retry_refund(*, actor: Actor, refund_id: UUID) -> None:
    """Send a failed refund of the actor's organisation anew, under a new number: the provider has ended the old one."""
    row = _get(refund_id)
    ours = row.intent.organisation_id == actor.organisation_id and stores.works_everywhere(actor)
    if actor.kind != SYSTEM and not ours:
        raise Refused(NOT_FOUND)
    fresh = ids.new_id().hex
    move(REFUND, row, "retry", actor=actor.name, note=row.out_refund_no, out_refund_no=fresh)
    queue.defer("payments.send_refund", refund_id=str(row.pk))


@outside(SYSTEM)
def sweep_refunds(*, actor: Actor, limit: int = 100) -> int:
    """Look after open refunds: send what was not sent, ask about what was. Returns how many."""
    now = clock.now()
    rows = Refund.objects.filter(status__in=["requested", "sent"]).order_by(F("checked_at").asc(nulls_first=True))[
        : limit * 5
    ]
    done = 0
    for row in rows:
        since = now - (row.checked_at or row.created_at)
        if not try_again(row.tries, timedelta(seconds=clock.real_seconds(since.total_seconds()))):
            continue
        try:
            send_refund(actor=actor, refund_id=row.pk)
        except ProviderUnavailable as silence:
            log.warning("payments.silent", refund=str(row.pk), why=str(silence))
        except Refused as refused:
            log.warning("payments.silent", refund=str(row.pk), why=refused.reason.code)
        done += 1
        if done >= limit:
            break
    return done


def _get(refund_id: UUID) -> Refund:
    row = Refund.objects.select_related("intent").filter(pk=refund_id).first()
    if row is None:
        raise Refused(NOT_FOUND)
    return row
