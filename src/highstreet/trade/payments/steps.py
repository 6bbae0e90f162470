"""What actions are made of: steps in the caller's transaction, under the caller's permission."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog

from highstreet.kernel import clock, ids, ledger, outbox
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.policy import Actor
from highstreet.kernel.refusal import Refused
from highstreet.kernel.states import move

from . import ports
from .events import PaymentCaptured, RefundFailed, RefundSettled
from .gateways import Repayment
from .models import Alert, PaymentIntent, Refund
from .rules import ACCOUNTS, difference
from .states import PAYMENT, REFUND

log = structlog.get_logger(__name__)


def lock_payable(intent: PaymentIntent) -> None:
    if ports.payable_lock.filled:
        ports.payable_lock()(intent.payable)


def money_account(intent: PaymentIntent) -> AccountRef:
    """Where the provider's (or the till's) money of this payment is booked."""
    return AccountRef(intent.organisation_id, ACCOUNTS[intent.provider], intent.currency)


def account(intent: PaymentIntent, code: str) -> AccountRef:
    return AccountRef(intent.organisation_id, code, intent.currency)


def topics(intent: PaymentIntent) -> list[str]:
    return [f"order:{intent.payable}"]


def raise_alert(kind: str, subject: str, organisation_id: UUID | None, **facts: Any) -> None:
    """Someone of the organisation must look at `subject` (None: of who runs the platform). Does nothing while the
    same alert is open."""
    log.warning("payments.alert", kind=kind, subject=subject, **facts)
    if not Alert.objects.filter(kind=kind, subject=subject, closed_at=None).exists():
        Alert.objects.create(
            id=ids.new_id(),
            organisation_id=organisation_id,
            kind=kind,
            subject=subject[:80],
            facts=facts,
            at=clock.now(),
        )


def capture(actor: Actor, intent: PaymentIntent, *, amount: int, currency: str, provider_id: str, subject: str) -> str:
    """Book what the provider says was paid, in the caller's transaction. Returns what came of it:

    "captured", "repeated" (already booked), or "mismatch:…" with an alert about `subject` and nothing
    booked. Late captures (of a closed payment) are booked like others: `ports.payables` decides.
    """
    wrong = difference((intent.amount, intent.currency), (amount, currency))
    if not wrong and intent.status == "captured" and intent.provider_id != provider_id:
        wrong = "second_payment"
    if wrong:
        raise_alert(
            f"payment_{wrong}",
            subject,
            intent.organisation_id,
            out_trade_no=intent.out_trade_no,
            amount=amount,
            currency=currency,
            provider_id=provider_id,
            asked=intent.amount,
        )
        return f"mismatch:{wrong}"
    return "captured" if book(actor, intent, amount, provider_id) else "repeated"


def book(actor: Actor, intent: PaymentIntent, amount: int, provider_id: str, into: AccountRef | None = None) -> bool:
    """The state, the journal, the fact and the payable, in the caller's transaction. False if done before.

    `into` is where the money is, if not where the provider's always is.
    """
    if intent.status == "captured":
        return False
    lock_payable(intent)
    try:
        move(PAYMENT, intent, "capture", actor=actor.name, captured=amount, provider_id=provider_id)
    except Refused:
        return False
    ledger.post(
        key=f"capture:{intent.pk}",
        kind="payment_captured",
        cause=intent.payable,
        actor=actor,
        lines=[(into or money_account(intent), amount), (account(intent, "customer_funds"), -amount)],
    )
    outbox.emit(
        PaymentCaptured(intent.pk, intent.payable, intent.provider, amount, intent.currency),
        topics=topics(intent),
    )
    ports.payables().captured(intent_id=intent.pk, payable=intent.payable, amount=amount, currency=intent.currency)
    return True


def heard(actor: Actor, row: Refund, told: Repayment, *, subject: str) -> str:
    """Do what the provider says of a refund, in the caller's transaction. Returns what came of it."""
    wrong = difference((row.amount, row.intent.currency), (told.amount, told.currency))
    if not wrong and told.out_trade_no != row.intent.out_trade_no:
        wrong = "other_payment"
    if wrong:
        whose = row.intent.organisation_id
        raise_alert(f"refund_{wrong}", subject, whose, out_refund_no=row.out_refund_no, amount=told.amount)
        return f"mismatch:{wrong}"
    if told.state == "succeeded":
        return "settled" if settle(actor, row, told.provider_id) else "repeated"
    if told.state == "failed":
        raise_alert("refund_failed", row.out_refund_no, row.intent.organisation_id, amount=row.amount)
        return "failed" if fail(actor, row, "the provider ended it") else "repeated"
    if row.status == "requested":
        try:
            move(REFUND, row, "send", actor=actor.name, provider_id=told.provider_id)
        except Refused:
            return "repeated"
    return "processing"


def settle(actor: Actor, row: Refund, provider_id: str) -> bool:
    """The money is back: state, journal, fact, payable, in the caller's transaction. False if done before."""
    if row.status == "succeeded":
        return False
    lock_payable(row.intent)
    try:
        move(REFUND, row, "succeed", actor=actor.name, provider_id=provider_id)
    except Refused:
        return False
    ledger.post(
        key=f"refund:{row.pk}",
        kind="refund_settled",
        cause=row.intent.payable,
        actor=actor,
        lines=[(account(row.intent, "refunds_payable"), row.amount), (money_account(row.intent), -row.amount)],
    )
    outbox.emit(RefundSettled(row.pk, row.intent.payable, row.amount), topics=topics(row.intent))
    ports.payables().refund_done(payable=row.intent.payable, amount=row.amount)
    return True


def fail(actor: Actor, row: Refund, note: str) -> bool:
    try:
        move(REFUND, row, "fail", actor=actor.name, note=note)
    except Refused:
        return False
    outbox.emit(RefundFailed(row.pk, row.intent.payable, row.amount), topics=topics(row.intent))
    return True
