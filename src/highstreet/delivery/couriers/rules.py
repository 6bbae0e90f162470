"""How long couriers may work, and what a shift comes to. Plain values; no clock, no database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise

Period = tuple[datetime, datetime]
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class WorkTerms:
    """A city's rules of work; minutes. Shifts are `shortest` to `longest`, with a break from `break_from` on; a courier
    works `most_a_day` and `most_a_week` at most and rests so long between two days. The roster is made for the level
    and, where a city has no history, for so many `usual_orders` a day."""

    shortest: int = 120
    longest: int = 480
    break_from: int = 360
    break_minutes: int = 30
    most_a_day: int = 600
    most_a_week: int = 2640
    rest: int = 660
    level_percent: int = 95
    usual_orders: int = 120


@dataclass(frozen=True)
class Planned:
    """A shift as the rules of work see it; `pause` is its unpaid break in minutes."""

    starts_at: datetime
    ends_at: datetime
    pause: int = 0

    @property
    def minutes(self) -> int:
        return int((self.ends_at - self.starts_at) / MINUTE) - self.pause


@dataclass(frozen=True)
class Breach:
    """A rule of work that is broken: `kind` is length, no_break, overlap, day, week or rest; minutes as they are and
    as they may be, and the local day."""

    kind: str
    day: date
    minutes: int
    allowed: int


def shape(shift: Planned, terms: WorkTerms, zone: tzinfo) -> list[Breach]:
    """What is wrong with one shift by itself."""
    day, whole = shift.starts_at.astimezone(zone).date(), int((shift.ends_at - shift.starts_at) / MINUTE)
    found = []
    if whole < terms.shortest:
        found.append(Breach("length", day, whole, terms.shortest))
    if whole > terms.longest:
        found.append(Breach("length", day, whole, terms.longest))
    if whole >= terms.break_from and shift.pause < terms.break_minutes:
        found.append(Breach("no_break", day, shift.pause, terms.break_minutes))
    return found


def breaches(shifts: Iterable[Planned], terms: WorkTerms, zone: tzinfo) -> list[Breach]:
    """What one courier's shifts break together. A shift counts for the local day and the week (from Monday) in which it
    starts; rest is asked for between the last shift of one day and the first of a later one."""
    ordered = sorted(shifts, key=lambda shift: (shift.starts_at, shift.ends_at))
    days: dict[date, int] = defaultdict(int)
    weeks: dict[date, int] = defaultdict(int)
    for shift in ordered:
        day = shift.starts_at.astimezone(zone).date()
        days[day] += shift.minutes
        weeks[day - timedelta(days=day.weekday())] += shift.minutes
    found = []
    for kind, spent, most in (("day", days, terms.most_a_day), ("week", weeks, terms.most_a_week)):
        found += [Breach(kind, first, minutes, most) for first, minutes in spent.items() if minutes > most]
    for before, after in pairwise(ordered):
        day = after.starts_at.astimezone(zone).date()
        apart = int((after.starts_at - before.ends_at) / MINUTE)
        if apart < 0:
            found.append(Breach("overlap", day, -apart, 0))
        elif day != before.starts_at.astimezone(zone).date() and apart < terms.rest:
            found.append(Breach("rest", day, apart, terms.rest))
    return found


WISHES = ("want", "avoid", "cannot")


@dataclass(frozen=True)
class Wish:
    """What a courier says of minutes [start, end) of the local day: of every such `weekday` (Monday is 0), or of one
    `day`. `kind` is want, avoid (would rather not) or cannot."""

    kind: str
    start: int
    end: int
    weekday: int | None = None
    day: date | None = None

    def of(self, day: date) -> bool:
        """Whether it is said of this local day."""
        return self.day == day if self.day else self.weekday == day.weekday()

    def sane(self) -> bool:
        """One weekday or one date, and a time of it."""
        named = (self.weekday is None) != (self.day is None) and (self.weekday or 0) in range(7)
        return named and self.kind in WISHES and 0 <= self.start < self.end <= 24 * 60


def answer(wishes: Iterable[Wish], shift: Period, zone: tzinfo) -> str:
    """What these wishes say to a shift: cannot or avoid where any of it is such a time, the harder word first; want
    where all of it is wished for, and nothing ("") otherwise."""
    said: dict[str, list[Period]] = defaultdict(list)
    starts_at, ends_at = shift
    day, last = starts_at.astimezone(zone).date(), ends_at.astimezone(zone).date()
    spoken = list(wishes)
    while day <= last:
        for one in spoken:
            if one.of(day):
                said[one.kind].append((minute_of(day, one.start, zone), minute_of(day, one.end, zone)))
        day += timedelta(days=1)
    for kind in ("cannot", "avoid"):
        if any(start < ends_at and starts_at < end for start, end in said[kind]):
            return kind
    reached = starts_at
    for start, end in sorted(said["want"]):
        if start <= reached:
            reached = max(reached, end)
    return "want" if reached >= ends_at else ""


def minute_of(day: date, minute: int, zone: tzinfo) -> datetime:
    """A minute of the local day; on the two days that clocks are changed, by the clock."""
    return (datetime.combine(day, time.min) + timedelta(minutes=minute)).replace(tzinfo=zone)


@dataclass(frozen=True)
class EarningTerms:
    """Minor units: an order, a kilometre of road, guaranteed an hour; `bonus` at `bonus_orders` orders a day."""

    per_order: int
    per_km: int
    guarantee_hour: int = 0
    bonus_orders: int = 0
    bonus: int = 0


def guaranteed_minutes(duty: Period, planned: Sequence[Period], breaks: Sequence[Period]) -> int:
    """Whole minutes on duty inside planned shifts (which do not overlap), less the breaks in them."""
    spent = timedelta()
    for shift in planned:
        inside = _common(duty, shift)
        spent += inside[1] - inside[0]
        for pause in breaks:
            taken = _common(inside, pause)
            spent -= taken[1] - taken[0]
    return int(spent / MINUTE)


def top_up(terms: EarningTerms, minutes: int, earned: int) -> int:
    """What is missing to the guarantee, rounded half up; 0 where the orders earned more."""
    return max(0, (terms.guarantee_hour * minutes + 30) // 60 - earned)


def bonus(terms: EarningTerms, orders: int, paid: bool) -> int:
    """The day's bonus once its orders are brought, unless it was `paid` with an earlier shift of the day."""
    return terms.bonus if terms.bonus and orders >= terms.bonus_orders and not paid else 0


