"""How often the API may be asked: a token bucket for each subject and class of operation. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """`burst` operations at once, filled again by `rate` a second of business time."""

    name: str
    rate: float
    burst: int

    def times(self, factor: float) -> Limit:
        return Limit(self.name, self.rate * factor, max(1, round(self.burst * factor)))


READS = Limit("reads", 20.0, 100)
WRITES = Limit("writes", 5.0, 50)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Signing in counts failures by itself; what a payment provider or a delivery fleet tells us is never turned away.
UNLIMITED = ("/api/v1/sessions", "/api/v1/payments/", "/api/v1/fleets/")


@dataclass(frozen=True)
class Bucket:
    """`tokens` at the moment `at` (seconds)."""

    tokens: float
    at: float


@dataclass(frozen=True)
class Taken:
    """`remaining` whole operations; `wait`: seconds until the next is allowed; `full`: until all are."""

    bucket: Bucket
    allowed: bool
    remaining: int
    wait: float
    full: float


def limit_for(method: str, path: str) -> Limit | None:
    """The class of an operation; None where nothing is counted."""
    if not path.startswith("/api/") or path.startswith(UNLIMITED):
        return None
    return READS if method in SAFE else WRITES


def take(bucket: Bucket | None, limit: Limit, now: float) -> Taken:
    """Fill the bucket up to `now` and take one token, if there is one. A clock that went back fills nothing."""
    before = bucket or Bucket(limit.burst, now)
    tokens = min(limit.burst, before.tokens + max(0.0, now - before.at) * limit.rate)
    allowed = tokens >= 1.0
    left = tokens - 1.0 if allowed else tokens
    wait = 0.0 if allowed else (1.0 - left) / limit.rate
    return Taken(Bucket(left, now), allowed, math.floor(left), wait, (limit.burst - left) / limit.rate)
