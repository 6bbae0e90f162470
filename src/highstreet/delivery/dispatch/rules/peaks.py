"""What a day's deliveries were like, five minutes by five minutes, and to what their lateness was lost.

An order's delay is measured against what was expected when it was promised. Each second of it has one cause; the
reserve in the promise is nobody's, so lateness is shared among the causes in proportion to the delay of each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

BIN = timedelta(minutes=5)
LONGEST = timedelta(days=7)
HALF_HOUR = 6  # bins
# How long handing over at the door was expected to take (as the promise does).
DOOR_SECONDS = 60.0
# shop: not packed; capacity: packed, and nobody had it; courier: packed, and whoever had it was not there yet;
# bundle: another door came first; travel: the ride itself; door: handing over.
CAUSES = ("shop", "capacity", "courier", "bundle", "travel", "door")


@dataclass(frozen=True)
class Course:
    """One delivery as it went; None where it did not come to that.

    `unassigned`: while nobody had it. `freed_at`: when its courier had done with the last other door on the way.
    `travel_seconds`: from store to door as expected. `pay` in fen.
    """

    placed_at: datetime
    promised_to: datetime
    expected: datetime
    travel_seconds: float
    ready_at: datetime | None = None
    unassigned: tuple[tuple[datetime, datetime], ...] = ()
    picked_up_at: datetime | None = None
    freed_at: datetime | None = None
    at_door_at: datetime | None = None
    delivered_at: datetime | None = None
    pay: int = 0

    @property
    def late_seconds(self) -> int:
        """Whole seconds after the promise, rounded up; 0 in time or not delivered."""
        if self.delivered_at is None:
            return 0
        return max(0, math.ceil((self.delivered_at - self.promised_to).total_seconds()))


@dataclass
class Bin:
    """Five minutes: orders placed in it; deliveries that ended in it, how many late, pay in fen, seconds lost."""

    starts_at: datetime
    placed: int = 0
    done: int = 0
    late: int = 0
    pay: int = 0
    lost: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CAUSES, 0))

    @property
    def lost_seconds(self) -> int:
        return sum(self.lost.values())


def delays(course: Course) -> dict[str, float]:
    """Seconds by which each part took longer than expected, by cause; what went faster is not among them."""
    if course.delivered_at is None:
        return {}
    expected = min(course.expected, course.promised_to)
    end = course.delivered_at
    door = min(course.at_door_at or end, end)
    pick = min(course.picked_up_at or door, door)
    planned = expected - timedelta(seconds=course.travel_seconds + DOOR_SECONDS)
    packed = min(max(course.ready_at or pick, planned), pick)
    made = dict.fromkeys(CAUSES, 0.0)
    if pick > planned:
        made["shop"] = (packed - planned).total_seconds()
        made["capacity"] = sum(_overlap(since, until, packed, pick) for since, until in course.unassigned)
        made["courier"] = (pick - packed).total_seconds() - made["capacity"]
    stood = (end - door).total_seconds() if course.at_door_at is not None else DOOR_SECONDS
    ride = (door - pick).total_seconds() - (0.0 if course.at_door_at is not None else DOOR_SECONDS)
    over = max(ride - course.travel_seconds, 0.0)
    if course.freed_at is not None and pick < course.freed_at <= door:
        made["bundle"] = min(over, (course.freed_at - pick).total_seconds())
    made["travel"] = over - made["bundle"]
    made["door"] = max(stood - DOOR_SECONDS, 0.0)
    return made


def lost(course: Course) -> dict[str, int]:
    """The lateness in whole seconds by cause: they add up to `late_seconds`; {} when it was in time."""
    late = course.late_seconds
    return shared(late, delays(course)) if late else {}


def shared(total: int, weights: Mapping[str, float]) -> dict[str, int]:
    """`total` in whole numbers in proportion to `weights`, by largest remainder; ties go to who comes first."""
    whole = sum(weights.values())
    if whole <= 0:
        # Nothing took longer than expected, and yet it was late: by less than the clock tells.
        return {"travel": total}
    exact = {name: total * weight / whole for name, weight in weights.items()}
    made = {name: int(value) for name, value in exact.items()}
    order = sorted(exact, key=lambda name: made[name] - exact[name])
    for name in order[: total - sum(made.values())]:
        made[name] += 1
    return {name: value for name, value in made.items() if value}


def bins(courses: Sequence[Course], start: datetime, end: datetime) -> list[Bin]:
    """Every five minutes of [start, end), a week at most: demand by when it was ordered, the rest by the arrival."""
    end = min(end, start + LONGEST)
    made = [Bin(start + BIN * number) for number in range(math.ceil((end - start) / BIN))]
    for course in courses:
        if start <= course.placed_at < end:
            made[(course.placed_at - start) // BIN].placed += 1
        if course.delivered_at is None or not start <= course.delivered_at < end:
            continue
        here = made[(course.delivered_at - start) // BIN]
        here.done += 1
        here.pay += course.pay
        here.late += course.late_seconds > 0
        for cause, seconds in lost(course).items():
            here.lost[cause] += seconds
    return made


def together(some: Sequence[Bin]) -> Bin:
    """Several bins as one; there is at least one."""
    made = Bin(some[0].starts_at)
    for one in some:
        made.placed += one.placed
        made.done += one.done
        made.late += one.late
        made.pay += one.pay
        for cause, seconds in one.lost.items():
            made.lost[cause] = made.lost.get(cause, 0) + seconds
    return made


def busiest(some: Sequence[Bin]) -> list[Bin]:
    """The half hour in which most was ordered; the first of equals."""
    if len(some) <= HALF_HOUR:
        return list(some)
    sums = [sum(one.placed for one in some[at : at + HALF_HOUR]) for at in range(len(some) - HALF_HOUR + 1)]
    at = sums.index(max(sums))
    return list(some[at : at + HALF_HOUR])


def _overlap(since: datetime, until: datetime, start: datetime, end: datetime) -> float:
    return max(0.0, (min(until, end) - max(since, start)).total_seconds())
