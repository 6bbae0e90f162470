"""Alerts: what is genuine and does not fit. Written once while open; closed by a person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog

from highstreet.kernel import clock, ids
from highstreet.kernel.policy import Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND

from ..models import Alert

log = structlog.get_logger(__name__)


def raise_alert(kind: str, subject: str, **facts: Any) -> None:
    """Someone must look at `subject`. Does nothing while the same alert is open."""
    log.warning("payments.alert", kind=kind, subject=subject, **facts)
    if not Alert.objects.filter(kind=kind, subject=subject, closed_at=None).exists():
        Alert.objects.create(id=ids.new_id(), kind=kind, subject=subject[:80], facts=facts, at=clock.now())


@action("orders.refund")
def close_alert(*, actor: Actor, alert_id: UUID) -> None:
    """Someone has looked."""
    moved = Alert.objects.filter(pk=alert_id, closed_at=None).update(closed_at=clock.now())
    if moved != 1:
        raise Refused(NOT_FOUND)
