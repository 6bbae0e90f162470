"""From a city's past to what a day needs and the shifts that cover it: the engine on the city's own numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

import numpy as np

from highstreet.kernel import clock
from highstreet.supply.organisations import reads as organisations

from . import ports
from .engine import Cover, Need, Profile, Shifts, Work, allowed, fit, learn, need
from .rules import WorkTerms

DAY = 24 * 60
BIN = 30
WEEKS = 8
# So many days of one weekday say more than all days together.
LEAST_DAYS = 2
# Until a city has history: minutes of work for an order, to prepare it, and of the way to the shop.
USUAL_BUSY, USUAL_PREPARE, AHEAD = 20.0, 12.0, 5.0
# Nobody comes for two hours gladly: so many minutes one shift more has to gain.
EACH = 30.0
# A usual day: at noon and in the evening (minute, its standard deviation, share of the orders).
USUAL_PEAKS = ((12 * 60, 55.0, 0.4), (18 * 60 + 30, 75.0, 0.6))


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a local day needs; `source` says what it rests on: weekday, days or usual, and how many days."""

    need: Need
    orders: float
    source: str
    days: int


def seen(city_id: UUID) -> ports.Past:
    """The city's last weeks, up to the last midnight."""
    city = organisations.city(city_id)
    until = datetime.combine(clock.now().astimezone(city.zone).date(), time.min, tzinfo=city.zone)
    return ports.history().past(city_id, until - timedelta(weeks=WEEKS), until, city.time_zone, BIN)


def wanted(day: date, past: ports.Past, terms: WorkTerms) -> Wanted:
    """What the day needs, by the same weekday's past, all days' past, or a usual day."""
    same = [one for one in past.days if one.weekday() == day.weekday()]
    source, chosen = ("weekday", same) if len(same) >= LEAST_DAYS else ("days", list(past.days))
    if chosen:
        profile = learn([_minutes(past.days[one]) for one in sorted(chosen)], DAY, bin_minutes=BIN)
    else:
        source, profile = "usual", _usual(terms.usual_orders)
    work = Work(past.busy or USUAL_BUSY, AHEAD, np.array(past.prepare or [USUAL_PREPARE]))
    return Wanted(need(profile, work, level=terms.level_percent / 100), profile.volume, source, len(chosen))


def proposal(found: Wanted, terms: WorkTerms) -> Cover:
    """The shifts for it, by the city's rules of work; as many as the day needs, whoever is there to work them."""
    shifts = Shifts(
        shortest=terms.shortest,
        longest=terms.longest,
        break_from=terms.break_from,
        break_minutes=terms.break_minutes,
        break_early=terms.break_from * 5 // 12,
        break_late=terms.break_from * 3 // 4,
    )
    busy = np.flatnonzero(found.need.needed)
    if not len(busy):
        return fit(found.need, [])
    opens, closes = int(busy[0]) * BIN, min(int(busy[-1] + 1) * BIN, DAY)
    patterns = allowed(shifts, max(0, min(opens, closes - terms.shortest)), max(closes, opens + terms.shortest))
    return fit(found.need, patterns, each=EACH)


def _minutes(counts: Mapping[int, int]) -> np.ndarray:
    """Orders as the middles of their bins."""
    bins = sorted(counts)
    return np.repeat(np.array(bins) + BIN // 2, [counts[one] for one in bins])


def _usual(orders: int) -> Profile:
    """A day in a town of which nothing is known: a third more or less would surprise nobody."""
    middle = np.arange(DAY // BIN) * BIN + BIN / 2
    made = sum(share / width * np.exp(-(((middle - peak) / width) ** 2) / 2) for peak, width, share in USUAL_PEAKS)
    return Profile(np.asarray(made / np.sum(made) * orders), BIN, 0.3, 0)
