"""The roster: planned shifts, what is to be taken, and a day's demand against who is planned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from highstreet.kernel import clock
from highstreet.kernel.policy import Actor, require
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.reads import CityView
from highstreet.supply.stores import reads as stores

from .. import planning, rules
from ..models import Courier, RosterShift, Shift
from ..states import FREE, HELD, PUBLISHED
from .people import me, names
from .terms import work_terms
from .wishes import of_city, of_couriers

AHEAD_DAYS = 15
# Who is not there so long after the planned beginning is missed.
LATE = timedelta(minutes=10)
MOST_OFFERED = 100
MOST_RIDERS = 500
YEARS = (2000, 2200)
STEP = timedelta(minutes=planning.BIN)


@dataclass(frozen=True)
class ShiftView:
    """A planned shift; `paid` minutes are without its break. `said`: what its courier says of the time, or
    who looks whether to take it: want, avoid, cannot, or nothing."""

    id: UUID
    status: str
    courier_id: UUID | None
    courier: str
    starts_at: datetime
    ends_at: datetime
    break_starts_at: datetime | None
    break_ends_at: datetime | None
    said: str = ""

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
    """From a time on: couriers busy on average, needed for the service level, planned, and those who have not said that
    they cannot."""

    at: datetime
    load: float
    needed: int
    planned: int
    able: int


@dataclass(frozen=True)
class Lack:
    """A time in which fewer can come than are needed; `able` and `needed` where most are missing."""

    starts_at: datetime
    ends_at: datetime
    able: int
    needed: int


@dataclass(frozen=True)
class DayView:
    """One local day. `orders` are expected, by `days` days of `source`: weekday, days, or usual (no history). So many
    couriers `asked` to work at some time of it, and have a shift as they wished (`granted`)."""

    day: date
    orders: float
    source: str
    days: int
    bins: list[BinView]
    shifts: list[ShiftView]
    past: bool
    asked: int
    granted: int

    @property
    def against(self) -> int:
        """Shifts whose couriers would rather not, or cannot any more."""
        return sum(one.said in ("avoid", "cannot") for one in self.shifts)

    @property
    def lacking(self) -> list[Lack]:
        """Times for which fewer can come than are needed, whoever is planned."""
        found: list[Lack] = []
        for one in self.bins:
            if one.able >= one.needed:
                continue
            lack = Lack(one.at, one.at + STEP, one.able, one.needed)
            if found and found[-1].ends_at == one.at:
                last = found.pop()
                worst = max(last, lack, key=lambda which: which.needed - which.able)
                lack = replace(worst, starts_at=last.starts_at, ends_at=lack.ends_at)
            found.append(lack)
        return found

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
    found = [view(row, own.name) for row in rows.order_by("starts_at", "pk")[:MOST_OFFERED]]
    return _with_word(own.id, found, organisations.city(own.city_id))


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
    shifts = _with_word(own.id, map(view, found), city)
    return [
        Offering(one, [new for new in rules.breaches([*held, as_planned(row)], terms, city.zone) if new not in before])
        for one, row in zip(shifts, found, strict=True)
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
    people, said = names([city_id]), of_city(city_id)
    shifts: dict[date, list[ShiftView]] = defaultdict(list)
    for row in rows.exclude(status="withdrawn").order_by("starts_at", "ends_at", "pk"):
        found = view(row)
        if row.courier_id:
            spoken = rules.answer(said.get(row.courier_id, []), (row.starts_at, row.ends_at), city.zone)
            found = replace(found, courier=people.get(row.courier_id, ""), said=spoken)
        shifts[row.starts_at.astimezone(city.zone).date()].append(found)
    past, terms = planning.seen(city_id), work_terms(city_id)
    today = clock.now().astimezone(city.zone).date()
    dates = [first + timedelta(days=number) for number in range(days)]
    so_far = planning.so_far(city_id) if today in dates else None
    return [
        _day(
            city,
            one,
            planning.wanted(one, past, terms, so_far if one == today else None),
            shifts[one],
            said,
            past=one < today,
        )
        for one in dates
    ]


def day(actor: Actor, city_id: UUID, which: date) -> DayView:
    """One local day."""
    return week(actor, city_id, which, 1)[0]


def riders(actor: Actor, city_id: UUID, shift: ShiftView) -> list[tuple[UUID, str, str]]:
    """Who may be given the shift of the city: by name, with what they say of its time."""
    require(actor, "couriers.plan")
    city = whose(actor, city_id)
    people = Courier.objects.filter(city_id=city_id, active=True).order_by("name", "pk")
    rows = list(people.values_list("pk", "name")[:MOST_RIDERS])
    said, time_of = of_couriers([one for one, _ in rows]), (shift.starts_at, shift.ends_at)
    return [(one, name, rules.answer(said.get(one, []), time_of, city.zone)) for one, name in rows]


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


def absent(actor: Actor, city_id: UUID) -> list[ShiftView]:
    """Planned shifts that run and whose couriers have not come, the longest first; for whom the couriers are to send.

    Who ended a shift since the planned one began has been there.
    """
    require(actor, "console.read")
    if not stores.runs_city(actor, city_id):
        return []
    now = clock.now()
    came = Shift.objects.filter(courier=OuterRef("courier")).filter(
        Q(ends_at=None) | Q(ends_at__gt=OuterRef("starts_at"))
    )
    rows = RosterShift.objects.filter(city_id=city_id, status__in=HELD, starts_at__lte=now - LATE, ends_at__gt=now)
    rows = rows.filter(~Exists(came)).select_related("courier").order_by("starts_at", "pk")
    return [view(row, row.courier.name) for row in rows if row.courier]


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


def _with_word(courier_id: UUID, shifts: Iterable[ShiftView], city: CityView) -> list[ShiftView]:
    """The shifts with what the courier says of their times."""
    said = of_couriers([courier_id]).get(courier_id, [])
    return [replace(one, said=rules.answer(said, (one.starts_at, one.ends_at), city.zone)) for one in shifts]


def _day(
    city: CityView,
    which: date,
    found: planning.Wanted,
    shifts: list[ShiftView],
    said: Mapping[UUID, list[rules.Wish]],
    *,
    past: bool,
) -> DayView:
    start = midnight(city, which)
    spoken = [[one for one in wishes if one.of(which)] for wishes in said.values()]
    away = [[one for one in wishes if one.kind == "cannot"] for wishes in spoken]
    bins = []
    for number in range(min(len(found.need.load), planning.DAY // planning.BIN)):
        at, minute = start + number * STEP, number * planning.BIN
        missing = sum(any(one.start < minute + planning.BIN and minute < one.end for one in times) for times in away)
        load, needed = round(float(found.need.load[number]), 1), int(found.need.needed[number])
        bins.append(BinView(at, load, needed, _there(shifts, at, at + STEP), len(said) - missing))
    return DayView(
        which,
        found.orders,
        found.source,
        found.days,
        bins,
        shifts,
        past,
        asked=sum(any(one.kind == "want" for one in wishes) for wishes in spoken),
        granted=len({one.courier_id for one in shifts if one.said == "want"}),
    )


def _there(shifts: Sequence[ShiftView], start: datetime, end: datetime) -> int:
    """Who works all of [start, end)."""
    return sum(
        one.starts_at <= start
        and one.ends_at >= end
        and not (one.break_starts_at and one.break_ends_at and one.break_starts_at < end and start < one.break_ends_at)
        for one in shifts
    )
