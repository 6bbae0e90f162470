"""Pause a store, slow it down, and open it again."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from highstreet.kernel import clock
from highstreet.kernel.policy import Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID

from .models import Store
from .reads import must_work_at

MAX_PAUSE_MINUTES = 24 * 60
MAX_EXTRA_MINUTES = 60


@action("store.manage")
def pause(*, actor: Actor, store_id: UUID, minutes: int) -> None:
    """Take no new orders for `minutes` (1 to a day); those accepted go on."""
    if not 1 <= minutes <= MAX_PAUSE_MINUTES:
        raise Refused(INVALID, field="minutes", problem=f"1-{MAX_PAUSE_MINUTES}")
    _set(actor, store_id, minutes)


@action("store.manage")
def resume(*, actor: Actor, store_id: UUID) -> None:
    """Take orders again at once."""
    _set(actor, store_id, None)


@action("store.manage")
def be_busy(*, actor: Actor, store_id: UUID, extra: int, minutes: int) -> None:
    """For `minutes` (1 to a day) every new promise allows `extra` minutes (1 to 60) more; 0 ends it at once."""
    if not 0 <= extra <= MAX_EXTRA_MINUTES:
        raise Refused(INVALID, field="extra", problem=f"0-{MAX_EXTRA_MINUTES}")
    if not 1 <= minutes <= MAX_PAUSE_MINUTES:
        raise Refused(INVALID, field="minutes", problem=f"1-{MAX_PAUSE_MINUTES}")
    must_work_at(actor, store_id)
    until = clock.now() + timedelta(minutes=minutes) if extra else None
    Store.objects.filter(pk=store_id).update(busy_minutes=extra, busy_until=until)


def _set(actor: Actor, store_id: UUID, minutes: int | None) -> None:
    until = clock.now() + timedelta(minutes=minutes) if minutes else None
    must_work_at(actor, store_id)
    Store.objects.filter(pk=store_id).update(paused_until=until)
