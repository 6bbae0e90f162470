"""The roster: planned shifts, what is to be taken, and a day's demand against who is planned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from highstreet.kernel import clock
from highstreet.kernel.policy import Actor, require
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.reads import CityView
from highstreet.supply.stores import reads as stores

from .. import planning, ports, rules
from ..models import Courier, RosterShift
from ..states import FREE, HELD, PUBLISHED
from .people import me, names
from .terms import work_terms

AHEAD_DAYS = 15
MOST_OFFERED = 100
MOST_RIDERS = 500
YEARS = (2000, 2200)
STEP = timedelta(minutes=planning.BIN)


@dataclass(frozen=True)
class ShiftView:
    """A planned shift; `paid` minutes are without its break."""

    id: UUID
    status: str
    courier_id: UUID | None
    courier: str
    starts_at: datetime
    ends_at: datetime
    break_starts_at: datetime | None
    break_ends_at: datetime | None

    @property
    def pause(self) -> int:
        if self.break_starts_at is None or self.break_ends_at is None:
            return 0
        return int((self.break_ends_at - self.break_starts_at) / rules.MINUTE)

    @property
    def paid(self) -> int:
        return int((self.ends_at - self.starts_at) / rules.MINUTE) - self.pause


@dataclass(frozen=True)
class Offering:
    """A shift that may be taken, and what of the rules of work speaks against it."""

    shift: ShiftView
    breaches: list[rules.Breach]


@dataclass(frozen=True)
class BinView:
    """From a time on: couriers busy on average, needed for the service level, and planned."""

    at: datetime
    load: float
    needed: int
    planned: int


@dataclass(frozen=True)
class DayView:
    """One local day. `orders` are expected, by `days` days of `source`: weekday, days, or usual (no history)."""

    day: date
    orders: float
    source: str
    days: int
    bins: list[BinView]
    shifts: list[ShiftView]
    past: bool

    @property
    def published(self) -> bool:
        return any(one.status in PUBLISHED for one in self.shifts)

    @property
    def drafts(self) -> int:
        return sum(one.status == "draft" for one in self.shifts)

    @property
    def open(self) -> int:
        return sum(one.status in FREE for one in self.shifts)

    @property
    def paid(self) -> int:
        return sum(one.paid for one in self.shifts)

    @property
    def short(self) -> int:
        """Courier-minutes below the need."""
        return sum(max(one.needed - one.planned, 0) for one in self.bins) * planning.BIN


def mine(actor: Actor) -> list[ShiftView]:
    """The actor's own shifts from now on."""
    own = me(actor)
    rows = RosterShift.objects.filter(courier_id=own.id, status__in=HELD, ends_at__gt=clock.now())
    return [view(row, own.name) for row in rows.order_by("starts_at", "pk")[:MOST_OFFERED]]


def to_take(actor: Actor) -> list[Offering]:
    """Open shifts of the actor's city, and those that others offer, in the next two weeks."""
    own, now = me(actor), clock.now()
    city = organisations.city(own.city_id)
    rows = (
        RosterShift.objects.filter(city_id=own.city_id, status__in=FREE)
        .filter(starts_at__gt=now, starts_at__lt=now + timedelta(days=AHEAD_DAYS))
        .exclude(courier_id=own.id)
        .order_by("starts_at", "pk")[:MOST_OFFERED]
    )
    found = list(rows)
    held = planned(own.id, now - timedelta(days=8), now + timedelta(days=AHEAD_DAYS + 8)) if found else []
    terms = work_terms(own.city_id)
    before = set(rules.breaches(held, terms, city.zone))
    return [
        Offering(
            view(row), [one for one in rules.breaches([*held, as_planned(row)], terms, city.zone) if one not in before]
        )
        for row in found
    ]


def shift(actor: Actor, shift_id: UUID) -> ShiftView:
    """A shift of the actor's city, for its planner; NOT_FOUND otherwise."""
    require(actor, "couriers.plan")
    row = RosterShift.objects.filter(pk=shift_id).exclude(status="withdrawn").first()
    if row is None:
        raise Refused(NOT_FOUND)
    whose(actor, row.city_id)
    return view(row, names([row.city_id]).get(row.courier_id or row.pk, ""))


