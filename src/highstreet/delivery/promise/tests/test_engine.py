"""Quantiles that hold while the day changes, and that hear of what has not ended yet."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ..engine.conformal import SETTINGS, owed, step, surviving_quantile, threshold
from ..engine.regression import fit

Floats = NDArray[np.float64]


@pytest.mark.parametrize(("level", "value"), [(0.5, 5.0), (0.8, 8.0), (0.9, 9.0), (1.0, 10.0), (0.05, 1.0)])
def test_of_what_has_ended_it_is_the_plain_quantile(level: float, value: float) -> None:
    values = np.arange(10.0, 0.0, -1.0)
    assert surviving_quantile(values, np.ones(10, bool), np.ones(10), level) == value


def test_an_order_under_way_counts_as_later_than_it_is_now() -> None:
    values, ended = [10.0, 20.0, 30.0, 40.0, 50.0], [True, False, True, True, True]
    # By hand: after 10: 4/5; at 30, of 3 at risk: 4/5 x 2/3 = 8/15; at 40: 4/15.
    assert surviving_quantile(values, ended, np.ones(5), 0.45) == 30.0
    assert surviving_quantile(values, ended, np.ones(5), 0.47) == 40.0
    assert surviving_quantile(values, ended, np.ones(5), 0.73) == 40.0
    assert surviving_quantile(values, ended, np.ones(5), 0.74) == 50.0


def test_hearing_only_of_what_has_ended_would_be_too_hopeful() -> None:
    rng = np.random.default_rng(4)
    took, age = rng.exponential(30.0, 4000), rng.uniform(0.0, 60.0, 4000)
    ended = took <= age
    heard = surviving_quantile(np.minimum(took, age), ended, np.ones(4000), 0.8)
    truth = float(np.quantile(took, 0.8))
    assert heard == pytest.approx(truth, rel=0.1)
    assert float(np.quantile(took[ended], 0.8)) < 0.75 * truth, "the control"


def test_what_is_heavier_counts_more() -> None:
    assert surviving_quantile([1.0, 2.0], [True, True], [1.0, 9.0], 0.5) == 2.0
    assert surviving_quantile([1.0, 2.0], [True, True], [9.0, 1.0], 0.5) == 1.0


def test_what_is_owed() -> None:
    assert owed([True] * 3 + [False] * 7, 0.9) == pytest.approx(2.0)
    assert owed([False] * 10, 0.9) == pytest.approx(-1.0)
    assert owed([True, False], 0.5, [2.0, 1.0]) == pytest.approx(0.5)
    assert owed([], 0.9) == 0.0
    assert step(50) < step(80) < step(85) < step(90) < step(95) < step(99)


def test_belief_fades_as_outcomes_come_in() -> None:
    before = np.zeros(50)
    few = threshold([5.0] * 2, [True] * 2, [0.0] * 2, 0.0, 90, before)
    many = threshold([5.0] * 60, [True] * 60, [0.0] * 60, 0.0, 90, before)
    old = threshold([5.0] * 60, [True] * 60, [400.0] * 60, 0.0, 90, before)
    elsewhere = threshold([5.0] * 60, [True] * 60, [0.0] * 60, 0.0, 90, before, shares=[0.01] * 60)
    assert (few, many, old, elsewhere) == (0.0, 5.0, 0.0, 0.0)
    assert threshold([], [], [], 2.0, 90, before) == pytest.approx(2 * step(90))


def lived(quantile: int, *, online: bool, seed: int) -> float:
    """The share kept on a day whose delays double within three hours, after its first hundred orders."""
    rng = np.random.default_rng(seed)
    count, belief = 800, np.linspace(-1.0, 2.0, 40)
    placed = np.sort(rng.uniform(0.0, 800.0, count))
    took = 30.0 + 10.0 * np.interp(placed, [300.0, 480.0], [1.0, 2.0]) * rng.normal(0.3, 0.8, count)
    told: Floats = np.zeros(count)
    for number, now in enumerate(placed):
        age = now - placed[:number]
        ended = took[:number] <= age
        late = told[:number] < np.minimum(took[:number], age)
        debt = owed(late[ended | late], quantile / 100)
        values = (np.where(ended, took[:number], age) - 30.0) / 10.0
        score = threshold(values, ended, age, debt, quantile, belief) if online else np.quantile(belief, quantile / 100)
        told[number] = 30.0 + 10.0 * score
    return float((took <= told)[100:].mean())


@pytest.mark.parametrize("quantile", [50, 80, 90])
def test_a_day_that_changes_is_followed(quantile: int) -> None:
    kept = np.mean([lived(quantile, online=True, seed=seed) for seed in range(3)])
    assert abs(kept - quantile / 100) < 0.025


def test_what_is_learned_once_does_not_follow() -> None:
    assert lived(90, online=False, seed=0) < 0.87, "the control"


def test_a_regression_finds_its_quantile() -> None:
    rng = np.random.default_rng(2)
    x = rng.uniform(0.0, 10.0, 1500)
    took = 10.0 + 2.0 * x + (1.0 + x) * rng.exponential(1.0, 1500)
    features = np.column_stack([np.ones(1500), x])
    for level in (0.5, 0.9):
        weights = fit(features, took, level)
        assert (took <= features @ weights).mean() == pytest.approx(level, abs=0.01)
        # The exponential's quantile: -log(1 - level) spreads.
        assert weights == pytest.approx([10 - np.log(1 - level), 2 - np.log(1 - level)], rel=0.15)
    again = fit(features[:300], took[:300], 0.9)
    assert np.array_equal(again, fit(features[:300], took[:300], 0.9))
    never = fit(features, np.where(x > 9.9, np.inf, took), 0.5)
    assert np.isfinite(never).all() and SETTINGS.belief > 0
