"""Which shops the same couriers can serve, and for which of these zones each courier counts.

A ride's seconds decide both: a courier who needs longer than `FAR` to a zone's nearest shop is nobody to promise there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FAR = 1800.0
# Nobody is promised a courier who needs longer, however few there are.
FARTHEST = 3600.0
NOWHERE = -1


def divide(rides: Floats, most: int) -> Ints:
    """The zone [S] of each shop: as few as there can be without two shops of one farther apart than `FAR`.

    Where these are more than `most`, the nearest are one all the same, up to `FARTHEST`. rides [S, S] in seconds, the
    same both ways. Complete linkage: the two zones that lie closest become one until none may; the same shops are
    always divided the same way. Numbers begin with 0, in the order of the shops.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(rides) < 2 or rides.max() <= FAR:
        return np.zeros(len(rides), np.int64)
    tree = linkage(squareform(rides, checks=False), "complete")
    joined = np.append(np.sort(tree[:, 2])[::-1], np.zeros(most))
    found = fcluster(tree, float(np.clip(joined[most - 1], FAR, FARTHEST)), "distance")
    _, first, number = np.unique(found, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[number], np.int64)


def working(near: Floats, need: Floats, keep: Ints) -> Ints:
    """The zone [K] that each courier counts for, `NOWHERE` for who is far from all.

    near [K, Z]: seconds to the zone's nearest shop; need [Z] > 0: how many couriers a zone could use, in proportion;
    keep [Z]: how many its promises of the next hour need. Everybody counts where they are nearest, but whom a zone does
    not need for its promises is lent, the nearest first, where there are fewer for what is needed.
    """
    zone = np.where(near.min(axis=1) <= FAR, near.argmin(axis=1), NOWHERE)
    have = np.bincount(zone[zone != NOWHERE], minlength=len(need))
    for number in np.argsort(near, axis=None, kind="stable"):
        courier, there = divmod(int(number), len(need))
        here = int(zone[courier])
        if near[courier, there] > FAR:
            break
        if here == there or have[here] - 1 < keep[here] or here != near[courier].argmin():
            continue
        if need[there] * (have[here] - 1) >= need[here] * (have[there] + 1):
            zone[courier] = there
            have[here] -= 1
            have[there] += 1
    return np.asarray(zone, np.int64)
