"""Changing the rows of a table that is served meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import connection


def in_batches(table: str, change: str, *, size: int = 2000, pause: float = 0.02) -> Callable[..., None]:
    """For RunPython: `change` is the SET and WHERE of an UPDATE that makes its own WHERE false; committed each `size`.

    >>> RunPython(in_batches("orders_order", "SET channel = 'web' WHERE channel IS NULL"), RunPython.noop)
    """
    setting, _, where = change.partition(" WHERE ")

    def run(apps: object, schema_editor: object) -> None:
        with connection.cursor() as cursor:
            while True:
                cursor.execute(
                    f"UPDATE {table} {setting} WHERE ctid = ANY(ARRAY("  # noqa: S608 (text of a migration)
                    f"SELECT ctid FROM {table} WHERE {where} LIMIT %s FOR UPDATE SKIP LOCKED))",
                    [size],
                )
                if cursor.rowcount == 0:
                    return
                time.sleep(pause)

    run.batched = True  # type: ignore[attr-defined]
    return run
