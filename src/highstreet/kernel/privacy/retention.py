"""Keep nothing longer than it was declared to be kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog
from django.db import connection, transaction

from .. import clock
from .catalogue import Reference, children_first, references, unreferenced
from .register import WALL, Period, periods

log = structlog.get_logger(__name__)
BATCH = 2000
MOST_BATCHES = 50


def enforce(*, wall: datetime | None = None) -> dict[str, int]:
    """Delete or overwrite what is past its period, in batches of their own transactions. Rows by table.

    `wall` stands for the wall's time (tests). A run ends after 100,000 rows of one period; the next goes on.
    """
    known, declared = references(), periods()
    gone: dict[str, int] = {}
    for name in children_first(declared, known):
        for period in declared[name]:
            now = (wall or datetime.fromtimestamp(clock.wall(), UTC)) if period.stamp == WALL else clock.now()
            until = now - timedelta(days=period.days)
            for _ in range(MOST_BATCHES):
                count = _batch(name, period, until, known)
                gone[name] = gone.get(name, 0) + count
                if count < BATCH:
                    break
    told = {name: count for name, count in gone.items() if count}
    if told:
        log.info("privacy.retention", **told)
    return told


def _batch(name: str, period: Period, until: datetime, known: list[Reference]) -> int:
    """One batch. Rows that somebody is just writing are left to the next run."""
    if period.columns:
        names, values = ", ".join(f"t.{column}" for column in period.columns), ", ".join(period.columns.values())
        still = f"({period.past}) AND ROW({names}) IS DISTINCT FROM ROW({values})"
        change = ", ".join(f"{column} = {value}" for column, value in period.columns.items())
        verb = f"UPDATE {name} t SET {change}"  # noqa: S608 (the register's own words)
    else:
        still = f"({period.past}) AND {unreferenced(name, known)}"
        verb = f"DELETE FROM {name} t"  # noqa: S608
    found = f"SELECT t.ctid FROM {name} t WHERE {still} LIMIT {BATCH} FOR UPDATE OF t SKIP LOCKED"  # noqa: S608
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL highstreet.forgetting = 'on'")
        cursor.execute(f"{verb} WHERE t.ctid IN ({found})", {"until": until})
        return int(cursor.rowcount)
