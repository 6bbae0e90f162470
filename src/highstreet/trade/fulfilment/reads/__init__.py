"""One fulfilment with its pick list, what a pickup code stands for; the store's queue and figures are beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from highstreet.kernel.policy import Actor
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.catalog import reads as catalog
from highstreet.supply.catalog.reads import VariantView
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.reads import in_language

from ..models import Fulfilment, FulfilmentLine, PickupCode
from ..rules import aisle_order
from .store import Figures, FulfilmentCard, figures, queue, queue_page, riders

__all__ = [
    "Figures",
    "FulfilmentCard",
    "FulfilmentView",
    "LineView",
    "by_code",
    "detail",
    "figures",
    "ids_of",
    "of_order",
    "of_orders",
    "orders_of_code",
    "owner_of_line",
    "pickup_code",
    "queue",
    "queue_page",
    "riders",
    "statuses",
]


@dataclass(frozen=True)
class LineView:
    """One line of the pick list. `answer_by` is set while the shopper is asked."""

    id: UUID
    order_line_id: UUID
    variant_id: UUID
    sku: str
    barcode: str
    name_zh: str
    name_en: str
    unit_zh: str
    unit_en: str
    aisle: str
    temperature: str
    picture: str
    quantity: int
    unit_price: int
    picked: int
    short: int
    substitute_id: UUID | None
    substitute_zh: str
    substitute_en: str
    substitute_quantity: int
    substitute_state: str
    answer_by: datetime | None

    @property
    def name(self) -> str:
        return in_language(self.name_zh, self.name_en)

    @property
    def unit(self) -> str:
        return in_language(self.unit_zh, self.unit_en)

    @property
    def substitute(self) -> str:
        return in_language(self.substitute_zh, self.substitute_en)

    @property
    def left(self) -> int:
        return self.quantity - self.picked - self.short


@dataclass(frozen=True)
class FulfilmentView:
    id: UUID
    order_id: UUID
    order_number: str
    group: UUID
    store_id: UUID
    mode: str
    status: str
    substitution: str
    phone_tail: str
    address: str
    note: str
    lat: float
    lon: float
    promised_from: datetime
    promised_to: datetime
    ready_by: datetime
    start_at: datetime | None
    not_before: datetime | None
    created_at: datetime
    accepted_at: datetime | None
    ready_at: datetime | None
    handed_over_at: datetime | None
    ended_at: datetime | None
    collect_due: int
    handover_code: str
    reject_reason: str
    lines: list[LineView]

    @property
    def units(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def picked(self) -> int:
        return sum(line.picked for line in self.lines)


def detail(actor: Actor, fulfilment_id: UUID) -> FulfilmentView:
    """One fulfilment with its lines in the order of the aisles; NOT_FOUND unless it is the actor's."""
    row = Fulfilment.objects.visible_to(actor).select_related("store").filter(pk=fulfilment_id).first()
    if row is None:
        raise Refused(NOT_FOUND)
    return _views([row])[0]


def by_code(actor: Actor, store_id: UUID, code: str) -> FulfilmentView | None:
    """The order that waits in this store under a pickup code; None if there is none."""
    if not actor.at_store(store_id):
        return None
    found = PickupCode.objects.filter(store_id=store_id, code="".join(code.split())[:8], redeemed_at=None).first()
    if found is None:
        return None
    row = (
        Fulfilment.objects.visible_to(actor)
        .select_related("store")
        .filter(pk=found.fulfilment_id, status="ready")
        .first()
    )
    return _views([row])[0] if row else None


def of_order(order_id: UUID) -> FulfilmentView | None:
    """The order's latest fulfilment (a re-routed order has several). Callers have checked the order."""
    row = Fulfilment.objects.filter(order_id=order_id).select_related("store").order_by("-created_at", "-id").first()
    return _views([row])[0] if row else None


def of_orders(order_ids: Iterable[UUID]) -> dict[UUID, FulfilmentView]:
    """Each order's latest fulfilment. Callers have checked the orders."""
    rows = Fulfilment.objects.filter(order_id__in=list(order_ids)).select_related("store")
    latest = {row.order_id: row for row in rows.order_by("created_at", "id")}
    return {view.order_id: view for view in _views(list(latest.values()))}


