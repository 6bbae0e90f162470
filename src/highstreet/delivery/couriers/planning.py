"""From a city's past to what a day needs and the shifts that cover it: the engine on the city's own numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import cache
from typing import Protocol
from uuid import UUID

import numpy as np

from highstreet.kernel import clock
from highstreet.supply.organisations import reads as organisations

from . import ports
from .engine import Asked, Need, Pattern, Profile, Shifts, Work, allowed, fit, learn, named, need
from .rules import MINUTE, Planned, Wish, WorkTerms, answer, breaches, minute_of

DAY = 24 * 60
BIN = 30
WEEKS = 8
# So many days of one weekday say more than all days together.
LEAST_DAYS = 2
# Until a city has history: minutes of work for an order, to prepare it, and of the way to the shop.
USUAL_BUSY, USUAL_PREPARE, AHEAD = 20.0, 12.0, 5.0
# Nobody comes for two hours gladly: so many minutes one shift more has to gain.
EACH = 30.0
# Minutes before a shift of a published day begins: sooner nobody comes.
NOTICE = 120
# A usual day: at noon and in the evening (minute, its standard deviation, share of the orders).
USUAL_PEAKS = ((12 * 60, 55.0, 0.4), (18 * 60 + 30, 75.0, 0.6))


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a local day needs; `source` says what it rests on: weekday, days or usual, and how many days."""

    need: Need
    orders: float
    source: str
    days: int


@dataclass(frozen=True)
class SoFar:
    """So many orders up to a minute of today."""

    minute: int
    orders: int


def seen(city_id: UUID, day: date | None = None) -> ports.Past:
    """The city's weeks up to the midnight with which the local day begins, today by default: nothing of the day."""
    city = organisations.city(city_id)
    until = datetime.combine(day or clock.now().astimezone(city.zone).date(), time.min, tzinfo=city.zone)
    return ports.history().past(city_id, until - timedelta(weeks=WEEKS), until, city.time_zone, BIN)


def so_far(city_id: UUID) -> SoFar:
    """What the city's today has brought up to now."""
    city, now = organisations.city(city_id), clock.now()
    start = datetime.combine(now.astimezone(city.zone).date(), time.min, tzinfo=city.zone)
    days = ports.history().past(city_id, start, now, city.time_zone, BIN).days
    return SoFar(int((now - start) / MINUTE), sum(sum(counts.values()) for counts in days.values()))


def wanted(day: date, past: ports.Past, terms: WorkTerms, today: SoFar | None = None) -> Wanted:
    """What the day needs, by the same weekday's past, all days' past, or a usual day; of today also by what it has
    brought so far."""
    same = [one for one in past.days if one.weekday() == day.weekday()]
    source, chosen = ("weekday", same) if len(same) >= LEAST_DAYS else ("days", list(past.days))
    if chosen:
        profile = learn([_minutes(past.days[one]) for one in sorted(chosen)], DAY, bin_minutes=BIN)
    else:
        source, profile = "usual", _usual(terms.usual_orders)
    if today is not None:
        profile = profile.so_far(today.minute, today.orders)
    work = Work(past.busy or USUAL_BUSY, AHEAD, np.array(past.prepare or [USUAL_PREPARE]))
    return Wanted(need(profile, work, level=terms.level_percent / 100), profile.volume, source, len(chosen))


@dataclass(frozen=True)
class Rider:
    """Who may be given a shift: what they say, and what they work already, drafts included."""

    id: UUID
    wishes: list[Wish]
    works: list[Planned]


@dataclass(frozen=True)
class Proposed:
    """A shift for the day; `courier_id` is who wished for its time, None for whoever takes it."""

    starts_at: datetime
    ends_at: datetime
    break_starts_at: datetime | None
    break_ends_at: datetime | None
    courier_id: UUID | None


class Timed(Protocol):
    """A planned shift."""

    starts_at: datetime
    ends_at: datetime
    break_starts_at: datetime | None
    break_ends_at: datetime | None


@dataclass(frozen=True)
class Frame:
    """The local day that is planned, by which rules, and the first moment at which a new shift may begin."""

    day: date
    zone: tzinfo
    terms: WorkTerms
    earliest: datetime


