"""How fast each shop lately packed, against what was reckoned."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from highstreet.kernel import clock

from .. import rules

HOURS = 3
WALL_SECONDS = 20.0
_PACES = """
SELECT store_id, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY ln(
    GREATEST(extract(epoch FROM ready_at - COALESCE(start_at, made_at)), 30) / 60
    / GREATEST((basis->>'prep_usual')::float, 1)))
FROM promise_promise
WHERE city_id = %(city)s AND made_at > %(since)s AND ready_at IS NOT NULL AND begins_at IS NULL
AND basis ? 'prep_usual'
GROUP BY store_id
"""
_recent: dict[UUID, tuple[float, dict[UUID, float]]] = {}


def forget() -> None:
    """Drop what this process remembers for some seconds."""
    _recent.clear()


def paces(city_id: UUID, at: datetime) -> dict[UUID, float]:
    """By shop, what a reckoned minute of its preparation takes; shops that packed nothing lately are left out.

    By the last three hours, so that a shop's slow hour is heard of while it lasts. One query every twenty seconds.
    """
    kept = _recent.get(city_id)
    if kept is not None and kept[0] > clock.wall():
        return kept[1]
    with connection.cursor() as cursor:
        cursor.execute(_PACES, {"city": city_id, "since": at - timedelta(hours=HOURS)})
        found = {store: rules.pace(median, packed) for store, packed, median in cursor.fetchall()}
    _recent[city_id] = clock.wall() + WALL_SECONDS, found
    return found
