"""The web server or the database dies in the middle of things; what was acknowledged is there, once."""

from __future__ import annotations

import time

import pytest

from tests.conftest import Add
from tests.support import loops, postmaster
from tests.support.kills import Killed, killed
from tests.support.stack import Stack

SEED = 20261124


@pytest.mark.parametrize("kills", [1, pytest.param(50, marks=pytest.mark.long)])
def test_every_acknowledged_order_is_there_once(row: Add, kills: int) -> None:
    with Stack(["web", "worker", "sandbox"]) as stack:
        result = loops.run(killed(stack, kills=kills, seed=SEED))
    _row(row, "K1", f"web server killed {kills} times under load", result)
    assert result.acknowledged > 3 * kills
    _nothing_lost(result)


@pytest.mark.long
@pytest.mark.parametrize("kills", [20])
def test_the_database_dies_and_nobody_has_to_restart_anything(row: Add, kills: int) -> None:
    """The postmaster of a server of its own; web and worker live on, and answer 503 meanwhile."""
    with postmaster.own() as server, Stack(["web", "worker", "sandbox"]) as stack:
        born = {name: process.pid for name, process in stack.processes.items()}

        def kill() -> None:
            server.kill9()
            # Long enough that people meet a platform without a database.
            time.sleep(1.0)
            server.start()
            # The line to pass: ten seconds after the database is back, everything serves.
            stack.wait_for("web", 10.0)

        result = loops.run(killed(stack, kills=kills, seed=SEED, kill=kill))
        alive = {name: process.pid for name, process in stack.processes.items() if process.poll() is None}
    _row(row, "K2", f"postmaster killed {kills} times under load", result)
    assert alive == born
    assert result.retries.get("503", 0) > 0
    assert set(result.retries) == {"503"}
    _nothing_lost(result)


def _row(row: Add, test: str, scenario: str, result: Killed) -> None:
    row(
        test,
        scenario,
        n=result.asked,
        accepted=result.acknowledged,
        refused=sum(result.refused.values()),
        invariants="hold" if result.audit.code == 0 else result.audit.broken,
        seed=SEED,
        notes=f"once {result.present_once}, twice {result.twice}, paid {result.captured} of {result.paid}, "
        f"tries again {result.retries}, slowest back {max(result.recovery):.1f} s",
    )


def _nothing_lost(result: Killed) -> None:
    assert result.present_once == result.acknowledged
    assert result.twice == result.unasked == 0
    assert result.captured == result.paid
    assert result.refused == {}
    assert "500" not in result.retries
    assert result.audit.code == 0, result.audit.broken