def week(actor: Actor, city_id: UUID, first: date, days: int = 7) -> list[DayView]:
    """So many local days from `first` on: what each needs, and who is planned."""
    require(actor, "couriers.plan")
    city = whose(actor, city_id)
    edges = [midnight(city, first + timedelta(days=number)) for number in range(days + 1)]
    rows = RosterShift.objects.filter(city_id=city_id, starts_at__gte=edges[0], starts_at__lt=edges[-1])
    people = names([city_id])
    shifts: dict[date, list[ShiftView]] = defaultdict(list)
    for row in rows.exclude(status="withdrawn").order_by("starts_at", "ends_at", "pk"):
        found = view(row, people.get(row.courier_id, "") if row.courier_id else "")
        shifts[row.starts_at.astimezone(city.zone).date()].append(found)
    past, terms = planning.seen(city_id), work_terms(city_id)
    today = clock.now().astimezone(city.zone).date()
    return [
        _day(city, one, past, terms, shifts[one], today)
        for one in (first + timedelta(days=number) for number in range(days))
    ]


def day(actor: Actor, city_id: UUID, which: date) -> DayView:
    """One local day."""
    return week(actor, city_id, which, 1)[0]


def riders(actor: Actor, city_id: UUID) -> list[tuple[UUID, str]]:
    """Who may be given a shift of the city, by name."""
    require(actor, "couriers.plan")
    whose(actor, city_id)
    rows = Courier.objects.filter(city_id=city_id, active=True).order_by("name", "pk")
    return list(rows.values_list("pk", "name")[:MOST_RIDERS])


def whose(actor: Actor, city_id: UUID) -> CityView:
    """The city, if the actor works for all its stores in the name of its retailer; NOT_FOUND otherwise."""
    if not stores.runs_city(actor, city_id):
        raise Refused(NOT_FOUND)
    return organisations.city(city_id)


def midnight(city: CityView, which: date) -> datetime:
    """The local day's beginning; NOT_FOUND for a year that no calendar of ours reaches."""
    if not YEARS[0] <= which.year <= YEARS[1]:
        raise Refused(NOT_FOUND)
    return datetime.combine(which, time.min, tzinfo=city.zone)


def planned(courier_id: UUID, since: datetime, until: datetime) -> list[rules.Planned]:
    """What a courier has promised to work in a time."""
    rows = RosterShift.objects.filter(courier_id=courier_id, status__in=HELD, ends_at__gt=since, starts_at__lt=until)
    return [as_planned(row) for row in rows.order_by("starts_at")]


def as_planned(row: RosterShift) -> rules.Planned:
    return rules.Planned(row.starts_at, row.ends_at, view(row).pause)


def view(row: RosterShift, courier: str = "") -> ShiftView:
    return ShiftView(
        row.pk,
        row.status,
        row.courier_id,
        courier,
        row.starts_at,
        row.ends_at,
        row.break_starts_at,
        row.break_ends_at,
    )


def _day(
    city: CityView, which: date, past: ports.Past, terms: rules.WorkTerms, shifts: list[ShiftView], today: date
) -> DayView:
    found = planning.wanted(which, past, terms)
    start = midnight(city, which)
    bins = [
        BinView(at, round(float(load), 1), int(needed), _there(shifts, at, at + STEP))
        for at, load, needed in (
            (start + number * STEP, found.need.load[number], found.need.needed[number])
            for number in range(min(len(found.need.load), planning.DAY // planning.BIN))
        )
    ]
    return DayView(which, found.orders, found.source, found.days, bins, shifts, which < today)


def _there(shifts: Sequence[ShiftView], start: datetime, end: datetime) -> int:
    """Who works all of [start, end)."""
    return sum(
        one.starts_at <= start
        and one.ends_at >= end
        and not (one.break_starts_at and one.break_ends_at and one.break_starts_at < end and start < one.break_ends_at)
        for one in shifts
    )
