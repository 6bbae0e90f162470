"""The last units: nobody gets what is not there, and whoever is refused is told so politely."""

from __future__ import annotations

import os

import pytest

from tests.conftest import Add
from tests.support import loops, unguarded
from tests.support.last_units import race, same_key
from tests.support.stack import Stack

SEED = 20261124
# Twenty are the full number; ten fit into the long run of everybody.
RUNS = int(os.environ.get("S1_RUNS", "10"))


def test_100_buyers_on_20_units(row: Add) -> None:
    with Stack(["web"], web_workers=2) as stack:
        result = loops.run(race(stack, buyers=100, units=20, seed=SEED))
    row(
        "S1",
        "100 buyers on 20 units",
        n=100,
        accepted=result.sold,
        refused=result.sold_out,
        invariants="hold" if result.after == 0 else result.broken,
        seed=SEED,
    )
    assert result.exact, result


@pytest.mark.long
def test_the_same_race_fails_without_the_guard() -> None:
    """The negative control: holds that read and then write oversell, and the audit says so."""
    with Stack(["web"], web_workers=2, web_module=["tests.support.unguarded"]) as stack:
        unguarded.drop_constraint(stack)
        result = loops.run(race(stack, buyers=40, units=10, seed=SEED))
    print(result)  # noqa: T201
    assert result.sold > result.units, result
    assert result.after == 1, result
    assert any("on_hand - held - allocated" in line for line in result.broken), result.broken


@pytest.mark.long
def test_one_key_sent_30_times_at_once_is_one_order() -> None:
    with Stack(["web"], web_workers=2) as stack:
        tally, orders, bodies, other = loops.run(same_key(stack, times=30))
        verdict = stack.audit()
    assert orders == 1
    assert tally.codes == {"201": 30}
    assert len(bodies) == 1
    assert other == "422 key_reused"
    assert verdict.code == 0, verdict.broken


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, RUNS + 1))
def test_500_buyers_on_50_units(row: Add, seed: int) -> None:
    """Each run on a platform of its own, for fifty orders at one shop make the next run's promises later."""
    with Stack(["web"], web_workers=2) as stack:
        result = loops.run(race(stack, buyers=500, units=50, seed=seed))
    row(
        "S1",
        "500 buyers on 50 units",
        n=500,
        accepted=result.sold,
        refused=result.sold_out,
        invariants="hold" if result.after == 0 else result.broken,
        seed=seed,
        notes=f"{result.seconds:.1f} s, audits during {result.during}",
    )
    assert result.exact, result
