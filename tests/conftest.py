"""The table of what the tests tried: every numbered test adds its rows, the run prints them at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import pytest

from tests.support.table import Row, print_table

Add = Callable[..., None]
_rows = pytest.StashKey[list[Row]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_rows] = []


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Add:
    """`row("S1", "500 buyers on 50 units", n=500, accepted=50, refused=450, invariants="36 hold", seed=1)`."""
    rows = request.config.stash[_rows]

    def add(test: str, scenario: str, **figures: object) -> None:
        rows.append(Row(test, scenario, **{name: str(value) for name, value in figures.items()}))

    return add


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of a run in parallel tells its rows to the process that prints them."""
    told = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["rows"] = [astuple(one) for one in session.config.stash[_rows]]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[_rows].extend(Row(*one) for one in getattr(node, "workeroutput", {}).get("rows", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows = config.stash[_rows]
    print_table(rows, terminalreporter.write_line)
