"""Writes expected.tsv: `.venv/bin/python -m tests.security.authz.write_table missing`.

`missing` adds the lines of new routes and drops those of old ones; `all` asks everything anew (minutes). Only people
run it: a table that writes itself would agree with anything.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .calls import Matrix

# Not that of a run of the tests, which may go on meanwhile.
DATABASE = "hs_write_table"


def missing_lines(matrix: Matrix, file: Path) -> None:
    """Ask the routes that have no full line in `file`, and leave out the lines of routes that are no more."""
    from . import calls, table
    from .routes import every_route

    routes, known = every_route(), table.read(file)
    there = {(route.name, plot) for route in routes for plot in calls.plots_of(route)}
    new = calls.ask(matrix, [route for route in routes if table.missing([route], known)])
    table.write({cell: label for cell, label in known.items() if cell[:2] in there} | calls.cells(new), file)


def all_lines(matrix: Matrix, file: Path) -> None:
    """Ask every cell."""
    from . import calls, table
    from .routes import every_route

    table.write(calls.cells(calls.ask(matrix, every_route())), file)


@contextmanager
def _database() -> Iterator[None]:
    """An empty migrated database on the server that the tests use."""
    import django

    import highstreet.kernel.testing  # noqa: F401  (starts the server; before Django reads its settings)

    os.environ["DJANGO_SETTINGS_MODULE"] = "highstreet.settings"
    django.setup()
    from django.db import connection
    from django.test.utils import setup_test_environment

    setup_test_environment()
    before = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = DATABASE
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.security.authz.write_table", description=__doc__)
    parser.add_argument("which", choices=["missing", "all"])
    which = parser.parse_args().which
    with _database():
        from . import calls, table

        with calls.prepared() as matrix:
            (missing_lines if which == "missing" else all_lines)(matrix, table.FILE)


if __name__ == "__main__":
    main()