@dataclass(frozen=True)
class Duty:
    """A shift as it is paid for: by whom it was worked, its minutes of guaranteed pay, orders brought and what they
    earned."""

    courier: str
    guaranteed: int
    orders: int
    earned: int


@dataclass(frozen=True)
class DayCost:
    """What a day's couriers cost: their orders, what was missing to the guarantee, and bonuses."""

    earned: int = 0
    top_up: int = 0
    bonus: int = 0

    @property
    def total(self) -> int:
        return self.earned + self.top_up + self.bonus


def day_cost(terms: EarningTerms, duties: Iterable[Duty]) -> DayCost:
    """What the shifts of one day come to, `duties` in the sequence in which they ended: each is topped up to the
    guarantee by itself, the bonus is paid once a courier when the orders of all their shifts reach it."""
    earned = topped = paid = 0
    brought: dict[str, int] = defaultdict(int)
    have_it: set[str] = set()
    for duty in duties:
        brought[duty.courier] += duty.orders
        earned += duty.earned
        topped += top_up(terms, duty.guaranteed, duty.earned)
        due = bonus(terms, brought[duty.courier], duty.courier in have_it)
        if due:
            have_it.add(duty.courier)
        paid += due
    return DayCost(earned, topped, paid)


def first_name(name: str) -> str:
    """What customers are told of a courier: the first word, or of a Chinese name the family name."""
    words = name.split()
    if not words:
        return ""
    return words[0] if words[0].isascii() or len(words) > 1 else f"{words[0][0]}师傅"


def _common(one: Period, other: Period) -> Period:
    start = max(one[0], other[0])
    return start, max(start, min(one[1], other[1]))
