"""Orders: one in full, lists, search, counts. Always within what the actor may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q

from highstreet.kernel import clock, paging
from highstreet.kernel.policy import Actor
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations.reads import in_language
from highstreet.supply.stores import reads as stores
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.cart.rules import is_key
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.fulfilment.reads import FulfilmentView
from highstreet.trade.payments import reads as payments
from highstreet.trade.payments.reads import IntentView, RefundView

from .. import rules
from ..models import Order, OrderLine

LIVE = ("pending", "confirmed")
BEFORE_PICKING = ("pending", "accepted")


@dataclass(frozen=True)
class OrderLineView:
    """`substitute_*` say what came, or is asked about, in the place of missing units."""

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
    def line_total(self) -> int:
        return self.unit_price * self.quantity


@dataclass(frozen=True)
class OrderCard:
    """An order in a list. `slot`: the beginning of the window that was chosen, None for as soon as possible."""

    id: UUID
    number: str
    status: str
    payment_status: str
    mode: str
    store_id: UUID
    store_zh: str
    store_en: str
    total: int
    currency: str
    units: int
    placed_at: datetime
    promised_from: datetime
    promised_to: datetime
    ended_at: datetime | None
    phone_tail: str
    lat: float
    lon: float
    slot: datetime | None

    @property
    def store_name(self) -> str:
        return in_language(self.store_zh, self.store_en)

    @property
    def live(self) -> bool:
        return self.status in LIVE


@dataclass(frozen=True)
class OrderView:
    """An order in full. `key` is told only to who ordered; `intents` and `refunds` oldest first."""

    id: UUID
    key: str
    number: str
    status: str
    payment_status: str
    payment_method: str
    mode: str
    customer_id: UUID
    organisation_id: UUID
    city_id: UUID
    store: StoreView
    lines: list[OrderLineView]
    currency: str
    goods_total: int
    delivery_fee: int
    total: int
    captured: int
    reduced: int
    refunded: int
    compensated: int
    phone: str
    address: str
    unit: str
    note: str
    lat: float
    lon: float
    substitution: str
    language: str
    placed_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    ended_at: datetime | None
    end_reason: str
    promised_from: datetime
    promised_to: datetime
    slot: datetime | None
    routing: list[dict[str, str]]
    fulfilment: FulfilmentView | None
    intents: list[IntentView]
    refunds: list[RefundView]
    pickup_code: str
    mine: bool

    @property
    def live(self) -> bool:
        return self.status in LIVE

    @property
    def due(self) -> int:
        """What it costs after what was taken off before payment."""
        return self.total - self.reduced

    @property
    def intent(self) -> IntentView | None:
        """The payment that counts: captured, else the latest."""
        captured = [intent for intent in self.intents if intent.captured]
        known = captured or self.intents[-1:]
        return known[0] if known else None

    @property
    def given_back(self) -> int:
        """What goes back to the payer, settled or under way."""
        return self.refunded + self.compensated

    @property
    def waits_for_payment(self) -> bool:
        return self.status == "pending" and self.expires_at > clock.now()

    @property
    def can_cancel(self) -> bool:
        """Whether who ordered may still call it off."""
        return self.live and (self.fulfilment is None or self.fulfilment.status in BEFORE_PICKING)

    @property
    def proof_code(self) -> str:
        """What who ordered tells the courier at the door; "" to others, and when there is no courier."""
        going = self.fulfilment
        shown = self.mine and self.mode == "delivery" and self.live and going is not None
        return going.handover_code if shown and going is not None else ""

    @property
    def phone_tail(self) -> str:
        return self.phone[-4:]

    @property
    def steps(self) -> list[tuple[str, datetime | None]]:
        """The way of the order, (step, when it was reached or None), for a timeline."""
        going = self.fulfilment
        last = "collected" if self.mode == "pickup" else "delivered"
        steps = [
            ("placed", self.placed_at),
            ("accepted", going.accepted_at if going else None),
            ("ready", going.ready_at if going else None),
        ]
        if self.mode == "delivery":
            steps.append(("handed_over", going.handed_over_at if going else None))
        return [*steps, (last, self.ended_at if self.status == "completed" else None)]


def order(actor: Actor, order_id: UUID) -> OrderView:
    """An order in full; NOT_FOUND unless the actor may see it."""
    row = Order.objects.visible_to(actor).with_slot().filter(pk=order_id).first()
    if row is None:
        raise Refused(NOT_FOUND)
    return _view(row, actor.customer_id == row.customer_id or row.key in actor.order_keys)


def must_see(actor: Actor, order_id: UUID) -> None:
    """NOT_FOUND unless the actor may see the order; before an answer is repeated to who only knows its id."""
    if not Order.objects.visible_to(actor).filter(pk=order_id).exists():
        raise Refused(NOT_FOUND)


def by_key(key: str) -> OrderView:
    """The order of a guest's key; NOT_FOUND otherwise."""
    row = Order.objects.with_slot().filter(key=key).first() if is_key(key) else None
    if row is None:
        raise Refused(NOT_FOUND)
    return _view(row, True)


def id_of_key(key: str) -> UUID | None:
    """The order of a key, for pages that hold keys."""
    return Order.objects.filter(key=key).values_list("pk", flat=True).first() if is_key(key) else None


@dataclass(frozen=True)
class Parties:
    """Whose order it is: its seller's and, where the store is run by another, that one's too."""

    number: str
    store_id: UUID
    organisation_ids: frozenset[UUID]


def parties(order_id: UUID) -> Parties:
    """Who hears of an order. For handlers of events: nobody's permission is asked."""
    number, store_id, *organisations = Order.objects.values_list(
        "number", "store_id", "organisation_id", "store__organisation_id"
    ).get(pk=order_id)
    return Parties(number, store_id, frozenset(organisations))


