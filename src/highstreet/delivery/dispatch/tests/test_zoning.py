"""A city cut into zones that are decided each for itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ..engine import POLICIES, zoning
from ..engine.days.generate import write
from ..engine.days.instances import load
from ..engine.days.score import score
from ..engine.days.simulate import Settings, simulate


def test_zones_are_even_by_weight_and_lie_together() -> None:
    rng = np.random.default_rng(3)
    points, weight = rng.uniform(0, 10_000, (400, 2)), rng.uniform(0.5, 2.0, 400)
    zone = zoning.split(points, weight, 8)
    share = np.bincount(zone, weight) / weight.sum()
    assert len(share) == 8 and (abs(share - 1 / 8) < 0.02).all()
    # Cut by straight lines: no store lies in another zone's box.
    for one in range(8):
        low, high = points[zone == one].min(axis=0), points[zone == one].max(axis=0)
        inside = ((points >= low) & (points <= high)).all(axis=1)
        assert (zone[inside] == one).all()


@pytest.mark.parametrize("zones", [0, 1])
def test_one_zone_is_no_cut(zones: int) -> None:
    assert (zoning.split(np.zeros((5, 2)), np.ones(5), zones) == 0).all()


def test_three_zones_of_two_stores_are_two() -> None:
    assert sorted(zoning.split(np.array([[0.0, 0.0], [9.0, 0.0]]), np.ones(2), 3)) == [0, 1]


def test_a_courier_works_where_they_are_and_goes_where_they_are_missed() -> None:
    near = np.array([[0.0, 900.0]] * 10)
    assert (zoning.couriers(near, np.array([5.0, 5.0])) == 0).sum() >= 8, "a quarter of an hour away is far"
    close = np.stack([np.linspace(0, 240, 10), np.linspace(300, 60, 10)], axis=1)
    even = np.bincount(zoning.couriers(close, np.array([5.0, 5.0])), minlength=2)
    rush = np.bincount(zoning.couriers(close, np.array([1.0, 30.0])), minlength=2)
    assert rush[1] > even[1] > 0, "the rush draws them"


def test_a_day_by_zones_breaks_no_rule_and_serves_nearly_as_well(tmp_path: Path) -> None:
    (folder,) = write(tmp_path, 4, 1, orders=260, shops=30, couriers=60)
    day = load(folder)
    whole = score(day, simulate(day, POLICIES["timely"], Settings(may_move=False)).log)
    zones = score(day, simulate(day, POLICIES["timely"], Settings(may_move=False, zones=3)).log)
    assert whole.violations == zones.violations == []
    assert zones.undelivered <= whole.undelivered + 1.0
    assert whole.click <= zones.click + 0.3 and zones.click < whole.click + 4.0
