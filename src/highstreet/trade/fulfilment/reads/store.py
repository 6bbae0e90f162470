"""What a store has to do, who comes for it, and its day in figures."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median
from uuid import UUID

from django.db.models import Count, Q, Sum

from highstreet.kernel import paging
from highstreet.kernel.policy import Actor
from highstreet.supply.stores import reads as stores

from .. import ports
from ..models import Fulfilment, FulfilmentLine
from ..ports import Rider
from ..rules import on_time, pick_minutes
from ..states import OPEN

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class FulfilmentCard:
    """A fulfilment in a list: `picked` of `units` are in the bag, `asked` lines wait for the shopper, `rider` comes."""

    id: UUID
    order_id: UUID
    order_number: str
    store_id: UUID
    mode: str
    status: str
    substitution: str
    phone_tail: str
    note: str
    promised_from: datetime
    promised_to: datetime
    ready_by: datetime
    start_at: datetime | None
    not_before: datetime | None
    created_at: datetime
    ready_at: datetime | None
    collect_due: int
    rider: Rider | None
    line_count: int
    units: int
    picked: int
    short: int
    asked: int


@dataclass(frozen=True)
class Figures:
    """A store's day by its own calendar: orders created that day and what came of them.

    `on_time` of `ready` were ready by their time; minutes are medians of whole ones, None without data.
    """

    day: date
    orders: int
    open: int
    ready: int
    on_time: int
    ended: int
    rejected: int
    cancelled: int
    units: int
    short: int
    accept_minutes: float | None
    pick_minutes: float | None


def queue(actor: Actor, store_id: UUID, limit: int = 200) -> list[FulfilmentCard]:
    """What a store has to do, by urgency; NOT_FOUND for a store that is not the actor's."""
    return queue_page(actor, store_id, limit=limit)[0]


def queue_page(actor: Actor, store_id: UUID, *, cursor: str = "", limit: int = 100) -> tuple[list[FulfilmentCard], str]:
    """A page of the queue, and the next one's cursor. INVALID for what is no cursor."""
    _own(actor, store_id)
    ahead = Fulfilment.objects.visible_to(actor).filter(store_id=store_id, status__in=OPEN)
    ahead = ahead.filter(paging.beyond(cursor, "ready_by", newest_first=False))
    found = list(ahead.order_by("ready_by", "pk")[: limit + 1])
    more = paging.cursor(found[limit - 1].ready_by, found[limit - 1].pk) if len(found) > limit else ""
    return _queue_cards(found[:limit]), more


def _queue_cards(rows: list[Fulfilment]) -> list[FulfilmentCard]:
    counts = {
        item["fulfilment_id"]: item
        for item in FulfilmentLine.objects.filter(fulfilment__in=rows)
        .values("fulfilment_id")
        .annotate(
            line_count=Count("id"),
            units=Sum("quantity"),
            in_bag=Sum("picked"),
            missing=Sum("short"),
            asked=Count("id", filter=Q(substitute_state="asked")),
        )
    }
    coming = riders([row.pk for row in rows if row.mode == "delivery"])
    return [
        FulfilmentCard(
            row.pk,
            row.order_id,
            row.order_number,
            row.store_id,
            row.mode,
            row.status,
            row.substitution,
            row.phone_tail,
            row.note,
            row.promised_from,
            row.promised_to,
            row.ready_by,
            row.start_at,
            row.not_before,
            row.created_at,
            row.ready_at,
            row.collect_due,
            coming.get(row.pk),
            *(counts[row.pk][name] for name in ("line_count", "units", "in_bag", "missing", "asked")),
        )
        for row in rows
    ]


def riders(fulfilment_ids: Collection[UUID]) -> dict[UUID, Rider]:
    """Who comes for each of these, where somebody does. Whoever calls has checked that they may be seen."""
    if not fulfilment_ids or not ports.riders.filled:
        return {}
    return ports.riders().coming(fulfilment_ids=fulfilment_ids)


def figures(actor: Actor, store_id: UUID, day: date) -> Figures:
    """What came of the orders that reached a store on `day` (its own calendar)."""
    _own(actor, store_id)
    zone = stores.store(store_id).zone
    start = datetime.combine(day, time.min, tzinfo=zone)
    end = datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone)
    rows = list(
        Fulfilment.objects.visible_to(actor).filter(store_id=store_id, created_at__gte=start, created_at__lt=end)
    )
    sums = FulfilmentLine.objects.filter(fulfilment__in=rows).aggregate(units=Sum("quantity"), short=Sum("short"))
    ready = [row for row in rows if row.ready_at]
    accept = [(row.accepted_at - row.created_at) // MINUTE for row in rows if row.accepted_at]
    pick = [
        pick_minutes(row.accepted_at, row.start_at, row.ready_at) for row in ready if row.accepted_at and row.ready_at
    ]
    return Figures(
        day=day,
        orders=len(rows),
        open=sum(row.status in OPEN for row in rows),
        ready=len(ready),
        on_time=sum(on_time(row.ready_at, row.ready_by) for row in ready if row.ready_at),
        ended=sum(row.status == "delivered" for row in rows),
        rejected=sum(row.status == "rejected" for row in rows),
        cancelled=sum(row.status == "cancelled" for row in rows),
        units=sums["units"] or 0,
        short=sums["short"] or 0,
        accept_minutes=median(accept) if accept else None,
        pick_minutes=median(pick) if pick else None,
    )


def _own(actor: Actor, store_id: UUID) -> None:
    """NOT_FOUND unless the store is one of the actor's."""
    if actor.kind != "system":
        stores.must_work_at(actor, store_id)
