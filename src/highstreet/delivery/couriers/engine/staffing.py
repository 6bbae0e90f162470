"""From what is ordered to the couriers that it needs: modified offered load, staffed to a service level.

An order keeps a courier from when they set out to the shop until they leave the door, which is later than the click by
what the shop takes to prepare. How many couriers orders would keep busy if there were always one free is Poisson around
that load (Jennings, Mandelbaum, Massey and Whitt 1996); that days differ makes it negative binomial.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .profile import Floats, Ints, Profile

# A bin with less load than this is over: nobody is kept for it.
NOTHING = 0.02
# Standard deviations beyond which nobody is needed.
FAR_OUT = 5.0
# Of MDRPLib's days 0 and 1, the lowest level of those tried that served nobody later (bench/roster.py).
LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Work:
    """What one order asks of a courier, in minutes: `ahead` of being ready the courier sets out and is kept `busy`;
    `prepare` [N]: how long past orders took from the click until they were ready."""

    busy: float
    ahead: float
    prepare: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Need:
    """By bin [B]: mean load (couriers busy), couriers `needed` at the service level, and the least wanted at all.
    `chance` [B, K]: that the k-th courier (from 0 on) is needed."""

    load: Floats
    needed: Ints
    least: Ints
    chance: Floats
    level: float
    bin_minutes: int


def need(profile: Profile, work: Work, *, level: float = LEVEL, least: int = 1) -> Need:
    """Couriers by bin so that an order finds one free with probability `level`.

    The bins go on behind the profile's until the last order is at its door.
    """
    load = _load(profile, work)
    chance = _chance(load, profile.spread)
    needed = (chance > 1.0 - level).sum(axis=1)
    wanted = np.where(load > NOTHING, least, 0)
    return Need(load, np.maximum(needed, wanted), wanted, chance, level, profile.bin_minutes)


def _load(profile: Profile, work: Work) -> Floats:
    """Mean couriers busy in each bin if there were always one free."""
    kept = _kept(work)
    rate = np.repeat(profile.orders / profile.bin_minutes, profile.bin_minutes)
    busy = np.convolve(rate, kept)
    bins = -(-len(busy) // profile.bin_minutes)
    load = np.pad(busy, (0, bins * profile.bin_minutes - len(busy))).reshape(bins, -1).mean(axis=1)
    over = np.flatnonzero(load > NOTHING)
    return np.asarray(load[: max(over[-1] + 1 if len(over) else 0, len(profile.orders))])


def _kept(work: Work) -> Floats:
    """The chance that an order keeps a courier busy so many minutes after the click."""
    prepare = np.asarray(work.prepare, float)
    if not len(prepare):
        prepare = np.zeros(1)
    start = np.maximum(np.round(prepare - work.ahead), 0).astype(np.int64)
    end = start + max(round(work.busy), 1)
    steps = np.bincount(start, minlength=int(end.max()) + 1) - np.bincount(end, minlength=int(end.max()) + 1)
    return np.asarray(np.cumsum(steps)[:-1] / len(prepare))


def _chance(load: Floats, spread: float) -> Floats:
    """The chance [B, K] that more than k couriers are busy: negative binomial of mean `load` whose days vary."""
    from scipy.special import betainc, gammainc

    if not len(load):
        return np.zeros((0, 0))
    mean = np.maximum(load, 1e-9)[:, None]
    deviation = np.sqrt(mean.max() + (spread * mean.max()) ** 2)
    over = np.arange(1, int(mean.max() + FAR_OUT * deviation) + 2)[None, :]
    size = 1.0 / spread**2 if spread > 0 else 0.0
    busy = betainc(over, size, mean / (size + mean)) if size else gammainc(over, mean)
    return np.asarray(np.where(load[:, None] > NOTHING, busy, 0.0))
