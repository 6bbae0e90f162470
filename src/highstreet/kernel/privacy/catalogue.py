"""What the database itself says: its tables, their columns, who refers to whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import TopologicalSorter

from django.db import connection

_REFERENCES = """
SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text, b.attname
FROM pg_constraint c
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]
WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace ORDER BY 1, 2
"""
_COLUMNS = """
SELECT table_name, column_name, udt_name FROM information_schema.columns
WHERE table_schema = 'public' ORDER BY table_name, ordinal_position
"""


@dataclass(frozen=True)
class Reference:
    """`table`.`column` refers to `target`.`key`."""

    table: str
    column: str
    target: str
    key: str


def references() -> list[Reference]:
    """Every foreign key (of one column, as all of ours are)."""
    with connection.cursor() as cursor:
        cursor.execute(_REFERENCES)
        return [Reference(*row) for row in cursor.fetchall()]


def columns() -> dict[str, dict[str, str]]:
    """Table -> column -> type, as PostgreSQL names them."""
    found: dict[str, dict[str, str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        for table, column, kind in cursor.fetchall():
            found.setdefault(table, {})[column] = kind
    return found


def children_first(names: Iterable[str], known: Iterable[Reference]) -> list[str]:
    """`names` so that whoever refers to another stands before it."""
    wanted = sorted(names)
    sorter: TopologicalSorter[str] = TopologicalSorter({name: set() for name in wanted})
    for one in known:
        if one.table in wanted and one.target in wanted and one.table != one.target:
            sorter.add(one.target, one.table)
    return list(sorter.static_order())


def unreferenced(table: str, known: Iterable[Reference]) -> str:
    """SQL: no row refers to `t`."""
    free = [
        f"NOT EXISTS (SELECT 1 FROM {one.table} r WHERE r.{one.column} = t.{one.key})"  # noqa: S608 (catalogue's names)
        for one in known
        if one.target == table
    ]
    return " AND ".join(free) or "true"
