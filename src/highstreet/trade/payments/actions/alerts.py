"""Alerts: closed by whoever has looked."""

from __future__ import annotations

from uuid import UUID

from highstreet.kernel import clock
from highstreet.kernel.policy import Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND

from ..models import Alert


@action("orders.refund")
def close_alert(*, actor: Actor, alert_id: UUID) -> None:
    """Someone has looked. NOT_FOUND for another organisation's, and for what is closed already."""
    moved = Alert.objects.visible_to(actor).filter(pk=alert_id, closed_at=None).update(closed_at=clock.now())
    if moved != 1:
        raise Refused(NOT_FOUND)
