"""Times that a shopper may choose: an hour later today or tomorrow, and when a shop begins with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from . import SLOT_MINUTES, Bin, Window, in_hand

# Within its quarter a ride is meant to end after so many minutes: not before the window, with the most left of it.
INTO_QUARTER = timedelta(minutes=10)
# Who picks up at five finds the bag ready at five; it may stand there for so long before.
STANDS = timedelta(minutes=15)
DAY = 24 * 60
MOST_DAYS = 14


@dataclass(frozen=True)
class Hours:
    """[starts_at, ends_at) of a local day."""

    starts_at: datetime
    ends_at: datetime


def windows(
    now: datetime, opens: int, closes: int, zone: ZoneInfo, *, minutes: int, cutoff: int, days: int
) -> list[Hours]:
    """The windows of `minutes` that can be chosen now: by the clock, within the shop's hours, `cutoff` minutes ahead.

    `opens` and `closes` are local minutes of the day; today is the first of `days`. An hour that the clocks leave out
    or repeat is not offered. ValueError for what no retailer's terms and no shop's hours are.
    """
    if not (0 <= opens <= DAY and 0 <= closes <= DAY and 0 <= minutes <= DAY and 0 <= days <= MOST_DAYS):
        raise ValueError("hours of a day, windows within it, days of a fortnight")
    if not minutes:
        return []
    found = []
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    for number in range(days):
        day = today + timedelta(days=number)
        for start in range(-(-opens // minutes) * minutes, closes - minutes + 1, minutes):
            starts_at, ends_at = _moment(day, start, now), _moment(day, start + minutes, now)
            if ends_at - starts_at == timedelta(minutes=minutes) and starts_at >= now + timedelta(minutes=cutoff):
                found.append(Hours(starts_at, ends_at))
    return found


def quarter(hours: Hours, bins: Sequence[Bin], residual_seconds: float) -> Bin | None:
    """The quarter of the window with the most room, the earlier of equals; None when it is full.

    A ride meant for it ends, with the residual, within the window.
    """
    last = hours.ends_at - timedelta(seconds=residual_seconds) - INTO_QUARTER
    inside = [one for one in bins if hours.starts_at <= one.starts_at <= max(last, hours.starts_at)]
    inside.sort(key=lambda one: (-one.free, one.starts_at))
    return inside[0] if inside and inside[0].free > 0 else None


def delivered(hours: Hours, chosen: Bin, *, travel_seconds: float, residual_seconds: float) -> Window:
    """The promise of a chosen window: the door within it; packed when the courier has to leave for that."""
    latest = hours.ends_at - timedelta(seconds=residual_seconds)
    expected = max(min(max(chosen.starts_at, hours.starts_at) + INTO_QUARTER, latest), hours.starts_at)
    return Window(expected, hours.starts_at, hours.ends_at, in_hand(expected, travel_seconds))


def collected(hours: Hours) -> Window:
    """A pick-up from the window's beginning on: ready by then."""
    return Window(hours.starts_at, hours.starts_at - STANDS, hours.starts_at, hours.starts_at)


def quarters(hours: Sequence[Hours]) -> list[datetime]:
    """Every quarter of an hour of these windows, in order, each once. ValueError for a window longer than a day."""
    step = timedelta(minutes=SLOT_MINUTES)
    if any(one.ends_at - one.starts_at > timedelta(minutes=DAY) for one in hours):
        raise ValueError("windows within a day")
    return sorted(
        {one.starts_at + step * number for one in hours for number in range((one.ends_at - one.starts_at) // step)}
    )


def _moment(day: datetime, minute: int, like: datetime) -> datetime:
    return (day + timedelta(minutes=minute)).astimezone(like.tzinfo)
