"""How much slower or quicker than free flow couriers really ride, by hour of the day, learned from finished trips."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .geo import Floats

HOURS = 24
# What a trip more counts against the belief that an hour is like the whole day, and the day like free flow.
BELIEF = 20.0
LEAST, MOST = 0.5, 3.0
SHORTEST_SECONDS = 30.0


def learn(hours: ArrayLike, expected: ArrayLike, took: ArrayLike) -> Floats:
    """Factors [24] on free-flow seconds, by local hour.

    hours [n]: 0-23, when each trip began; expected, took [n]: free-flow and real seconds. The median of the ratio's
    logarithm (a flat tyre is one trip, not the hour), drawn towards the whole day's and that towards 1 by as much as
    trips are few. Trips of under half a minute tell nothing. Kept within 0.5 and 3.
    """
    hour, free, real = np.asarray(hours, np.int64), np.asarray(expected, float), np.asarray(took, float)
    kept = (free >= SHORTEST_SECONDS) & (real >= SHORTEST_SECONDS) & np.isfinite(free) & np.isfinite(real)
    hour, ratio = hour[kept], np.log(real[kept] / free[kept])
    day = _drawn(ratio, 0.0)
    factor = np.array([_drawn(ratio[hour == one], day) for one in range(HOURS)])
    return np.asarray(np.clip(np.exp(factor), LEAST, MOST), float)


def _drawn(values: Floats, towards: float) -> float:
    if not len(values):
        return towards
    share = len(values) / (len(values) + BELIEF)
    return share * float(np.median(values)) + (1.0 - share) * towards
