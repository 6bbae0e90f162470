"""Orders as the retailer's staff look for them, count them and look into one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, Sum

from highstreet.kernel import paging
from highstreet.kernel.policy import Actor, require
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations.reads import in_language
from highstreet.trade.fulfilment import reads as fulfilments

from ..models import Order, OrderLine, OrderQuerySet
from .orders import slot_of

LEAST_TAIL = 3


@dataclass(frozen=True)
class OrderRow:
    """An order in a list; amounts in fen. `slot`: the chosen window begins; only `search` tells it."""

    id: UUID
    number: str
    status: str
    payment_status: str
    mode: str
    store_id: UUID
    phone: str
    total: int
    currency: str
    placed_at: datetime
    promised_from: datetime
    promised_to: datetime
    ended_at: datetime | None
    lat: float
    lon: float
    slot: datetime | None = None


@dataclass(frozen=True)
class OrderPage:
    items: list[OrderRow]
    next: str


@dataclass(frozen=True)
class SheetLine:
    """Units at a frozen price; `left` may still be given back."""

    id: UUID
    variant_id: UUID
    name_zh: str
    name_en: str
    quantity: int
    unit_price: int
    refunded: int

    @property
    def name(self) -> str:
        return in_language(self.name_zh, self.name_en)

    @property
    def left(self) -> int:
        return self.quantity - self.refunded

    @property
    def total(self) -> int:
        return self.quantity * self.unit_price


@dataclass(frozen=True)
class Sheet:
    """Everything the order itself knows."""

    row: OrderRow
    organisation_id: UUID
    city_id: UUID
    payment_method: str
    goods_total: int
    delivery_fee: int
    captured: int
    reduced: int
    refunded: int
    compensated: int
    address: str
    unit: str
    note: str
    substitution: str
    promised_from: datetime
    paid_at: datetime | None
    end_reason: str
    routing: list[Any]
    lines: list[SheetLine]

    @property
    def left(self) -> int:
        """Paid and not on its way back."""
        return self.captured - self.refunded - self.compensated


@dataclass(frozen=True)
class Day:
    """Orders placed in a period. `revenue`: goods and fees of those that live, less what went back."""

    orders: int
    open: int
    completed: int
    cancelled: int
    revenue: int
    given_back: int


def search(
    actor: Actor,
    *,
    statuses: Sequence[str] = (),
    store_id: UUID | None = None,
    text: str = "",
    cursor: str = "",
    limit: int = 30,
) -> OrderPage:
    """The actor's orders, newest first: by number, the phone's last digits or the pickup code where `text` is."""
    require(actor, "console.read")
    rows = _rows(actor)
    if statuses:
        rows = rows.filter(status__in=statuses)
    if store_id is not None:
        rows = rows.filter(store_id=store_id)
    words = "".join(text.replace("\x00", "").split()).upper().removeprefix("#")[:20]
    if words:
        wanted = Q(number__startswith=words)
        if words.isascii() and words.isdigit() and len(words) >= LEAST_TAIL:
            wanted |= Q(phone__endswith=words)
            if len(words) == 8:
                wanted |= Q(pk__in=fulfilments.orders_of_code(words))
        rows = rows.filter(wanted)
    rows = rows.filter(paging.beyond(cursor, "placed_at"))
    found = [_row(row, slot_of(row)) for row in rows.with_slot().order_by("-placed_at", "-pk")[: limit + 1]]
    last = found[limit - 1] if len(found) > limit else None
    return OrderPage(found[:limit], paging.cursor(last.placed_at, last.id) if last else "")


def by_ids(actor: Actor, order_ids: Iterable[UUID]) -> dict[UUID, OrderRow]:
    """Those of the orders that the actor may see."""
    return {row.pk: _row(row) for row in _rows(actor).filter(pk__in=list(order_ids))}


def sheet(actor: Actor, order_id: UUID) -> Sheet:
    """One order; NOT_FOUND unless it is the actor's to see."""
    require(actor, "console.read")
    row = _rows(actor).filter(pk=order_id).first()
    if row is None:
        raise Refused(NOT_FOUND)
    lines = OrderLine.objects.filter(order=row).order_by("position")
    return Sheet(
        row=_row(row),
        organisation_id=row.organisation_id,
        city_id=row.city_id,
        payment_method=row.payment_method,
        goods_total=row.goods_total,
        delivery_fee=row.delivery_fee,
        captured=row.captured,
        reduced=row.reduced,
        refunded=row.refunded,
        compensated=row.compensated,
        address=row.address,
        unit=row.unit,
        note=row.note,
        substitution=row.substitution,
        promised_from=row.promised_from,
        paid_at=row.paid_at,
        end_reason=row.end_reason,
        routing=row.routing,
        lines=[
            SheetLine(
                line.pk, line.variant_id, line.name_zh, line.name_en, line.quantity, line.unit_price, line.refunded
            )
            for line in lines
        ],
    )


def day(actor: Actor, start: datetime, end: datetime) -> Day:
    """The actor's orders placed in [start, end), in one query."""
    require(actor, "console.read")
    lives = Q(status__in=["confirmed", "completed"])
    sums = (
        _rows(actor)
        .filter(placed_at__gte=start, placed_at__lt=end)
        .aggregate(
            orders=Count("pk"),
            open=Count("pk", filter=Q(status__in=["pending", "confirmed"])),
            completed=Count("pk", filter=Q(status="completed")),
            cancelled=Count("pk", filter=Q(status__in=["cancelled", "expired"])),
            revenue=Sum(F("total") - F("reduced") - F("refunded"), filter=lives),
            given_back=Sum(F("refunded") + F("compensated")),
        )
    )
    return Day(
        sums["orders"],
        sums["open"],
        sums["completed"],
        sums["cancelled"],
        sums["revenue"] or 0,
        sums["given_back"] or 0,
    )


def _rows(actor: Actor) -> OrderQuerySet:
    return Order.objects.visible_to(actor)


def _row(row: Order, slot: datetime | None = None) -> OrderRow:
    return OrderRow(
        row.pk,
        row.number,
        row.status,
        row.payment_status,
        row.mode,
        row.store_id,
        row.phone,
        row.total,
        row.currency,
        row.placed_at,
        row.promised_from,
        row.promised_to,
        row.ended_at,
        row.lat,
        row.lon,
        slot,
    )
