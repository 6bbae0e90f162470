"""The audit: invariants as SQL that returns what is broken. `highstreet audit` runs them all.

Each package adds the checks over its own tables in its `audit.py`; a check is a query whose every row is
a violation, its first column saying which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection, transaction

from . import clock, holds


@dataclass(frozen=True)
class Check:
    """`name` is the invariant's number in RELIABILITY (I1 … I11), `says` what must hold."""

    name: str
    says: str
    sql: Callable[[], str]


@dataclass(frozen=True)
class Finding:
    check: str
    says: str
    broken: list[str]


_checks: list[Check] = []


def add(name: str, says: str, sql: str | Callable[[], str]) -> None:
    """Register a check. `sql` may be a function where it depends on what else is registered."""
    if isinstance(sql, str):
        text = sql

        def fixed() -> str:
            return text

        _checks.append(Check(name, says, fixed))
    else:
        _checks.append(Check(name, says, sql))


def run(limit: int = 20) -> list[Finding]:
    """Every check, in one snapshot, so that it is true during load. A finding with no `broken` is clean."""
    findings = []
    with transaction.atomic(), connection.cursor() as cursor:
        if not connection.in_atomic_block or len(connection.savepoint_ids) == 0:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        # As long as it takes: the limit is for requests, and a large installation has many rows.
        cursor.execute("SET LOCAL statement_timeout = 0")
        for check in sorted(_checks, key=lambda check: (int(check.name[1:]), check.says)):
            cursor.execute(check.sql(), {"now": clock.now()})
            rows = cursor.fetchmany(limit)
            findings.append(Finding(check.name, check.says, [" ".join(str(cell) for cell in row) for row in rows]))
    return findings


def _held_sql(column: str, states: str) -> Callable[[], str]:
    def sql() -> str:
        parts = [
            f"SELECT '{thing.kind}', t.id::text, t.{getattr(thing, column)}, COALESCE(h.sum, 0) "  # noqa: S608
            f"FROM {thing.table} t LEFT JOIN (SELECT resource, SUM(quantity) AS sum FROM kernel_hold "
            f"WHERE kind = '{thing.kind}' AND state IN ({states}) GROUP BY resource) h ON h.resource = t.id "
            f"WHERE t.{getattr(thing, column)} <> COALESCE(h.sum, 0)"
            for thing in holds.registered()
        ]
        return " UNION ALL ".join(parts) or "SELECT 1 WHERE false"

    return sql


add(
    "I1",
    "every journal sums to 0 in each currency",
    "SELECT journal_id::text, currency, SUM(amount) FROM kernel_posting GROUP BY 1, 2 HAVING SUM(amount) <> 0",
)
add("I4", "what is held is the sum of the live holds", _held_sql("held", "'held'"))
add("I4", "what is taken is the sum of the confirmed holds", _held_sql("taken", "'confirmed'"))
add(
    "I4",
    "no hold is older than its expiry + 60 s",
    "SELECT id::text, kind, expires_at FROM kernel_hold WHERE state = 'held' "
    "AND expires_at + interval '60 seconds' < %(now)s",
)
add(
    "I9",
    "a state's history is a path",
    "SELECT subject::text, machine, was, previous FROM (SELECT subject, machine, was, LAG(now) OVER "
    "(PARTITION BY subject, machine ORDER BY at, id) AS previous FROM kernel_statechange) h "
    "WHERE previous IS NOT NULL AND previous <> was",
)
add(
    "I10",
    "every event is handled",
    "SELECT d.id, d.handler, d.failures, d.error FROM kernel_outboxdelivery d JOIN kernel_outboxevent e "
    "ON e.id = d.event_id WHERE d.done_at IS NULL AND e.at + interval '30 minutes' < %(now)s",
)
