"""What the outbox calls for each event that partners may hear."""

from __future__ import annotations

from typing import Any

from highstreet.kernel.policy import THE_SYSTEM

from . import actions


def publish(event: Any) -> None:
    actions.publish(actor=THE_SYSTEM, event=event)
