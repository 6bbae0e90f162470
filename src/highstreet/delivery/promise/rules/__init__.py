"""What we promise, on plain values: how long a shop needs, how long the way, how much the future may differ.

Nothing here knows the clock, the database or the city. Minutes are float minutes, seconds float seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import UUID

from highstreet.kernel.money import split_by_weight

SLOT_MINUTES = 15
# So many packed orders weigh as much as the belief that a shop is as fast as it says.
PACE_BELIEF = 8.0
LEAST_PACE, MOST_PACE = 0.5, 3.0
HORIZON_MINUTES = 180
# Couriers a zone: to make one more, and to keep it.
ZONE_BEGINS, ZONE_STAYS = 6, 4
DEFAULT_CYCLE_MINUTES = 20.0
REACT_MINUTES = 1.0
HANDOVER_SECONDS = 60.0
DOOR_SECONDS = 60.0
RIDE_TO_STORE_MINUTES = 5.0
LEAST_FREE = 0.06
LONGEST_WAIT_MINUTES = 60.0
# Who would wait less than this before picking begins at once: a list that changes every minute helps nobody, and the
# minutes are within what packing differs by anyway.
LEAST_WAIT = timedelta(minutes=5)
MOST_RESIDUAL = 1500.0
SPREAD_SHARE = 0.1
LEAST_SPREAD = {"delivery": 180.0, "pickup": 60.0}
USUAL_SPREAD = {"delivery": 360.0, "pickup": 120.0}
# How many pick at once, until rosters say so.
PICKERS = {"supermarket": 3, "dark_store": 3, "corner_shop": 1}
# Seconds by which the outcome exceeds what was expected, by quantile, before a city has its own history.
RESIDUALS: Mapping[str, Mapping[int, float]] = {
    "delivery": {0: 0.0, 50: 0.0, 75: 180.0, 80: 240.0, 90: 360.0, 95: 540.0, 99: 900.0, 100: 1200.0},
    "pickup": {0: 0.0, 50: 0.0, 75: 90.0, 80: 120.0, 90: 180.0, 95: 300.0, 99: 480.0, 100: 600.0},
}


@dataclass(frozen=True)
class Load:
    """What a shop has still to pack: orders and their units."""

    orders: int = 0
    units: int = 0


@dataclass(frozen=True)
class Window:
    """[promised_from, promised_to), the expected moment inside it, and when the shop must have packed."""

    expected: datetime
    promised_from: datetime
    promised_to: datetime
    ready_by: datetime


@dataclass(frozen=True)
class Bin:
    """A quarter of an hour, how many deliveries may still end in it, and its row's id once there is one."""

    starts_at: datetime
    free: int
    slot_id: UUID | None = None


def prep_minutes(base: float, seconds_per_unit: float, units: int, load: Load, kind: str) -> float:
    """Minutes until a basket of `units` is packed: the shop reacts, works off what waits, then picks it."""
    waiting = (load.orders * base + load.units * seconds_per_unit / 60) / PICKERS.get(kind, 1)
    return REACT_MINUTES + waiting + base + units * seconds_per_unit / 60


def pace(median_log: float, packed: int) -> float:
    """What this shop takes for a minute that was reckoned: by the median logarithm of its last ones' ratios.

    Drawn towards 1 by as much as they are few; kept within a half and three.
    """
    drawn = median_log * packed / (packed + PACE_BELIEF)
    return math.exp(min(max(drawn, math.log(LEAST_PACE)), math.log(MOST_PACE)))


def courier_minutes(deliveries_open: int, couriers: int, cycle_minutes: float = DEFAULT_CYCLE_MINUTES) -> float:
    """Minutes until a courier stands at the shop: the ride, and a turn for each delivery too many a courier.

    The fewer are free, the farther is the nearest: by 1 / sqrt(their density) (Clark and Evans 1954).
    """
    if couriers <= 0:
        return LONGEST_WAIT_MINUTES
    free = max(1.0 - deliveries_open / couriers, LEAST_FREE)
    queue = max(0.0, deliveries_open / couriers - 1.0)
    return min(RIDE_TO_STORE_MINUTES / math.sqrt(free) + queue * cycle_minutes, LONGEST_WAIT_MINUTES)


def offer(
    now: datetime,
    *,
    prep: float,
    travel_seconds: float,
    courier: float,
    residual_seconds: float,
    not_before: datetime | None = None,
) -> Window:
    """The window of a delivery: pack and courier side by side, hand over, ride, door; then the residual.

    `not_before` moves the expected moment later (a full quarter of an hour); the shop's time moves with it.
    """
    ready = now + timedelta(minutes=prep)
    expected = now + timedelta(seconds=expected_seconds(prep=prep, travel_seconds=travel_seconds, courier=courier))
    if not_before is not None and not_before > expected:
        ready += not_before - expected
        expected = not_before
    return _window(expected, residual_seconds, ready)


def pickup(now: datetime, *, prep: float, residual_seconds: float) -> Window:
    """The window of a pick-up: packed by its end."""
    ready = now + timedelta(minutes=prep)
    window = _window(ready, residual_seconds, ready)
    return Window(ready, window.promised_from, window.promised_to, window.promised_to)


