"""What is measured, for Prometheus: counters of all processes of a machine, and figures that queries of tables give.

Processes share their counters through files in PROMETHEUS_MULTIPROC_DIR (set by the server before anything loads).
Packages register figures over their own tables, as they do their audits.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection, transaction
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess, values
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily

from . import clock, pressure, tracing

TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
QUERY_SECONDS = 3

_own = CollectorRegistry()
REQUESTS = Counter("highstreet_requests", "Requests answered", ["method", "route", "status"], registry=_own)
TOOK = Histogram("highstreet_request_seconds", "From the door to the answer", ["route"], registry=_own, buckets=SECONDS)
WAITED = Histogram("highstreet_admission_seconds", "Waiting for a slot", ["class"], registry=_own, buckets=SECONDS)
DATABASE = Histogram(
    "highstreet_database_seconds", "Waiting for PostgreSQL, by request", ["route"], registry=_own, buckets=SECONDS
)
SHED = Counter("highstreet_shed", "Refused or left out because the process is full", ["class"], registry=_own)
LIMITED = Counter("highstreet_limited", "Refused because a caller asked too often", ["route"], registry=_own)


@dataclass(frozen=True)
class Figure:
    """A gauge: `sql` gives rows of (value) or, with `label`, of (label, value); %(now)s is business time."""

    name: str
    says: str
    sql: str
    label: str = ""


_figures: list[Figure] = []
_spent = threading.local()


def figure(name: str, says: str, sql: str, label: str = "") -> None:
    """Register a figure over a package's own tables (at import of its `audit.py`)."""
    _figures.append(Figure(f"highstreet_{name}", says, sql, label))


def timed(execute: Any, query: Any, params: Any, many: bool, context: Any) -> Any:
    """Django's wrapper around every statement: adds up what the request waits for PostgreSQL."""
    started = pressure.now()
    try:
        with tracing.statement(query):
            return execute(query, params, many, context)
    finally:
        _spent.seconds = getattr(_spent, "seconds", 0.0) + pressure.now() - started


@contextmanager
def database_time() -> Iterator[list[float]]:
    """A list that holds, at the end, the seconds this thread waited for PostgreSQL within."""
    _spent.seconds, found = 0.0, [0.0]
    try:
        yield found
    finally:
        found[0] = _spent.seconds


class Figures:
    """Collects the registered figures in one short read-only snapshot; each that cannot be read is left out."""

    def collect(self) -> Iterator[Any]:
        families = [GaugeMetricFamily(one.name, one.says, labels=[one.label] if one.label else []) for one in _figures]
        up = 1
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
                cursor.execute(f"SET LOCAL statement_timeout = '{QUERY_SECONDS}s'")
                for one, family in zip(_figures, families, strict=True):
                    _read(cursor, one, family)
        except DatabaseError:
            up = 0
        yield GaugeMetricFamily("highstreet_database_up", "Whether PostgreSQL answers", value=up)
        yield from families


def _read(cursor: Any, one: Figure, family: GaugeMetricFamily) -> None:
    try:
        with transaction.atomic():
            cursor.execute(one.sql, {"now": clock.now()})
            for row in cursor.fetchall():
                if row[-1] is not None:
                    family.add_metric([str(cell) for cell in row[:-1]], float(row[-1]))
    except DatabaseError:
        return


def text(version: str) -> bytes:
    """Everything, in Prometheus' text format."""
    registry = CollectorRegistry()
    if values.ValueClass.__name__ == "MmapedValue":
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry = _own
    tables = CollectorRegistry()
    tables.register(Figures())
    built = InfoMetricFamily("highstreet_build", "What runs here", value={"version": version})
    tables.register(_Fixed(built))
    return generate_latest(registry) + generate_latest(tables)


@dataclass(frozen=True, eq=False)
class _Fixed:
    family: Any

    def collect(self) -> Iterator[Any]:
        yield self.family
