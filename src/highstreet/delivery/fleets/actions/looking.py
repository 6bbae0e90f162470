"""What nobody may forget: callbacks that wait, deliveries that could not follow, calls that are due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q

from highstreet.kernel import clock, queue
from highstreet.kernel.policy import SYSTEM, Actor, require

from ..models import FleetEvent, FleetOrder
from ..states import LIVE
from ..steps import follow, locked, raise_alert
from .callbacks import apply_event

log = structlog.get_logger(__name__)
BATCH = 200
# A callback's own job is given this long before the sweep takes it.
JOBS_SECONDS = 2
# How long a bag that is said to be gone may be on its way through the store's app.
UNPACKED = timedelta(minutes=5)


def look_after(*, actor: Actor) -> int:
    """Apply callbacks whose job died, let deliveries follow that had to wait for their store, and have every call made
    that is due. Returns how much there was to do. Each in a transaction of its own."""
    require(actor, SYSTEM)
    now = clock.now()
    waiting = FleetEvent.objects.filter(applied_at=None, received_at__lte=now - timedelta(seconds=JOBS_SECONDS))
    events = list(waiting.order_by("received_at").values_list("pk", flat=True)[:BATCH])
    behind = list(FleetOrder.objects.filter(behind=True).order_by("pk").values_list("pk", flat=True)[:BATCH])
    for event_id in events:
        _one("apply", partial(apply_event, actor=actor, event_id=event_id))
    for order_id in behind:
        _one("follow", partial(_catch_up, actor, order_id))
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    due = FleetOrder.objects.filter(free, status__in=LIVE, next_at__lte=now).order_by("next_at")
    calls = [str(key) for key in due.values_list("pk", flat=True)[:BATCH]]
    queue.defer_all("fleets.call", [{"order_id": key} for key in calls])
    return len(events) + len(behind) + len(calls)


look_after.__policy__ = SYSTEM  # type: ignore[attr-defined]


def _catch_up(actor: Actor, order_id: UUID) -> None:
    with transaction.atomic():
        row = locked(order_id)
        if row.behind and follow(actor, row) == "behind" and clock.now() - row.since > UNPACKED:
            raise_alert(row, "not_packed", told=row.told)


def _one(what: str, work: Callable[[], object]) -> None:
    try:
        work()
    except Exception:
        # One poisoned row must not keep the others waiting; it is tried again.
        log.exception("fleets.look_after", doing=what)
