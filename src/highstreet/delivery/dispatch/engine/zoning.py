"""A city too large for one matching, as zones that are decided each for itself."""

from __future__ import annotations

import numpy as np

from .problem import Floats, Ints

ROUNDS = 6
# Seconds that a courier rides farther for a zone where an order has half as many couriers.
PULL = 240.0


def split(points: Floats, weight: Floats, zones: int) -> Ints:
    """The zone [S] of each store: the city cut in two across its longer side, by weight, again and again.

    points [S, 2] in metres, weight [S]: what is ordered there. Zones are as even as their number allows; 1 is no cut.
    """
    found = np.zeros(len(points), np.int64)
    parts = [(np.arange(len(points)), max(zones, 1))]
    number = 0
    while parts:
        rows, count = parts.pop()
        if count == 1 or len(rows) < 2:
            found[rows] = number
            number += 1
            continue
        side = int(np.ptp(points[rows], axis=0).argmax())
        ordered = rows[np.lexsort((rows, points[rows, side]))]
        left = count // 2
        share = np.cumsum(weight[ordered] + 1e-9)
        cut = int(np.searchsorted(share, share[-1] * left / count, "right"))
        cut = min(max(cut, 1), len(rows) - 1)
        parts += [(ordered[:cut], left), (ordered[cut:], count - left)]
    return found


def couriers(near: Floats, need: Floats) -> Ints:
    """The zone [K] that each courier works for now.

    near [K, Z]: seconds to the zone's nearest store; need [Z]: orders that wait there. The nearest, but where an order
    has fewer couriers than elsewhere they come from farther: a price by zone that is settled in a few rounds.
    """
    price = np.zeros(len(need))
    chosen = near.argmin(axis=1)
    for turn in range(ROUNDS):
        have = np.bincount(chosen, minlength=len(need))
        price += PULL / (turn + 1) * np.log2((need + 1.0) / (have + 1.0)) - price / 2
        chosen = (near - (price - price.mean())).argmin(axis=1)
    return np.asarray(chosen, np.int64)
