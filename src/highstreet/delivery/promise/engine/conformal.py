"""The quantile of a promise, set right online: what lately ended, what is still on its way, and what we owe.

Two corrections on top of each other. Scores of the last while give the quantile as it is now; orders that are still
open are counted as "later than this", else only the quick would be heard (Kaplan and Meier 1958). And each promise
broken more than its share moves the threshold by a step (online conformal inference: Gibbs and Candès 2021;
Angelopoulos, Candès and Tibshirani 2023), so that the share kept comes back to its quantile whatever the day does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
# Spreads by which one broken promise more moves the threshold, by per cent promised: rare misses need longer steps.
STEPS: Mapping[int, float] = {50: 0.05, 80: 0.08, 90: 0.13, 99: 0.4}


@dataclass(frozen=True)
class Settings:
    """`half_life`: minutes after which an outcome counts half; `belief`: so many outcomes weigh what was known before;
    `memory`: the last so many decided promises are owed; `least`, `most`: how many spreads what is owed may move the
    threshold, so that a long calm leaves no debt that the next rush has to work off first. Chosen on MDRPLib's seeds 0
    and 1."""

    half_life: float = 20.0
    belief: float = 20.0
    memory: int = 400
    least: float = -1.0
    most: float = 4.0
    steps: Mapping[int, float] = field(default_factory=lambda: STEPS)


SETTINGS = Settings()


def surviving_quantile(values: ArrayLike, ended: ArrayLike, weights: ArrayLike, level: float) -> float:
    """The least value that a share `level` does not exceed.

    values [n]: a score, or for what has not ended (ended [n] false) what it has reached so far; weights [n] > 0.
    Kaplan and Meier's estimate; the largest value where too few have ended to say.
    """
    value, done, weight = np.asarray(values, float), np.asarray(ended, bool), np.asarray(weights, float)
    order = np.lexsort((~done, value))
    value, done, weight = value[order], done[order], weight[order]
    at_risk = np.cumsum(weight[::-1])[::-1]
    surviving = np.cumprod(1.0 - np.where(done, weight / at_risk, 0.0))
    found = int(np.searchsorted(-surviving, -(1.0 - level) - 1e-12, "left"))
    return float(value[min(found, len(value) - 1)])


def owed(missed: ArrayLike, level: float, weights: ArrayLike | None = None) -> float:
    """How many more promises were broken than a share `level` kept allows; negative when too many were kept.

    missed [n]: of every promise that is decided, whether it was broken: by its end, or by not having ended in time.
    """
    broken = np.asarray(missed, float)
    weight = np.ones(len(broken)) if weights is None else np.asarray(weights, float)
    return float((weight * (broken - (1.0 - level))).sum())


def step(quantile: int, settings: Settings = SETTINGS) -> float:
    """Linear between the settings' entries."""
    known = sorted(settings.steps)
    return float(np.interp(quantile, known, [settings.steps[one] for one in known]))


def threshold(
    values: ArrayLike,
    ended: ArrayLike,
    ages: ArrayLike,
    debt: float,
    quantile: int,
    before: ArrayLike,
    shares: ArrayLike | None = None,
    settings: Settings = SETTINGS,
) -> float:
    """The score that a promise at `quantile` (per cent) allows for.

    values, ended [n] as above, of orders placed ages [n] minutes ago; before [m]: scores of the past, as a belief that
    fades as outcomes come in; shares [n]: how much each counts (another zone's less), 1 without it; debt: `owed`.
    """
    value, belief = np.asarray(values, float), np.asarray(before, float)
    weight = 0.5 ** (np.asarray(ages, float) / settings.half_life)
    if shares is not None:
        weight = weight * np.asarray(shares, float)
    weights = np.concatenate([weight, np.full(len(belief), settings.belief / max(len(belief), 1))])
    done = np.concatenate([np.asarray(ended, bool), np.ones(len(belief), bool)])
    now = surviving_quantile(np.concatenate([value, belief]), done, weights, quantile / 100.0)
    return now + min(max(step(quantile, settings) * debt, settings.least), settings.most)
