"""Writes expected.tsv: `.venv/bin/python -m pytest tests/security/authz/write_table.py --timeout=0 -k missing`.

`-k missing` adds the lines of new routes and drops those of old ones; `-k all` asks everything anew (minutes). The file
is named so that no run of the tests collects it: a table that writes itself would agree with anything.
"""

from __future__ import annotations

import pytest

from . import calls, table
from .calls import Matrix, plots_of
from .routes import every_route

pytestmark = pytest.mark.django_db


def test_missing_lines(matrix: Matrix) -> None:
    routes, known = every_route(), table.read()
    there = {(route.name, plot) for route in routes for plot in plots_of(route)}
    calls.ask(matrix, [route for route in routes if table.missing([route], known)])
    table.write({cell: label for cell, label in known.items() if cell[:2] in there} | matrix.cells)


def test_all_lines(matrix: Matrix) -> None:
    calls.ask(matrix, every_route())
    table.write(matrix.cells)
