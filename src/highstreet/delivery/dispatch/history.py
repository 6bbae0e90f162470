"""What couriers' rosters learn from: fills `couriers.ports.history`."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from highstreet.delivery.couriers.ports import Past

LEAST_TIMED = 20
MOST_BUSY = 120

_BEGAN = (
    "SELECT (work AT TIME ZONE %(zone)s)::date, "
    "(extract(epoch FROM (work AT TIME ZONE %(zone)s)::time)::int / 60 / %(bin)s) * %(bin)s, count(*) FROM "
    # Who chose a window is work when it begins, not when they ordered.
    "(SELECT GREATEST(created_at, not_before - interval '30 minutes') AS work FROM dispatch_delivery "
    "WHERE city_id = %(city)s AND carrier = 'own' AND created_at >= %(since)s - interval '15 days' "
    "AND created_at < %(until)s) AS begun WHERE work >= %(since)s AND work < %(until)s GROUP BY 1, 2"
)
_TIMED = (
    "SELECT percentile_cont((SELECT array_agg(n / 20.0) FROM generate_series(1, 19) n)) WITHIN GROUP "
    "(ORDER BY greatest(extract(epoch FROM ready_by - greatest(created_at, start_at)) / 60, 0)) "
    "FILTER (WHERE not_before IS NULL), "
    "avg(extract(epoch FROM ended_at - accepted_at) / 60) FILTER (WHERE status = 'delivered' AND "
    "accepted_at IS NOT NULL), "
    "count(*) FILTER (WHERE status = 'delivered' AND accepted_at IS NOT NULL) "
    "FROM dispatch_delivery WHERE city_id = %(city)s AND carrier = 'own' AND created_at >= %(since)s "
    "AND created_at < %(until)s"
)


class History:
    """By two queries that group in the database: a city's weeks are many rows."""

    def past(self, city_id: UUID, since: datetime, until: datetime, zone: str, bin_minutes: int) -> Past:
        asked: dict[str, Any] = {"city": city_id, "since": since, "until": until, "zone": zone, "bin": bin_minutes}
        days: dict[date, dict[int, int]] = defaultdict(dict)
        with connection.cursor() as cursor:
            cursor.execute(_BEGAN, asked)
            for day, minute, count in cursor.fetchall():
                days[day][int(minute)] = int(count)
            cursor.execute(_TIMED, asked)
            prepare, busy, timed = cursor.fetchone()
        known = float(min(busy, MOST_BUSY)) if timed >= LEAST_TIMED else None
        return Past(dict(days), [float(one) for one in prepare or []], known)
