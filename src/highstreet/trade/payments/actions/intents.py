"""A payment is asked for, started at the provider, asked about, closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F

from highstreet.kernel import clock, ids, outbox, queue, rows
from highstreet.kernel.breaker import Open
from highstreet.kernel.money import MAX_AMOUNT
from highstreet.kernel.policy import PUBLIC, SYSTEM, Actor, action, outside
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID, NOT_FOUND
from highstreet.kernel.states import move

from .. import gateways
from ..events import PaymentClosed
from ..gateways import Asked, ProviderRefused, ProviderUnavailable
from ..models import PaymentIntent
from ..reads import IntentView, view_of
from ..refusals import PAYMENT_OVER, PROVIDER_SAID_NO, PROVIDER_SILENT
from ..rules import ACCOUNTS, CASH, FRESH_SECONDS, ask_again, provider_expiry
from ..states import PAYMENT
from ..steps import capture, raise_alert, topics

log = structlog.get_logger(__name__)
# The provider's words for "nothing of this number can be paid any more" and "it is paid already".
GONE = frozenset({"ORDER_CLOSED", "ORDERCLOSED", "ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS"})
PAID = frozenset({"ORDERPAID", "ORDER_PAID"})


@action(PUBLIC)
def create_intent(
    *,
    actor: Actor,
    payable: UUID,
    organisation_id: UUID,
    provider: str,
    amount: int,
    currency: str,
    description: str,
    expires_at: datetime,
    openid: str = "",
) -> IntentView:
    """Write down what is to be paid; no network. Called by whoever is paid for (`trade.orders`)."""
    if provider not in ACCOUNTS:
        raise Refused(INVALID, field="provider", problem=provider[:20])
    if not 0 < amount <= MAX_AMOUNT:
        raise Refused(INVALID, field="amount", problem=str(amount))
    intent_id = ids.new_id()
    intent = PaymentIntent(
        id=intent_id,
        payable=payable,
        organisation_id=organisation_id,
        provider=provider,
        out_trade_no=intent_id.hex,
        amount=amount,
        currency=currency,
        description=description[:120],
        openid=openid[:128],
        created_at=clock.now(),
        expires_at=expires_at,
    )
    rows.put([intent])
    return view_of(intent)


@outside(PUBLIC)
def start(*, actor: Actor, intent_id: UUID, openid: str = "") -> IntentView:
    """Ask the provider for the way to pay: a QR code, or with `openid` the arguments of its own window.

    Safe to repeat: the same number at the provider is the same payment. Callers have checked whose it is.
    Refuses PAYMENT_OVER, PROVIDER_SILENT (nothing changed, try again), PROVIDER_SAID_NO.
    """
    intent = _get(intent_id)
    openid = openid or intent.openid
    if intent.status == "captured" or (intent.status == "created" and intent.code_url and not openid):
        return view_of(intent)
    remaining = (intent.expires_at - clock.now()).total_seconds()
    if intent.status != "created" or remaining <= 0:
        raise Refused(PAYMENT_OVER, state=intent.status if intent.status != "created" else "expired")
    wall = datetime.fromtimestamp(clock.wall(), tz=UTC)
    asked = Asked(
        intent.out_trade_no,
        intent.description,
        intent.amount,
        intent.currency,
        provider_expiry(wall, clock.real_seconds(remaining)),
        openid,
    )
    service = gateways.gateway(intent.provider)
    try:
        with gateways.breaker_of(service).call(ProviderUnavailable):
            started = service.start(asked)
    except (ProviderUnavailable, Open) as silence:
        log.warning("payments.silent", intent=str(intent_id), why=str(silence) or "left alone")
        raise Refused(PROVIDER_SILENT) from None
    except ProviderRefused as no:
        return _after_no(actor, intent, no)
    if started.code_url:
        PaymentIntent.objects.filter(pk=intent.pk).update(code_url=started.code_url)
        intent.code_url = started.code_url
    return view_of(intent, started.jsapi)


def _after_no(actor: Actor, intent: PaymentIntent, no: ProviderRefused) -> IntentView:
    """The provider will not start it: paid already, gone, or wrong; each leaves its state."""
    log.warning("payments.refused", intent=str(intent.pk), code=no.code, why=str(no))
    if no.code in PAID:
        query(actor=replace(actor, kind=SYSTEM), intent_id=intent.pk)
        return view_of(_get(intent.pk))
    with transaction.atomic():
        try:
            move(PAYMENT, intent, "close" if no.code in GONE else "fail", actor=actor.name, note=str(no))
        except Refused:
            return view_of(_get(intent.pk))
        if intent.status == "failed":
            raise_alert("payment_refused", intent.out_trade_no, intent.organisation_id, code=no.code)
    raise Refused(PROVIDER_SAID_NO)


@outside(SYSTEM)
def query(*, actor: Actor, intent_id: UUID) -> str:
    """Ask the provider what became of a payment and book it. Returns the state afterwards.

    Raises `ProviderUnavailable` when there is no answer to trust; then nothing has changed.
    """
    intent = _get(intent_id)
    service = gateways.gateway(intent.provider)
    if not service.networked:
        return intent.status
    PaymentIntent.objects.filter(pk=intent.pk).update(checked_at=clock.now())
    found = service.query(intent.out_trade_no)
    if found is not None and found.state == "paid":
        with transaction.atomic():
            capture(
                actor,
                intent,
                amount=found.amount,
                currency=found.currency,
                provider_id=found.provider_id,
                subject=intent.out_trade_no,
            )
    elif found is not None and found.state == "closed":
        _mark_closed(actor, intent)
    elif intent.status == "created" and intent.expires_at <= clock.now():
        _close_at(service, actor, intent)
    return _get(intent_id).status


@action(SYSTEM)
def close(*, actor: Actor, intent_id: UUID) -> None:
    """Nobody shall pay this any more: a job closes it at the provider, then here. A payment that was faster
    is captured. Called by whoever is paid for; may run inside their transaction.
    """
    queue.defer("payments.close", intent_id=str(intent_id))


@outside(SYSTEM)
def close_now(*, actor: Actor, intent_id: UUID) -> str:
    """Close a payment at the provider, then here. Raises `ProviderUnavailable` with nothing changed."""
    intent = _get(intent_id)
    if intent.status == "created":
        _close_at(gateways.gateway(intent.provider), actor, intent)
    return _get(intent_id).status


def _close_at(service: gateways.Gateway, actor: Actor, intent: PaymentIntent) -> None:
    try:
        service.close(intent.out_trade_no)
    except ProviderRefused as no:
        if no.code in PAID:
            found = service.query(intent.out_trade_no)
            if found is not None and found.state == "paid":
                with transaction.atomic():
                    capture(
                        actor,
                        intent,
                        amount=found.amount,
                        currency=found.currency,
                        provider_id=found.provider_id,
                        subject=intent.out_trade_no,
                    )
            return
        if no.code not in GONE:
            raise_alert("close_refused", intent.out_trade_no, intent.organisation_id, code=no.code)
            return
    _mark_closed(actor, intent)


def _mark_closed(actor: Actor, intent: PaymentIntent) -> None:
    with transaction.atomic():
        try:
            move(PAYMENT, intent, "close", actor=actor.name)
        except Refused:
            return
        outbox.emit(PaymentClosed(intent.pk, intent.payable), topics=topics(intent))


@outside(SYSTEM)
def sweep_intents(*, actor: Actor, limit: int = 100) -> int:
    """Ask about open payments whose callback may never come. Returns how many were asked about."""
    now = clock.now()
    old = now - timedelta(seconds=FRESH_SECONDS)
    rows = list(
        PaymentIntent.objects.filter(status="created", created_at__lte=old)
        .exclude(provider__in=CASH)
        .order_by(F("checked_at").asc(nulls_first=True), "created_at")[: limit * 5]
    )
    asked = 0
    for row in rows:
        since = _wall(now - row.checked_at) if row.checked_at else None
        if not ask_again(_wall(now - row.created_at), since) and row.expires_at > now:
            continue
        try:
            query(actor=actor, intent_id=row.pk)
        except (ProviderUnavailable, ProviderRefused) as error:
            log.warning("payments.query", intent=str(row.pk), why=str(error))
        except Refused as refused:
            log.warning("payments.query", intent=str(row.pk), why=refused.reason.code)
        asked += 1
        if asked >= limit:
            break
    return asked


def _wall(business: timedelta) -> timedelta:
    return timedelta(seconds=clock.real_seconds(business.total_seconds()))


def _get(intent_id: UUID) -> PaymentIntent:
    intent = PaymentIntent.objects.filter(pk=intent_id).first()
    if intent is None:
        raise Refused(NOT_FOUND)
    return intent