def proposed(found: Wanted, frame: Frame, riders: Sequence[Rider], standing: Sequence[Timed]) -> list[Proposed]:
    """The shifts that the day needs beside those that stand, by the city's rules of work; as many as it needs, whoever
    is there to work them.

    Who wishes for a time and works nothing that day yet has one shift inside it where the day's need allows, who is
    planned least that week first. Nobody has one that they cannot or would rather not work, or that breaks a rule.
    """
    patterns = [one for one in _patterns(found.need, frame.terms) if _at(frame, one.start) >= frame.earliest]
    in_turn = sorted(riders, key=lambda one: _turn(one, frame))
    likes = [(rider, _likes(rider, patterns, frame)) for rider in in_turn]
    asking = [(rider, ones) for rider, ones in likes if ones]
    groups = Counter(ones for _, ones in asking)
    asked = [Asked(ones, people) for ones, people in groups.items()]
    cover = fit(found.need, patterns, each=EACH, standing=[_pattern(one, frame) for one in standing], asked=asked)
    place = {one: number for number, one in enumerate(patterns)}
    liked = [[number for number, one in enumerate(cover.shifts) if place[one] in ones] for _, ones in asking]
    whose = named(liked, len(cover.shifts))
    return [
        Proposed(
            _at(frame, one.start),
            _at(frame, one.end),
            _at(frame, one.break_start) if one.break_end else None,
            _at(frame, one.break_end) if one.break_end else None,
            asking[whose[number]][0].id if number in whose else None,
        )
        for number, one in enumerate(cover.shifts)
    ]


def _patterns(need: Need, terms: WorkTerms) -> list[Pattern]:
    """Every shift that the rules allow around the hours in which anybody is needed."""
    busy = np.flatnonzero(need.needed)
    if not len(busy):
        return []
    shifts = Shifts(
        shortest=terms.shortest,
        longest=terms.longest,
        break_from=terms.break_from,
        break_minutes=terms.break_minutes,
        break_early=terms.break_from * 5 // 12,
        break_late=terms.break_from * 3 // 4,
    )
    opens, closes = int(busy[0]) * BIN, min(int(busy[-1] + 1) * BIN, DAY)
    return allowed(shifts, max(0, min(opens, closes - terms.shortest)), max(closes, opens + terms.shortest))


def _likes(rider: Rider, patterns: Sequence[Pattern], frame: Frame) -> frozenset[int]:
    """Which of these the rider wishes for and may work."""
    if not any(one.kind == "want" and one.of(frame.day) for one in rider.wishes):
        return frozenset()
    if any(one.starts_at.astimezone(frame.zone).date() == frame.day for one in rider.works):
        return frozenset()
    before = set(breaches(rider.works, frame.terms, frame.zone))

    @cache
    def may(start: int, end: int, pause: int) -> bool:
        begins, ends = _at(frame, start), _at(frame, end)
        if answer(spoken, (begins, ends), frame.zone) != "want":
            return False
        with_it = breaches([*rider.works, Planned(begins, ends, pause)], frame.terms, frame.zone)
        return before.issuperset(with_it)

    # What begins before the first minute wished for need not be asked.
    spoken = [one for one in rider.wishes if one.of(frame.day) or one.of(frame.day + timedelta(days=1))]
    first = min(one.start for one in spoken if one.kind == "want" and one.of(frame.day))
    return frozenset(
        number
        for number, one in enumerate(patterns)
        if one.start >= first and may(one.start, one.end, one.break_end - one.break_start)
    )


def _turn(rider: Rider, frame: Frame) -> tuple[int, str]:
    """Who is planned least in the day's week comes first."""
    monday = frame.day - timedelta(days=frame.day.weekday())
    days = (one.starts_at.astimezone(frame.zone).date() - monday for one in rider.works)
    spent = sum(one.minutes for one, day in zip(rider.works, days, strict=True) if 0 <= day.days < 7)
    return spent, str(rider.id)


def _pattern(shift: Timed, frame: Frame) -> Pattern:
    """A planned shift in minutes of the local day."""

    def minute(at: datetime | None) -> int:
        return int((at.astimezone(frame.zone).replace(tzinfo=None) - midnight) / MINUTE) if at else 0

    midnight = datetime.combine(frame.day, time.min)
    return Pattern(*map(minute, (shift.starts_at, shift.ends_at, shift.break_starts_at, shift.break_ends_at)))


def _at(frame: Frame, minute: int) -> datetime:
    return minute_of(frame.day, minute, frame.zone)


def _minutes(counts: Mapping[int, int]) -> np.ndarray:
    """Orders as the middles of their bins."""
    bins = sorted(counts)
    return np.repeat(np.array(bins) + BIN // 2, [counts[one] for one in bins])


def _usual(orders: int) -> Profile:
    """A day in a town of which nothing is known: a third more or less would surprise nobody."""
    middle = np.arange(DAY // BIN) * BIN + BIN / 2
    made = sum(share / width * np.exp(-(((middle - peak) / width) ** 2) / 2) for peak, width, share in USUAL_PEAKS)
    return Profile(np.asarray(made / np.sum(made) * orders), BIN, 0.3, 0)