def pickup_code(order_id: UUID) -> str:
    """The code the shopper shows, "" before it is ready or after it was used. Callers checked the order."""
    found = (
        PickupCode.objects.filter(fulfilment__order_id=order_id, fulfilment__status="ready", redeemed_at=None)
        .values_list("code", flat=True)
        .first()
    )
    return found or ""


def owner_of_line(line_id: UUID) -> UUID | None:
    """The order a line belongs to, for callers who check whose order it is."""
    return FulfilmentLine.objects.filter(pk=line_id).values_list("fulfilment__order_id", flat=True).first()


def _views(rows: list[Fulfilment]) -> list[FulfilmentView]:
    lines = list(FulfilmentLine.objects.filter(fulfilment__in=rows))
    known = catalog.variants(
        {line.variant_id for line in lines} | {line.substitute_id for line in lines if line.substitute_id}
    )
    by_owner: dict[UUID, list[FulfilmentLine]] = {row.pk: [] for row in rows}
    for line in lines:
        by_owner[line.fulfilment_id].append(line)
    return [_view(row, by_owner[row.pk], known) for row in rows]


def _view(row: Fulfilment, lines: list[FulfilmentLine], known: dict[UUID, VariantView]) -> FulfilmentView:
    retailer = organisations.city(row.store.city_id).retailer_id
    patience = timedelta(minutes=organisations.terms(retailer).ask_minutes)
    listed = [_line(line, known, patience) for line in lines]
    return FulfilmentView(
        id=row.pk,
        order_id=row.order_id,
        order_number=row.order_number,
        group=row.group,
        store_id=row.store_id,
        mode=row.mode,
        status=row.status,
        substitution=row.substitution,
        phone_tail=row.phone_tail,
        address=row.address,
        note=row.note,
        lat=row.lat,
        lon=row.lon,
        promised_from=row.promised_from,
        promised_to=row.promised_to,
        ready_by=row.ready_by,
        start_at=row.start_at,
        not_before=row.not_before,
        created_at=row.created_at,
        accepted_at=row.accepted_at,
        ready_at=row.ready_at,
        handed_over_at=row.handed_over_at,
        ended_at=row.ended_at,
        collect_due=row.collect_due,
        handover_code=row.handover_code,
        reject_reason=row.reject_reason,
        lines=sorted(listed, key=lambda line: (aisle_order(line.aisle), line.sku)),
    )


def _line(line: FulfilmentLine, known: dict[UUID, VariantView], patience: timedelta) -> LineView:
    variant = known[line.variant_id]
    other = known.get(line.substitute_id) if line.substitute_id else None
    asked = line.substitute_state == "asked" and line.asked_at is not None
    return LineView(
        id=line.pk,
        order_line_id=line.order_line_id,
        variant_id=line.variant_id,
        sku=variant.sku,
        barcode=variant.barcode,
        name_zh=variant.name_zh,
        name_en=variant.name_en,
        unit_zh=variant.unit_zh,
        unit_en=variant.unit_en,
        aisle=variant.aisle,
        temperature=variant.temperature,
        picture=variant.picture,
        quantity=line.quantity,
        unit_price=line.unit_price,
        picked=line.picked,
        short=line.short,
        substitute_id=line.substitute_id,
        substitute_zh=other.name_zh if other else "",
        substitute_en=other.name_en if other else "",
        substitute_quantity=line.substitute_quantity,
        substitute_state=line.substitute_state,
        answer_by=line.asked_at + patience if asked and line.asked_at else None,
    )


def statuses(order_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Each order's latest fulfilment's status. Callers have checked the orders."""
    rows = Fulfilment.objects.filter(order_id__in=list(order_ids)).order_by("created_at", "id")
    return dict(rows.values_list("order_id", "status"))


def ids_of(order_id: UUID) -> list[UUID]:
    """Every fulfilment the order has had, for its history. Callers have checked the order."""
    return list(Fulfilment.objects.filter(order_id=order_id).order_by("created_at", "id").values_list("pk", flat=True))


def orders_of_code(code: str) -> list[UUID]:
    """The orders that a pickup code stood for at any store, used or not; callers check whose they are."""
    found = PickupCode.objects.filter(code="".join(code.split())[:8])
    return list(found.values_list("fulfilment__order_id", flat=True)[:20])
