"""Couriers, who is on shift and where, what was earned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, cast
from uuid import UUID

from django.db import connection
from django.db.models import Max, OuterRef, QuerySet, Subquery

from highstreet.delivery.routing.engine import Mode
from highstreet.kernel import clock
from highstreet.kernel.memory import once_a_page
from highstreet.kernel.models import Posting
from highstreet.kernel.policy import Actor, require
from highstreet.kernel.refusal import Refused
from highstreet.people.accounts.ports import Badge
from highstreet.supply.organisations import reads as organisations

from .. import ports, rules
from ..models import Break, Courier, Shift, ShiftPay
from ..refusals import NOT_A_COURIER

# So long after a shift began its courier's first position may still be on its way.
JUST_COME = timedelta(minutes=2)
PAYABLE = "courier_payable"
SHIFT_PAY = "courier_shift_pay"


@dataclass(frozen=True)
class CourierView:
    """A courier; position and `since` are None off shift, `break_since` unless on a break. `orders_until`: no new
    orders from then on."""

    id: UUID
    city_id: UUID
    name: str
    phone: str
    vehicle: Mode
    capacity: int
    lat: float | None
    lon: float | None
    seen_at: datetime | None
    since: datetime | None
    break_since: datetime | None = None
    orders_until: datetime | None = None

    @property
    def on_break(self) -> bool:
        return self.break_since is not None

    @property
    def on_shift(self) -> bool:
        return self.since is not None

    def takes_orders(self, at: datetime) -> bool:
        """Whether new orders may come."""
        return self.on_shift and not self.on_break and (self.orders_until is None or self.orders_until > at)

    @property
    def first_name(self) -> str:
        return rules.first_name(self.name)


@dataclass(frozen=True)
class EarningView:
    """One delivery's pay in fen."""

    delivery_id: UUID
    at: datetime
    amount: int


@dataclass(frozen=True)
class ShiftPayView:
    """What a shift was paid on top of its orders, in fen; `minutes` were guaranteed at `guarantee_hour`."""

    at: datetime
    minutes: int
    orders: int
    earned: int
    guarantee_hour: int
    top_up: int
    bonus_orders: int
    bonus: int


@dataclass(frozen=True)
class EarningsView:
    """A day's deliveries, and the shifts that ended on it. `total` is all of it."""

    day: date
    total: int
    currency: str
    items: list[EarningView]
    shifts: list[ShiftPayView]

    @property
    def count(self) -> int:
        return len(self.items)


# What being a courier adds to an actor.
BADGE = Badge(
    "(SELECT c.id FROM couriers_courier c WHERE c.user_id = u.id AND c.active)",
    lambda found: {"kind": "courier", "courier_id": found, "permissions": {"courier.work"}},
)


def me(actor: Actor) -> CourierView:
    """The actor's own courier."""
    require(actor, "courier.work")
    found = courier(actor.courier_id) if actor.courier_id else None
    if found is None:
        raise Refused(NOT_A_COURIER)
    return found


@once_a_page(lambda courier_id: courier_id)
def courier(courier_id: UUID) -> CourierView | None:
    row = Courier.objects.filter(pk=courier_id).first()
    if row is None:
        return None
    duty = _duty().filter(courier=row).values_list("starts_at", "paused", "orders_until").first()
    return _view(row, *(duty or (None,)))


def on_shift(city_id: UUID) -> list[CourierView]:
    """The city's couriers with an open shift, by id, those on a break too. For the dispatcher and the staff's map."""
    rows = (
        _duty().filter(courier__city_id=city_id, courier__active=True).select_related("courier").order_by("courier_id")
    )
    return [_view(row.courier, row.starts_at, row.paused, row.orders_until) for row in rows]


def _duty() -> QuerySet[Any]:
    """Open shifts; `paused` is since when their courier is on a break."""
    pause = Break.objects.filter(shift=OuterRef("pk"), ends_at=None).values("starts_at")
    return Shift.objects.filter(ends_at=None).annotate(paused=Subquery(pause))


def silent(city_id: UUID, before: datetime) -> dict[UUID, datetime]:
    """Couriers on shift of whom nothing was heard since `before`, neither a position nor the end of a break: when they
    last were, or began. Who was switched off on shift too: nothing will be."""
    rows = Shift.objects.filter(ends_at=None, starts_at__lt=before, courier__city_id=city_id)
    rows = rows.exclude(courier__seen_at__gte=before).annotate(rested=Max("breaks__ends_at"))
    found = rows.values_list("courier_id", "starts_at", "courier__seen_at", "rested")
    last = {courier_id: max(began, seen or began, rested or began) for courier_id, began, seen, rested in found}
    return {courier_id: at for courier_id, at in last.items() if at < before}


def count_on_shift(city_id: UUID) -> int:
    """How many couriers of the city can be sent: on shift, no break, taking orders, with a position or just come."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM couriers_shift s JOIN couriers_courier c ON c.id = s.courier_id "
            "WHERE s.ends_at IS NULL AND c.city_id = %s AND c.active "
            "AND (c.lat IS NOT NULL OR s.starts_at > %s) AND (s.orders_until IS NULL OR s.orders_until > %s) "
            "AND NOT EXISTS (SELECT 1 FROM couriers_break b WHERE b.shift_id = s.id AND b.ends_at IS NULL)",
            [city_id, now - JUST_COME, now],
        )
        return int(cursor.fetchone()[0])


def hired(city_id: UUID) -> Mapping[UUID | None, int]:
    """How many couriers hired fleets count for, by the store that hired them; None: by the stores without a fleet of
    their own."""
    return ports.hired()(city_id) if ports.hired.filled else {}


def earnings(actor: Actor, day: date) -> EarningsView:
    """What the actor's deliveries earned on the local `day`, by the ledger."""
    own = me(actor)
    city = organisations.city(own.city_id)
    start = datetime.combine(day, time.min, tzinfo=city.zone)
    end = datetime.combine(day + timedelta(days=1), time.min, tzinfo=city.zone)
    rows = (
        Posting.objects.filter(owner=own.id, code=PAYABLE, journal__at__gte=start, journal__at__lt=end, amount__lt=0)
        .order_by("-journal__at")
        .values_list("journal__kind", "journal__cause", "journal__at", "amount")
    )
    found = list(rows)
    items = [EarningView(cause, at, -amount) for kind, cause, at, amount in found if kind != SHIFT_PAY]
    ended = ShiftPay.objects.filter(courier_id=own.id, at__gte=start, at__lt=end).order_by("at")
    shifts = [
        ShiftPayView(
            one.at,
            one.minutes,
            one.orders,
            one.earned,
            one.guarantee_hour,
            one.top_up,
            one.bonus_orders,
            one.bonus,
        )
        for one in ended
    ]
    return EarningsView(day, -sum(amount for *_, amount in found), city.currency, items, shifts)


def _view(
    row: Courier, since: datetime | None, break_since: datetime | None = None, orders_until: datetime | None = None
) -> CourierView:
    shown = since is not None
    return CourierView(
        row.pk,
        row.city_id,
        row.name,
        row.phone,
        cast(Mode, row.vehicle),
        row.capacity,
        row.lat if shown else None,
        row.lon if shown else None,
        row.seen_at if shown else None,
        since,
        break_since,
        orders_until,
    )


def names(city_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Every courier of these cities, at work or not, by id. For the retailer's staff."""
    return dict(Courier.objects.filter(city_id__in=list(city_ids)).values_list("pk", "name"))
