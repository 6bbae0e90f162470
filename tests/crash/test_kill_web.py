"""The web server dies in the middle of things; what was acknowledged is there, once."""

from __future__ import annotations

import pytest

from tests.support import loops
from tests.support.kills import killed
from tests.support.stack import Stack

SEED = 20261124


@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.long)])
def test_every_acknowledged_order_is_there_once(kills: int) -> None:
    with Stack(["web", "worker", "sandbox"]) as stack:
        result = loops.run(killed(stack, kills=kills, seed=SEED))
    print(result)  # noqa: T201
    assert result.acknowledged > 5 * kills
    assert result.present_once == result.acknowledged
    assert result.twice == result.unasked == 0
    assert result.captured == result.paid
    assert result.refused == {}
    assert "500" not in result.retries
    assert result.audit.code == 0, result.audit.broken
