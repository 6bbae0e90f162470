"""Canaries: a text of its own in every column where something about a person can stand, and where they turn up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.sessions.models import Session
from django.db import connection

from highstreet.kernel.privacy import Person, Table, catalogue, persons

# Four runes: short enough for the last digits of a phone number, and nobody else writes them.
RUNES = [chr(0x16A0 + index) for index in range(60)]
# By these the machinery finds a row again, or they belong to a library: they are filled, not painted over.
LEFT = {("kernel_idempotencyrecord", "subject"), ("django_session", "session_data"), ("accounts_apitoken", "digest")}


@dataclass(frozen=True)
class Canary:
    table: str
    column: str
    text: str


def plant(person: Person, known: dict[str, Table]) -> list[Canary]:
    """Put a canary into every telling column (not plain) of every row of a person."""
    found = persons.scopes(person)
    planted: list[Canary] = []
    columns = catalogue.columns()
    keys = {(key.table, key.column) for key in catalogue.references()} | LEFT
    for table in sorted(known.values(), key=lambda one: one.name):
        if table.name.startswith("axes_"):
            continue
        for column, kind in columns[table.name].items():
            if column in table.plain or (table.name, column) in keys or column in ("id", "session_key"):
                continue
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT t.ctid::text FROM {table.name} t WHERE {table.rows}", found)  # noqa: S608
                rows = [row[0] for row in cursor.fetchall()]
                for number, ctid in enumerate(rows):
                    text = _text(len(planted), kind)
                    value = _value(kind, column)
                    if value is None:
                        break
                    cursor.execute(
                        f"UPDATE {table.name} t SET {column} = {value} WHERE t.ctid::text = %(row)s RETURNING t.ctid",  # noqa: S608
                        {"text": text, "row": ctid},
                    )
                    assert cursor.rowcount == 1, (table.name, column)
                    rows[number] = str(cursor.fetchone()[0])
                    planted.append(Canary(table.name, column, text))
    return planted


def _text(number: int, kind: str) -> str:
    if kind == "float8":
        # Ten digits: seven turned up by chance among the digits of other numbers. With a place's own five, as many as
        # a float keeps.
        return f"739{number:05d}37"
    return "ᛰ" + RUNES[number // 3600 % 60] + RUNES[number // 60 % 60] + RUNES[number % 60]


def _value(kind: str, column: str) -> str | None:
    return {
        "varchar": "%(text)s",
        "text": f"{column} || %(text)s",
        "jsonb": f"{column} || jsonb_build_object('canary', %(text)s::text)",
        "float8": f"(round({column}::numeric, 2)::text || %(text)s)::float8",
    }.get(kind)


def everything() -> str:
    """Every row of every table as text, as a dump would have it, and every session opened."""
    lines = []
    with connection.cursor() as cursor:
        for table in catalogue.columns():
            cursor.execute(f'SELECT t::text FROM "{table}" t')  # noqa: S608
            lines += [f"{table} {row[0]}" for row in cursor.fetchall()]
    lines += [f"session {row.get_decoded()}" for row in Session.objects.all()]
    return "\n".join(lines)


def found_in(dump: str, canaries: Iterable[Canary]) -> list[str]:
    return sorted({f"{one.table}.{one.column}" for one in canaries if one.text in dump})
