"""What a store has to do."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Query, Schema
from pydantic import Field

from highstreet.kernel import ids
from highstreet.kernel.api import private, refuses
from highstreet.kernel.paging import MAX_CURSOR, PATTERN
from highstreet.kernel.policy import actor_of, route

from .. import reads
from .work import router


class RiderOut(Schema):
    """Who comes for a bag; `phone_tail` is empty unless a hired fleet told it; `arrives` is null unless the store is
    their next stop."""

    name: str
    phone_tail: str
    here: bool
    arrives: datetime | None


class QueueItemOut(Schema):
    """`start_at`: when to begin with it, null for at once."""

    id: str
    order_number: str
    mode: str
    status: str
    substitution: str
    phone_tail: str
    note: str
    ready_by: datetime
    promised_to: datetime
    start_at: datetime | None
    collect_due: int
    lines: int
    units: int
    picked: int
    short: int
    asked: int
    courier: RiderOut | None


class QueueOut(Schema):
    """A page; `next` is the cursor of the one after it, empty on the last."""

    items: list[QueueItemOut]
    next: str


class Queue(Schema):
    store: str = Field(max_length=40)
    limit: int = Field(100, ge=1, le=100)
    cursor: str = Field("", max_length=MAX_CURSOR, pattern=PATTERN, description="`next` of the page before")


@router.get("/store/queue", response={200: QueueOut}, openapi_extra=refuses("not_found"))
@route("fulfilment.read")
def queue(request: HttpRequest, where: Query[Queue]) -> dict[str, Any]:
    """What a store has to do, the most urgent first."""
    cards, more = reads.queue_page(
        actor_of(request), private("str", where.store), cursor=where.cursor, limit=where.limit
    )
    items = [
        {
            "id": ids.public("ful", card.id),
            "order_number": card.order_number,
            "mode": card.mode,
            "status": card.status,
            "substitution": card.substitution,
            "phone_tail": card.phone_tail,
            "note": card.note,
            "ready_by": card.ready_by,
            "promised_to": card.promised_to,
            "start_at": card.start_at,
            "collect_due": card.collect_due,
            "lines": card.line_count,
            "units": card.units,
            "picked": card.picked,
            "short": card.short,
            "asked": card.asked,
            "courier": asdict(card.rider) if card.rider else None,
        }
        for card in cards
    ]
    return {"items": items, "next": more}
