"""Changing the rows of a table that is served meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import connection


def in_batches(table: str, change: str, *, blocks: int = 100, pause: float = 0.02) -> Callable[..., None]:
    """For RunPython: `change` is the SET and WHERE of an UPDATE that makes its own WHERE false; committed each `blocks`
    of the table (8 kB each). Whoever has a row locked is not waited for with other rows in hand.

    What is written after it has begun is the old code's, which writes on: it is left to the next release. So it ends,
    however much is ordered meanwhile, and looks at each block once or twice.

    >>> RunPython(in_batches("orders_order", "SET channel = 'web' WHERE channel IS NULL"), RunPython.noop)
    """
    setting, _, where = change.partition(" WHERE ")
    here = f"FROM {table} WHERE ctid >= %s::tid AND ctid < %s::tid AND {where}"
    fill = f"UPDATE {table} {setting} WHERE ctid = ANY(ARRAY(SELECT ctid {here} FOR UPDATE SKIP LOCKED))"

    def run(apps: object, schema_editor: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_relation_size(%s::regclass) / current_setting('block_size')::int", [table])
            end = int(cursor.fetchone()[0])
            for first in range(0, end, blocks):
                part = [f"({first},0)", f"({min(first + blocks, end)},0)"]
                while True:
                    cursor.execute(fill, part)
                    time.sleep(pause)
                    cursor.execute(f"SELECT EXISTS (SELECT 1 {here})", part)
                    if not cursor.fetchone()[0]:
                        break

    run.batched = True  # type: ignore[attr-defined]
    return run
