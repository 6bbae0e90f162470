"""Forget a person, by the register."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from ..refusal import Reason, Refused
from ..refusals import STILL_WORKING
from .catalogue import children_first, references, unreferenced
from .persons import Person, Values, scopes
from .register import Table, tables

PATIENCE = "400ms"


@contextmanager
def giving_way() -> Iterator[None]:
    """Within: nobody is waited for longer than PATIENCE; then it is refused with STILL_WORKING.

    That is less than PostgreSQL waits before it looks for a deadlock, so an erasure, which locks in an order of its
    own, never costs anybody else their transaction.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise Refused(STILL_WORKING) from error
        raise


def still_open(person: Person) -> tuple[Reason, int] | None:
    """What keeps this person from being erased now, and how many rows of it; None if nothing does."""
    return _still_open(scopes(person))


def erase(person: Person) -> dict[str, int] | tuple[Reason, int]:
    """Overwrite or delete everything that the register knows of a person. Returns rows touched by table.

    Answers (reason, count) and changes nothing when something is open. The caller has locked the person's users
    and customers, so that nothing new is written for them meanwhile.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        # Payloads are searched by their content, which no index serves.
        cursor.execute("SET LOCAL statement_timeout = '120s'")
        cursor.execute("SET LOCAL highstreet.forgetting = 'on'")
        found = scopes(person)
        open_now = _still_open(found)
        if open_now is not None:
            return open_now
        known, declared, touched = references(), tables(), {}
        for name in children_first(declared, known):
            touched[name] = _forget(declared[name], found, unreferenced(name, known))
    return {name: count for name, count in touched.items() if count}


def _forget(table: Table, found: Values, free: str) -> int:
    touched = 0
    with connection.cursor() as cursor:
        if table.blank:
            values = ", ".join(f"{column} = {value}" for column, value in table.blank.items())
            cursor.execute(f"UPDATE {table.name} t SET {values} WHERE {table.rows}", found)  # noqa: S608
            touched = cursor.rowcount
        if table.delete:
            cursor.execute(f"DELETE FROM {table.name} t WHERE ({table.rows}) AND {free}", found)  # noqa: S608
            touched = max(touched, cursor.rowcount)
    return touched


def _still_open(found: Values) -> tuple[Reason, int] | None:
    with connection.cursor() as cursor:
        # The highest floor first: an open order says more than the payment below it.
        for table in reversed(tables().values()):
            for one in table.open:
                cursor.execute(
                    f"SELECT count(*) FROM {table.name} t WHERE ({table.rows}) AND ({one.where})",  # noqa: S608
                    found,
                )
                count = int(cursor.fetchone()[0])
                if count:
                    return one.reason, count
    return None
