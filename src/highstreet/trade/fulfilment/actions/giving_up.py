"""What nobody does in time: orders that no store answers, that nobody packs, that nobody collects.

Each in a transaction of its own, so that no two orders' shelves are locked at once. Whoever does it in the same moment
is first, or finds it ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from uuid import UUID

from highstreet.kernel import clock
from highstreet.kernel.policy import SYSTEM, Actor, action, require
from highstreet.kernel.refusal import Refused
from highstreet.supply.organisations import reads as organisations

from .. import rules
from ..models import Fulfilment
from ..states import UNPACKED
from ..steps import find, stop, turn_down
from .intake import cancel

BATCH = 50


def give_up_unanswered(*, actor: Actor, limit: int = BATCH) -> int:
    """Take the silence of stores for a no, ten minutes after they could begin. Returns how many orders lost theirs.

    A pause keeps new orders away, and a busy store takes longer over each: what they were given, both still answer.
    """
    require(actor, SYSTEM)
    before = clock.now() - timedelta(seconds=rules.answer_seconds(clock.speed()))
    rows = Fulfilment.objects.filter(status="pending", created_at__lte=before).exclude(start_at__gt=before)
    found = list(rows.order_by("promised_to", "pk").values_list("pk", flat=True)[:limit])
    return _each(found, lambda key: turn_down_unanswered(actor=actor, fulfilment_id=key))


give_up_unanswered.__policy__ = SYSTEM  # type: ignore[attr-defined]


@action(SYSTEM)
def turn_down_unanswered(*, actor: Actor, fulfilment_id: UUID) -> bool:
    """`reject` in the name of a store that says nothing. Refuses WRONG_STATE when it has answered after all."""
    turn_down(actor, find(actor, fulfilment_id), rules.NO_ANSWER)
    return True


def give_up_unpacked(*, actor: Actor, limit: int = BATCH) -> int:
    """Cancel what was accepted and not packed two hours after its promise. Returns how many."""
    require(actor, SYSTEM)
    rows = Fulfilment.objects.filter(status__in=UNPACKED, promised_to__lte=clock.now() - rules.PACK_WITHIN)
    found = list(rows.order_by("promised_to", "pk").values_list("pk", flat=True)[:limit])
    return _each(found, lambda key: stop_unpacked(actor=actor, fulfilment_id=key))


give_up_unpacked.__policy__ = SYSTEM  # type: ignore[attr-defined]


@action(SYSTEM)
def stop_unpacked(*, actor: Actor, fulfilment_id: UUID) -> bool:
    """`cancel` for what is still not packed. Whether it was so."""
    row = find(actor, fulfilment_id, lock=True)
    if row.status not in UNPACKED:
        return False
    stop(actor, row, "not_packed")
    return True


def give_up_uncollected(*, actor: Actor, limit: int = BATCH) -> int:
    """Cancel what waited for its shopper longer than the retailer keeps it. Returns how many."""
    require(actor, SYSTEM)
    now = clock.now()
    waiting = Fulfilment.objects.filter(status="ready", mode="pickup", promised_to__lt=now)
    found = []
    for row in waiting.select_related("store__city").order_by("promised_to")[:limit]:
        terms = organisations.terms(organisations.city(row.store.city_id).retailer_id)
        if max(row.promised_to, row.ready_at or now) + timedelta(hours=terms.pickup_hold_hours) <= now:
            found.append(row.pk)

    def end(key: UUID) -> bool:
        cancel(actor=actor, fulfilment_id=key, reason="not_collected")
        return True

    return _each(found, end)


give_up_uncollected.__policy__ = SYSTEM  # type: ignore[attr-defined]


def _each(found: Iterable[UUID], end: Callable[[UUID], bool]) -> int:
    """How many of `found` it ended; what somebody was faster with is left alone."""
    ended = 0
    for key in found:
        try:
            ended += end(key)
        except Refused:
            continue
    return ended
