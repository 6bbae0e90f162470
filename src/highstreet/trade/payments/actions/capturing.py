"""Cash at the counter."""

from __future__ import annotations

from uuid import UUID

from highstreet.kernel.policy import Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID

from ..models import PaymentIntent
from ..refusals import NOTHING_OPEN
from ..rules import AT_PICKUP
from ..steps import book

__all__ = ["Till", "book", "capture_at_counter"]


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
