"""Payments, refunds and alerts as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from highstreet.kernel.policy import Actor, require
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND

from .models import Alert, PaymentIntent, Refund


@dataclass(frozen=True)
class IntentView:
    """A payment. `jsapi` is set only in the answer of `actions.start` with an openid."""

    id: UUID
    payable: UUID
    organisation_id: UUID
    provider: str
    status: str
    out_trade_no: str
    amount: int
    captured: int
    refunded: int
    currency: str
    code_url: str
    created_at: datetime
    expires_at: datetime
    jsapi: dict[str, str] | None = None

    @property
    def left(self) -> int:
        """Captured and not yet on its way back."""
        return self.captured - self.refunded


@dataclass(frozen=True)
class RefundView:
    id: UUID
    intent_id: UUID
    key: str
    amount: int
    reason: str
    status: str
    tries: int
    created_at: datetime
    done_at: datetime | None


@dataclass(frozen=True)
class AlertView:
    id: UUID
    kind: str
    subject: str
    facts: dict[str, Any]
    at: datetime


def view_of(row: PaymentIntent, jsapi: dict[str, str] | None = None) -> IntentView:
    return IntentView(
        row.pk,
        row.payable,
        row.organisation_id,
        row.provider,
        row.status,
        row.out_trade_no,
        row.amount,
        row.captured,
        row.refunded,
        row.currency,
        row.code_url,
        row.created_at,
        row.expires_at,
        jsapi,
    )


def intent(intent_id: UUID) -> IntentView:
    """A payment; NOT_FOUND if there is none. Callers have checked whose it is, here and below."""
    row = PaymentIntent.objects.filter(pk=intent_id).first()
    if row is None:
        raise Refused(NOT_FOUND)
    return view_of(row)


def intents(payable: UUID) -> list[IntentView]:
    """Every payment asked for `payable`, oldest first."""
    return [view_of(row) for row in PaymentIntent.objects.filter(payable=payable).order_by("created_at", "id")]


def refunds(payable: UUID) -> list[RefundView]:
    """Every refund of `payable`, oldest first."""
    rows = Refund.objects.filter(intent__payable=payable).order_by("created_at", "id")
    return [
        RefundView(
            row.pk, row.intent_id, row.key, row.amount, row.reason, row.status, row.tries, row.created_at, row.done_at
        )
        for row in rows
    ]


def alerts(actor: Actor, limit: int = 100) -> list[AlertView]:
    """What someone of the actor's organisation must look at, newest first."""
    require(actor, "console.read")
    rows = Alert.objects.visible_to(actor).filter(closed_at=None).order_by("-at")[:limit]
    return [AlertView(row.pk, row.kind, row.subject, row.facts, row.at) for row in rows]
