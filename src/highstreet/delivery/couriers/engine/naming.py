"""Who gets which shift: as many as can be have one that they asked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib import import_module
from typing import Any

import numpy as np


def named(likes: Sequence[Collection[int]], shifts: int) -> dict[int, int]:
    """By shift, whose it is, where person k would gladly have one of the shifts `likes[k]`; each has one at most.

    As many people as possible have one; where not all can, the first in order come first.
    """
    people = len(likes)
    if not people or not shifts:
        return {}
    gain = np.zeros((people, shifts))
    for who, ones in enumerate(likes):
        gain[who, list(ones)] = (people + 1) ** 2 - who
    optimize: Any = import_module("scipy.optimize")
    rows, columns = optimize.linear_sum_assignment(gain, maximize=True)
    return {int(which): int(who) for who, which in zip(rows, columns, strict=True) if gain[who, which] > 0}
