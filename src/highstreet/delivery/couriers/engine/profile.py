"""What a day's orders look like, learned from other days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Days differ by a tenth at least, however alike the few look that were seen.
LEAST_SPREAD = 0.1
# Minutes by which the same rush comes earlier or later on another day.
SMOOTH = 35.0


@dataclass(frozen=True, eq=False)
class Profile:
    """Orders expected in each bin [B] of `bin_minutes` from the day's first minute on; `spread`: the standard
    deviation of days' volumes over their mean; `days` it was learned from."""

    orders: Floats
    bin_minutes: int
    spread: float
    days: int

    @property
    def volume(self) -> float:
        return float(self.orders.sum())

    def of_volume(self, orders: float, spread: float | None = None) -> Profile:
        """The same shape for a day on which so many orders are expected, give or take `spread`."""
        factor = orders / self.volume if self.volume > 0 else 0.0
        return Profile(self.orders * factor, self.bin_minutes, self.spread if spread is None else spread, self.days)

    def so_far(self, minutes: int, orders: int) -> Profile:
        """What to expect of the day once so many `orders` were placed in its first `minutes`: the same shape, and a
        volume between what was expected and what these tell, by how sure either is.

        What was placed tells of the rest of the day with the chance of its count, and as far as days' shapes differ.
        """
        edges = np.arange(len(self.orders) + 1) * self.bin_minutes
        expected = float(np.interp(minutes, edges, np.concatenate([[0.0], np.cumsum(self.orders)])))
        if expected <= 0:
            return self
        doubt = 1.0 / expected + LEAST_SPREAD**2
        told = self.spread**2 / (self.spread**2 + doubt)
        factor = 1.0 + told * (orders / expected - 1.0)
        spread = max(self.spread * float(np.sqrt(1.0 - told)), LEAST_SPREAD)
        return Profile(self.orders * factor, self.bin_minutes, spread, self.days)


def learn(
    days: Sequence[NDArray[Any]], minutes: int, *, bin_minutes: int = 15, smooth_minutes: float = SMOOTH
) -> Profile:
    """The profile of days given as the minutes [N] at which orders were placed, each from the day's first minute on.

    Each day counts the same. A day's counts are noise as much as shape, so neighbouring bins lend each other their
    orders: a normal kernel with this standard deviation, mirrored at both ends so that none are lost there.
    """
    bins = -(-minutes // bin_minutes)
    edges = np.arange(bins + 1) * bin_minutes
    counts = np.array([np.histogram(np.clip(day, 0, minutes - 1), edges)[0] for day in days], float).reshape(-1, bins)
    if not len(counts):
        return Profile(np.zeros(bins), bin_minutes, LEAST_SPREAD, 0)
    volumes = counts.sum(axis=1)
    mean = float(volumes.mean())
    # What days differ by beyond chance: the spread of Poisson counts is taken off.
    beyond = float(volumes.var(ddof=1)) - mean if len(counts) > 1 else 0.0
    spread = max(np.sqrt(max(beyond, 0.0)) / mean, LEAST_SPREAD) if mean > 0 else LEAST_SPREAD
    return Profile(_smooth(counts.mean(axis=0), smooth_minutes / bin_minutes), bin_minutes, float(spread), len(counts))


def _smooth(counts: Floats, deviation: float) -> Floats:
    if deviation <= 0 or not len(counts):
        return counts
    reach = min(int(np.ceil(3 * deviation)), len(counts))
    at = np.arange(-reach, reach + 1)
    weight = np.exp(-((at / deviation) ** 2) / 2)
    return np.convolve(np.pad(counts, reach, mode="symmetric"), weight / weight.sum(), "valid")