def line_names(order_id: UUID) -> dict[UUID, tuple[str, str]]:
    """Line -> (name_zh, name_en). Callers have checked the order."""
    rows = OrderLine.objects.filter(order_id=order_id)
    return {row.pk: (row.name_zh, row.name_en) for row in rows}


def orders_of(actor: Actor, limit: int = 20) -> list[OrderCard]:
    """The actor's own orders, newest first: the customer's, and those whose keys one holds."""
    return page_of(actor, limit=limit)[0]


def page_of(actor: Actor, *, cursor: str = "", limit: int = 20) -> tuple[list[OrderCard], str]:
    """A page of the actor's own orders, and the next one's cursor. INVALID for what is no cursor."""
    mine = Q(pk__in=[])
    if actor.customer_id is not None:
        mine |= Q(customer_id=actor.customer_id)
    if actor.order_keys:
        mine |= Q(key__in=[key for key in sorted(actor.order_keys) if is_key(key)])
    rows = Order.objects.filter(mine, paging.beyond(cursor, "placed_at")).with_slot().select_related("store")
    found = list(rows.order_by("-placed_at", "-id")[: limit + 1])
    more = paging.cursor(found[limit - 1].placed_at, found[limit - 1].pk) if len(found) > limit else ""
    return _cards(found[:limit]), more


def search(
    actor: Actor,
    text: str = "",
    *,
    status: str = "",
    store_id: UUID | None = None,
    limit: int = 50,
    before: datetime | None = None,
) -> list[OrderCard]:
    """Orders that staff may see by number, or the end of a phone number; all of them for an empty text."""
    rows = Order.objects.visible_to(actor).with_slot().select_related("store")
    words = text.strip()[:40]
    if words:
        if not words.isascii() or not words.isprintable():
            return []
        rows = rows.filter(Q(number__iexact=words) | Q(phone__endswith=words))
    if status:
        rows = rows.filter(status=status)
    if store_id is not None:
        rows = rows.filter(store_id=store_id)
    if before is not None:
        rows = rows.filter(placed_at__lt=before)
    return _cards(list(rows.order_by("-placed_at", "-id")[: min(limit, 200)]))


def counts(actor: Actor, since: datetime | None = None) -> dict[str, int]:
    """How many orders of each status were placed since (default: the last 24 hours)."""
    since = since or clock.now() - timedelta(hours=24)
    rows = Order.objects.visible_to(actor).filter(placed_at__gte=since)
    found = dict(rows.values_list("status").annotate(Count("id")))
    return {status: found.get(status, 0) for status in ("pending", "confirmed", "completed", "cancelled", "expired")}


def live_of_city(actor: Actor, city_id: UUID, limit: int = 500) -> list[OrderCard]:
    """The city's orders under way, for a map."""
    rows = Order.objects.visible_to(actor).with_slot().filter(city_id=city_id, status="confirmed")
    return _cards(list(rows.select_related("store").order_by("promised_to")[:limit]))


def _cards(rows: Sequence[Order]) -> list[OrderCard]:
    units: dict[UUID, int] = {}
    for order_id, quantity in OrderLine.objects.filter(order__in=[row.pk for row in rows]).values_list(
        "order_id", "quantity"
    ):
        units[order_id] = units.get(order_id, 0) + quantity
    return [
        OrderCard(
            row.pk,
            row.number,
            row.status,
            row.payment_status,
            row.mode,
            row.store_id,
            row.store.name_zh,
            row.store.name_en,
            row.total,
            row.currency,
            units.get(row.pk, 0),
            row.placed_at,
            row.promised_from,
            row.promised_to,
            row.ended_at,
            row.phone[-4:],
            row.lat,
            row.lon,
            slot_of(row),
        )
        for row in rows
    ]


def slot_of(row: Order) -> datetime | None:
    """The beginning of the order's chosen window; `row` was read `with_slot`."""
    return rules.kept_slot(row.slot, row.mode, row.promised_from, row.promised_to)  # type: ignore[attr-defined]


def _view(row: Order, mine: bool) -> OrderView:
    lines = [
        OrderLineView(
            line.pk, line.variant_id, line.name_zh, line.name_en, line.quantity, line.unit_price, line.refunded
        )
        for line in OrderLine.objects.filter(order=row).order_by("position")
    ]
    going = fulfilments.of_order(row.pk)
    waits = row.mode == "pickup" and going is not None and going.status == "ready"
    return OrderView(
        id=row.pk,
        key=row.key if mine else "",
        number=row.number,
        status=row.status,
        payment_status=row.payment_status,
        payment_method=row.payment_method,
        mode=row.mode,
        customer_id=row.customer_id,
        organisation_id=row.organisation_id,
        city_id=row.city_id,
        store=stores.store(row.store_id),
        lines=lines,
        currency=row.currency,
        goods_total=row.goods_total,
        delivery_fee=row.delivery_fee,
        total=row.total,
        captured=row.captured,
        reduced=row.reduced,
        refunded=row.refunded,
        compensated=row.compensated,
        phone=row.phone,
        address=row.address,
        unit=row.unit,
        note=row.note,
        lat=row.lat,
        lon=row.lon,
        substitution=row.substitution,
        language=row.language,
        placed_at=row.placed_at,
        expires_at=row.expires_at,
        paid_at=row.paid_at,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
        promised_from=row.promised_from,
        promised_to=row.promised_to,
        slot=slot_of(row),
        routing=row.routing,
        fulfilment=going,
        intents=payments.intents(row.pk),
        refunds=payments.refunds(row.pk),
        pickup_code=fulfilments.pickup_code(row.pk) if mine and waits else "",
        mine=mine,
    )
