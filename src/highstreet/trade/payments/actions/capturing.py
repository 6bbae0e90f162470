"""Cash, at the counter and at the door."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.policy import SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID

from ..models import PaymentIntent
from ..refusals import NOTHING_OPEN
from ..rules import AT_DOOR, AT_PICKUP, COURIER_CASH
from ..steps import book

__all__ = ["Till", "book", "capture_at_counter", "capture_at_door"]


@action("fulfilment.work")
def capture_at_counter(*, actor: Actor, intent_id: UUID, amount: int) -> None:
    """Cash was taken for an "at_pickup" payment: what was asked, or less where units were short."""
    intent = _open(PaymentIntent.objects.filter(pk=intent_id, provider=AT_PICKUP), amount)
    if not book(actor, intent, amount, ""):
        raise Refused(NOTHING_OPEN)


@action(SYSTEM)
def capture_at_door(*, actor: Actor, intent_id: UUID, amount: int, courier_id: UUID) -> None:
    """A courier took cash for an "at_door" payment and has it until it is handed in."""
    intent = _open(PaymentIntent.objects.filter(pk=intent_id, provider=AT_DOOR), amount)
    if not book(actor, intent, amount, "", AccountRef(courier_id, COURIER_CASH, intent.currency)):
        raise Refused(NOTHING_OPEN)


def _open(among: QuerySet[PaymentIntent], amount: int) -> PaymentIntent:
    """The latest of them that is open; NOTHING_OPEN, or INVALID where it asks for less than `amount`."""
    intent = among.filter(status="created").order_by("-created_at").first()
    if intent is None:
        raise Refused(NOTHING_OPEN)
    if not 0 < amount <= intent.amount:
        raise Refused(INVALID, field="amount", problem=str(amount))
    return intent


class Till:
    """Fills `fulfilment.ports.counter`."""

    def take(self, *, actor: Actor, payable: UUID, amount: int) -> None:
        intent = _open(PaymentIntent.objects.filter(payable=payable, provider=AT_PICKUP), amount)
        capture_at_counter(actor=actor, intent_id=intent.pk, amount=amount)

    def take_at_door(self, *, actor: Actor, payable: UUID, amount: int, courier_id: UUID) -> None:
        intent = _open(PaymentIntent.objects.filter(payable=payable, provider=AT_DOOR), amount)
        capture_at_door(actor=actor, intent_id=intent.pk, amount=amount, courier_id=courier_id)