def residual(table: Mapping[int, float], quantile: int) -> float:
    """Seconds for `quantile` (0-100) from a table, linear between its entries."""
    known = sorted(table)
    below = max((entry for entry in known if entry <= quantile), default=known[0])
    above = min((entry for entry in known if entry >= quantile), default=known[-1])
    if above == below:
        return table[below]
    share = (quantile - below) / (above - below)
    return table[below] + share * (table[above] - table[below])


@cache
def usual_residual(mode: str, quantile: int) -> float:
    """What a city without history gets, in seconds."""
    return residual(RESIDUALS[mode], quantile)


def in_hand(expected: datetime, travel_seconds: float) -> datetime:
    """When the goods are with a courier who is at the door at `expected`."""
    return expected - timedelta(seconds=DOOR_SECONDS + travel_seconds + HANDOVER_SECONDS)


def begins(ready_by: datetime, prep_minutes: float, spare_seconds: float) -> datetime:
    """When the shop begins with it, so that it is packed in time as often as promised, and no earlier."""
    return ready_by - timedelta(minutes=prep_minutes, seconds=spare_seconds)


def waits(
    now: datetime,
    comes: datetime,
    closes_at: datetime,
    *,
    prep: float,
    spare_seconds: float,
    queue: timedelta = timedelta(),
) -> tuple[datetime, datetime] | None:
    """(start_at, ready_by) of goods whose courier `comes` well after they could be packed; None: the shop begins now.

    Packed by then as often as promised, and before the shop closes; the start is a full minute. Not while the `queue`
    would still be before it: there it takes its place at once.
    """
    start_at = _down(begins(min(comes, closes_at), prep, spare_seconds))
    if start_at < now + max(LEAST_WAIT, queue):
        return None
    return start_at, start_at + timedelta(minutes=prep, seconds=spare_seconds)


def expected_seconds(*, prep: float, travel_seconds: float, courier: float) -> float:
    """From now to the door: pack and courier side by side, hand over, ride, door."""
    return 60 * max(prep, courier) + HANDOVER_SECONDS + travel_seconds + DOOR_SECONDS


def spread_seconds(duration: float, mode: str) -> float:
    """What a score is counted in: a tenth of what was expected, and what even the shortest may differ by."""
    return LEAST_SPREAD[mode] + SPREAD_SHARE * duration


def beliefs(mode: str) -> list[float]:
    """Scores of a city without a history: the table's residuals by every per cent, in usual spreads."""
    return [residual(RESIDUALS[mode], quantile) / USUAL_SPREAD[mode] for quantile in range(1, 100, 2)]


def bounded(seconds: float, mode: str, quantile: int) -> float:
    """A residual kept between half of what a city without history gets and 25 minutes.

    A quiet hour must not leave the next rush without room.
    """
    return min(max(seconds, usual_residual(mode, quantile) / 2), MOST_RESIDUAL)


def slot_start(at: datetime) -> datetime:
    """The quarter of an hour that `at` is in (UTC)."""
    step = SLOT_MINUTES * 60
    return datetime.fromtimestamp(at.timestamp() // step * step, tz=UTC)


def slot_starts(now: datetime) -> list[datetime]:
    """The quarters that may be promised now: this one and the next three hours'."""
    first = slot_start(now)
    return [first + timedelta(minutes=SLOT_MINUTES * number) for number in range(HORIZON_MINUTES // SLOT_MINUTES + 1)]


def capacity(couriers: int, cycle_minutes: float = DEFAULT_CYCLE_MINUTES) -> int:
    """Deliveries that `couriers` can end in one slot: couriers x 15 / mean cycle, at least one if there is anybody."""
    return max(int(couriers * SLOT_MINUTES / max(cycle_minutes, 1.0)), min(couriers, 1))


def most_zones(at_work: int, zones: int) -> int:
    """How many zones a city with so many couriers may have that has `zones`: a few couriers ride everywhere.

    To make one takes more couriers than to keep it, so that it does not come and go with one of them.
    """
    return max(at_work // ZONE_BEGINS, min(zones, at_work // ZONE_STAYS), 1)


def left(most: Sequence[int], promised: int) -> list[int]:
    """What of each zone's capacity is left when `promised` deliveries more have to be brought by some of them."""
    return [one - less for one, less in zip(most, split_by_weight(min(promised, sum(most)), most), strict=True)]


def first_free(bins: Sequence[Bin], expected: datetime) -> Bin | None:
    """The first bin from `expected`'s on that has room; None within the horizon."""
    start = slot_start(expected)
    for one in sorted(bins, key=lambda one: one.starts_at):
        if one.starts_at >= start and one.free > 0:
            return one
    return None


def judge(promised_to: datetime, at: datetime) -> tuple[str, int]:
    """("kept" or "broken", seconds after the promise; negative when early). In time means not after it."""
    late = math.ceil((at - promised_to).total_seconds())
    return ("kept" if at <= promised_to else "broken"), late


def _window(expected: datetime, residual_seconds: float, ready: datetime) -> Window:
    promised_to = round_up(expected + timedelta(seconds=residual_seconds))
    promised_from = min(_down(expected), promised_to - timedelta(minutes=1))
    return Window(expected, promised_from, promised_to, round_up(ready))


def _down(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def round_up(at: datetime) -> datetime:
    """To the full minute."""
    down = _down(at)
    return down if down == at else down + timedelta(minutes=1)
