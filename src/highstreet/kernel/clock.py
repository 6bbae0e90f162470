"""The one place that knows what time it is.

Business time may run faster than the wall's (the simulated city at up to x60) and is shared by all
processes through `HIGHSTREET_CLOCK="wall_start,business_start,speed"` (unix seconds, seconds, factor).
Protocols that check each other's age (signatures, certificates) use `wall()`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_frozen: list[datetime] = []


@dataclass(frozen=True)
class Rate:
    """Business time = business_start + (wall - wall_start) * speed; all in unix seconds."""

    wall_start: float
    business_start: float
    speed: float

    def encode(self) -> str:
        return f"{self.wall_start!r},{self.business_start!r},{self.speed!r}"

    @classmethod
    def decode(cls, text: str) -> Rate:
        wall_start, business_start, speed = (float(part) for part in text.split(","))
        return cls(wall_start, business_start, speed)

    def at(self, wall: float) -> datetime:
        seconds = self.business_start + (wall - self.wall_start) * self.speed
        return datetime.fromtimestamp(seconds, tz=UTC)


def _from_environment() -> Rate:
    raw = os.environ.get("HIGHSTREET_CLOCK", "")
    if not raw:
        return Rate(0.0, 0.0, 1.0)
    return Rate.decode(raw)


_rate = _from_environment()


def follow(rate: Rate) -> None:
    """Let this process go by `rate`: who starts a city knows its time only after this module was loaded."""
    global _rate
    _rate = rate


def now() -> datetime:
    """Business time, aware UTC."""
    if _frozen:
        return _frozen[-1]
    return _rate.at(time.time())


def at(wall: float) -> datetime:
    """Business time as it was, or will be, at `wall` (unix seconds)."""
    return _rate.at(wall)


def wall() -> float:
    """The wall's time in unix seconds, for protocols and measurements."""
    return time.time()


def speed() -> float:
    """How many business seconds pass in one wall second."""
    return _rate.speed


def real_seconds(business_seconds: float) -> float:
    """How long to wait on the wall for `business_seconds` to pass."""
    return business_seconds / _rate.speed


def sleep(business_seconds: float) -> None:
    """Wait until `business_seconds` have passed. Only loops of long-lived processes may call it."""
    time.sleep(real_seconds(business_seconds))


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """Hold business time still at `at` (tests, replays)."""
    _frozen.append(at)
    try:
        yield
    finally:
        _frozen.pop()


@contextmanager
def advanced(by: timedelta) -> Iterator[None]:
    """Hold business time still, `by` later than now."""
    with frozen(now() + by):
        yield
