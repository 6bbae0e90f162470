"""Promises as plain rows, by thousands: what runs in a city, and a day's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from highstreet.kernel import clock


@dataclass(frozen=True, slots=True)
class Running:
    """A delivery that is promised and not yet done; `expected` when it was promised."""

    order_id: UUID
    store_id: UUID
    promised_to: datetime
    expected: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """A delivery that was promised, on what it rested and what came of it. Seconds by road; `outcome` may be open.

    `made_at` is when work on it began: for a window that the shopper chose, when the store was to begin.
    """

    order_id: UUID
    store_id: UUID
    made_at: datetime
    promised_to: datetime
    expected: datetime
    travel_seconds: float
    fulfilled_at: datetime | None
    outcome: str


_RUNNING = """
SELECT order_id, store_id, promised_to, COALESCE((basis->>'expected')::timestamptz, promised_to)
FROM promise_promise WHERE city_id = %s AND mode = 'delivery' AND outcome = 'open'
AND COALESCE(begins_at, made_at) > %s AND COALESCE(begins_at, made_at) <= %s AND order_id <> ALL(%s)
"""
_DAY = """
SELECT order_id, store_id, COALESCE(begins_at, made_at) AS began, promised_to,
       COALESCE((basis->>'expected')::timestamptz, promised_to),
       COALESCE((basis->>'travel_seconds')::float8, 0), fulfilled_at, outcome
FROM promise_promise WHERE city_id = %s AND mode = 'delivery' AND outcome <> 'void'
AND COALESCE(begins_at, made_at) >= %s AND COALESCE(begins_at, made_at) < %s ORDER BY began, order_id
"""


def running(city_id: UUID, but: list[UUID]) -> list[Running]:
    """The city's deliveries that are promised and not yet done, without the orders `but`. Callers have checked that
    they may be seen."""
    with connection.cursor() as cursor:
        cursor.execute(_RUNNING, [city_id, clock.now() - timedelta(days=1), clock.now(), but])
        return [Running(*row) for row in cursor.fetchall()]


def day(city_id: UUID, start: datetime, end: datetime) -> list[Record]:
    """The deliveries promised in [start, end) but for those called off. Callers have checked that they may be seen."""
    with connection.cursor() as cursor:
        cursor.execute(_DAY, [city_id, start, end])
        return [Record(*row) for row in cursor.fetchall()]
