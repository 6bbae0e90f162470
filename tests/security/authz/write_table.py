"""Writes expected.tsv anew: `.venv/bin/python -m pytest tests/security/authz/write_table.py --timeout=0`.

Named so that no run of the tests collects it: a table that writes itself would agree with anything.
"""

from __future__ import annotations

import pytest

from . import calls, table
from .calls import Matrix
from .routes import every_route

pytestmark = pytest.mark.django_db


def test_write(matrix: Matrix) -> None:
    calls.ask(matrix, every_route())
    table.write(matrix.cells)
