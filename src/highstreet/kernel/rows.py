"""Rows that are only written: each table's as one JSON document, all of a `together` in one statement.

The statement's text does not depend on how many rows there are, so PostgreSQL keeps its plan; the model says which
columns there are. Constraints hold as for any INSERT; foreign keys are checked when the transaction commits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.db import connection, models

from . import failpoints


@dataclass
class _Waiting:
    """What a `together` has gathered: rows by their statement, and piles of what is sent after them."""

    rows: dict[str, list[models.Model]] = field(default_factory=dict)
    piles: dict[Callable[[list[Any]], None], list[Any]] = field(default_factory=dict)


_waiting: ContextVar[_Waiting | None] = ContextVar("rows that wait to be written", default=None)


def put(rows: Sequence[models.Model], *, replacing: str = "") -> None:
    """Insert `rows` (of one table, with their keys): now, or at the end of the `together` that is open.

    With `replacing`, a row takes the place of the one that has its value in that unique column; the key stays.
    """
    if not rows:
        return
    statement, waiting = _insert(type(rows[0]), replacing), _waiting.get()
    if waiting is None:
        _send({statement: list(rows)})
    else:
        waiting.rows.setdefault(statement, []).extend(rows)


def pile(send: Callable[[list[Any]], None]) -> list[Any] | None:
    """The list that `send` gets after the rows of the open `together`; None when there is none open."""
    waiting = _waiting.get()
    return None if waiting is None else waiting.piles.setdefault(send, [])


@contextmanager
def together() -> Iterator[None]:
    """What is `put` within is written in one statement at the end; no query within sees it. In a transaction only."""
    waiting = _Waiting()
    before = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(before)
    _send(waiting.rows)
    for send, kept in waiting.piles.items():
        send(kept)


def _send(waiting: dict[str, list[models.Model]]) -> None:
    if not waiting:
        return
    *parts, last = waiting
    named = [f"w{number} AS ({part})" for number, part in enumerate(parts)]
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {', '.join(named)} {last}" if named else last, [_document(of) for of in waiting.values()])
    for of in waiting.values():
        failpoints.reach("rows.put", type(of[0]).__name__)


def _document(rows: list[models.Model]) -> str:
    columns = _columns(type(rows[0]))
    return json.dumps([{column: getattr(row, name) for name, column in columns} for row in rows], default=str)


@cache
def _columns(model: type[models.Model]) -> tuple[tuple[str, str], ...]:
    return tuple((known.attname, str(known.column)) for known in model._meta.concrete_fields)


@cache
def _insert(model: type[models.Model], replacing: str) -> str:
    # The names come from our models, never from a caller.
    table, columns = model._meta.db_table, [column for _, column in _columns(model)]
    names = ", ".join(f'"{column}"' for column in columns)
    sql = f'INSERT INTO "{table}" ({names}) SELECT {names} FROM jsonb_populate_recordset(NULL::"{table}", %s::jsonb)'  # noqa: S608
    if not replacing:
        return sql
    key = model._meta.pk.column
    changed = ", ".join(f'"{column}" = excluded."{column}"' for column in columns if column not in (key, replacing))
    return f'{sql} ON CONFLICT ("{replacing}") DO UPDATE SET {changed}'
