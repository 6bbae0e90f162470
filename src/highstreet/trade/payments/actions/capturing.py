"""Money has come: book it once and tell whoever it was for."""

from __future__ import annotations

from uuid import UUID

from highstreet.kernel import ledger, outbox
from highstreet.kernel.policy import Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID
from highstreet.kernel.states import move

from .. import ports
from ..events import PaymentCaptured
from ..models import PaymentIntent
from ..refusals import NOTHING_OPEN
from ..rules import AT_PICKUP, difference
from ..states import PAYMENT
from .alerts import raise_alert
from .common import account, lock_payable, money_account, topics


def capture(
    actor: Actor, intent: PaymentIntent, *, amount: int, currency: str, provider_id: str, subject: str
) -> str:
    """Book what the provider says was paid, in the caller's transaction. Returns what came of it:

    "captured", "repeated" (already booked), or "mismatch:…" with an alert about `subject` and nothing
    booked. Late captures (of a closed payment) are booked like others: `ports.payables` decides.
    """
    wrong = difference((intent.amount, intent.currency), (amount, currency))
    if not wrong and intent.status == "captured" and intent.provider_id != provider_id:
        wrong = "second_payment"
    if wrong:
        raise_alert(f"payment_{wrong}", subject, out_trade_no=intent.out_trade_no, amount=amount,
                    currency=currency, provider_id=provider_id, asked=intent.amount)
        return f"mismatch:{wrong}"
    return "captured" if book(actor, intent, amount, provider_id) else "repeated"


def book(actor: Actor, intent: PaymentIntent, amount: int, provider_id: str) -> bool:
    """The state, the journal, the fact and the payable, in the caller's transaction. False if done before."""
    if intent.status == "captured":
        return False
    lock_payable(intent)
    try:
        move(PAYMENT, intent, "capture", actor=actor.name, captured=amount, provider_id=provider_id)
    except Refused:
        return False
    ledger.post(
        key=f"capture:{intent.pk}", kind="payment_captured", cause=intent.payable, actor=actor,
        lines=[(money_account(intent), amount), (account(intent, "customer_funds"), -amount)],
    )
    outbox.emit(
        PaymentCaptured(intent.pk, intent.payable, intent.provider, amount, intent.currency),
        topics=topics(intent),
    )
    ports.payables().captured(
        intent_id=intent.pk, payable=intent.payable, amount=amount, currency=intent.currency
    )
    return True


@action("fulfilment.work")
def capture_at_counter(*, actor: Actor, intent_id: UUID, amount: int) -> None:
    """Cash was taken for an "at_pickup" payment: what was asked, or less where units were short."""
    intent = PaymentIntent.objects.filter(pk=intent_id, provider=AT_PICKUP, status="created").first()
    if intent is None:
        raise Refused(NOTHING_OPEN)
    if not 0 < amount <= intent.amount:
        raise Refused(INVALID, field="amount", problem=str(amount))
    if not book(actor, intent, amount, ""):
        raise Refused(NOTHING_OPEN)


class Till:
    """Fills `fulfilment.ports.counter`."""

    def take(self, *, actor: Actor, payable: UUID, amount: int) -> None:
        open_ones = PaymentIntent.objects.filter(payable=payable, provider=AT_PICKUP, status="created")
        intent = open_ones.order_by("-created_at").first()
        if intent is None:
            raise Refused(NOTHING_OPEN)
        capture_at_counter(actor=actor, intent_id=intent.pk, amount=amount)
