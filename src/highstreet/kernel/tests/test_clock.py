"""Business time, as a process follows it."""

from __future__ import annotations

import pytest

from highstreet.kernel import clock


def test_a_process_that_follows_a_rate_waits_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_rate", clock._rate)
    wall = clock.wall()
    clock.follow(clock.Rate(wall - 10.0, 1_000_000.0, 4.0))
    assert clock.speed() == 4.0
    assert clock.real_seconds(20.0) == 5.0
    assert clock.now().timestamp() == pytest.approx(1_000_040.0, abs=4.0)
    assert clock.Rate.decode(clock.Rate(1.5, 2.5, 3.0).encode()) == clock.Rate(1.5, 2.5, 3.0)
