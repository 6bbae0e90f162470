"""Give a person what is known of them: a zip of JSON, one file a table, and an index that says what each is."""

from __future__ import annotations

import json
import tempfile
import zipfile
from typing import IO, Any

from django.db import connection, transaction

from .. import clock
from .persons import Person, scopes
from .register import Table, tables
from .words import PURPOSES, how_long, what_stays

IN_MEMORY = 1_000_000
ROWS_AT_ONCE = 500


def export(person: Person) -> IO[bytes]:
    """The zip, at its beginning; whoever closes it deletes it.

    It is written aside and not straight to the caller, so that a slow line holds no transaction open.
    """
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, mode="w+b")  # noqa: SIM115 (the caller closes it)
    with transaction.atomic(), zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '55s'")
        found = scopes(person)
        index = [_write(archive, table, found) for table in tables().values()]
        told = {"made_at": clock.now().isoformat(), "files": index}
        archive.writestr("index.json", json.dumps(told, ensure_ascii=False, indent=1))
    file.seek(0)
    return file


def _write(archive: zipfile.ZipFile, table: Table, found: dict[str, list[Any]]) -> dict[str, Any]:
    rows = 0
    line = "SELECT (to_jsonb(t) - %({hidden})s::text[])::text FROM {table} t WHERE {which}"
    query = line.format(hidden="hidden", table=table.name, which=table.rows)
    if table.also:
        others = f"({table.also}) AND ({table.rows}) IS NOT TRUE"
        query += " UNION ALL " + line.format(hidden="others_hidden", table=table.name, which=others)
    hidden = {"hidden": list(table.secret), "others_hidden": [*table.secret, *table.blank]}
    with archive.open(f"{table.name}.json", "w") as out, connection.chunked_cursor() as cursor:
        cursor.execute(query, {**found, **hidden})
        out.write(b"[")
        while batch := cursor.fetchmany(ROWS_AT_ONCE):
            for (text,) in batch:
                out.write(b",\n" if rows else b"\n")
                out.write(text.encode())
                rows += 1
        out.write(b"\n]\n")
    return {
        "file": f"{table.name}.json",
        "rows": rows,
        "purpose": str(PURPOSES[table.purpose]),
        "kept": how_long(table),
        "after_erasure": what_stays(table),
        "not_given_out": list(table.secret),
    }
