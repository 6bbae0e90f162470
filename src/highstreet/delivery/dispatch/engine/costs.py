"""What it costs that a courier brings a bundle, in weighted seconds: one matrix for a whole epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from .problem import FAR, Bools, Bundle, Floats, Ints, Problem

HOUR = 3600.0
PATIENCE = 600.0


@dataclass(frozen=True)
class Weights:
    """The platform's aims, in one place. A second that an order comes later costs 1.

    `late`: more for each second beyond the promise; `risk`: what a second is worth by which an order would be late if
    it waited ten minutes more; `waited`: what waits unserved gains so much for each second that it stood, so that
    nothing is passed over for ever; `unmet`: what it is worth that an order goes out at all; `second`:
    of a courier's time where there is plenty, and up to `scarce` more where the work that is known needs the share
    `busy` or more of what couriers have in the next hour; `pay`: an order for somebody who has earned what is
    guaranteed so far, against one for somebody who has not.
    """

    late: float = 0.25
    risk: float = 0.1
    waited: float = 1.0
    unmet: float = 2400.0
    second: float = 0.1
    scarce: float = 1.5
    busy: float = 0.5
    pay: float = 180.0


WEIGHTS = Weights()


@dataclass(frozen=True, eq=False)
class Packed:
    """Bundles as arrays: the first store, ready, lag, unsure, size [B]; orders (padded with -1) and seconds to their
    doors [B, W]."""

    store: Ints
    ready: Floats
    lag: Floats
    unsure: Floats
    size: Ints
    orders: Ints
    after: Floats

    def of(self, rows: Ints | Bools) -> Packed:
        """Only these."""
        return Packed(*(getattr(self, one.name)[rows] for one in fields(self)))


def pack(problem: Problem, groups: Sequence[Bundle]) -> Packed:
    """`groups`, at least one, as arrays."""
    size = np.array([len(group.orders) for group in groups])
    orders = np.full((len(groups), int(size.max())), -1)
    after = np.zeros(orders.shape)
    for row, group in enumerate(groups):
        orders[row, : size[row]] = group.orders
        after[row, : size[row]] = group.after
    return Packed(
        store=np.array([group.store for group in groups]),
        ready=np.array([group.ready_in for group in groups]),
        lag=np.array([group.lag for group in groups]),
        unsure=unsure_of(problem, orders),
        size=size,
        orders=orders,
        after=after,
    )


def unsure_of(problem: Problem, orders: Ints) -> Floats:
    """How far off the ready times of these orders [B, W], padded with -1, may be [B]."""
    unsure = problem.unsure if len(problem.unsure) else np.zeros(len(problem.store))
    return np.asarray(np.where(orders >= 0, unsure[orders], 0.0).max(axis=1))


def price(problem: Problem, weights: Weights) -> float:
    """What a courier's second costs now."""
    left = np.minimum(problem.until_off, HOUR) - np.maximum(problem.free_in, 0.0)
    service = problem.service
    stop = service.before_pickup + service.after_pickup + service.before_drop + service.after_drop
    load = float((2.0 * problem.drop + stop).sum()) / max(float(np.maximum(left, 0.0).sum()), 1.0)
    return weights.second + weights.scarce * float(np.clip((load - weights.busy) / 0.6, 0.0, 1.0))


def costs(problem: Problem, packed: Packed, second: float, weights: Weights, of: Ints | None = None) -> Floats:
    """Cost [B, K] of each bundle by each courier, less what it is worth to be brought; FAR where it may not be.

    Or [B, C], of those couriers `of` [B, C] who are asked about.
    """
    service, busy = problem.service, np.maximum(problem.free_in, 0.0)
    rides = np.minimum(problem.to_store, FAR).T
    free, off, room, pay = (
        one[None, :] if of is None else one[of]
        for one in (busy, problem.until_off, problem.room, pay_of(problem, weights))
    )
    pace = np.ones((1, 1)) if not len(problem.pace) else problem.pace[None, :] if of is None else problem.pace[of]
    ride = _by(rides, packed.store, of)
    pick = _pick_up(free + ride + service.before_pickup, packed)
    real = packed.orders >= 0
    soonest = np.maximum(problem.ready_in, 0.0)
    alone = np.where(real, (soonest + problem.drop)[packed.orders], 0.0)
    cost = packed.size[:, None] * pick + (pace * packed.after.sum(axis=1)[:, None] - alone.sum(axis=1)[:, None])
    due = due_in(problem)
    for place in range(packed.orders.shape[1]):
        door = pace * packed.after[:, place, None]
        at = pick + (service.after_pickup + door - due[packed.orders[:, place], None])
        cost += np.where(real[:, place, None], weights.late * np.maximum(at, 0.0), 0.0)
    ridden = service.after_pickup + pace * packed.after.max(axis=1)[:, None] + service.before_drop + service.after_drop
    # A shift's last minutes are worth nothing: nobody else can use them.
    cost += second * np.maximum(np.minimum(pick + ridden, off) - free, 0.0)
    cost += pay * packed.size[:, None] - (worth(problem, packed, weights) + urgency(problem, packed, weights))[:, None]
    may = (ride < FAR) & (pick + packed.lag[:, None] <= off) & (room >= packed.size[:, None])
    return np.where(may & ~_barred(problem, packed, ride.shape, of), cost, FAR)


def due_in(problem: Problem) -> Floats:
    """By when each order [N] is to be at its door: what is late already is late whoever goes, and only what is added
    counts."""
    soonest = np.maximum(problem.ready_in, 0.0) + problem.service.after_pickup + problem.drop
    return np.asarray(np.maximum(problem.promised_in, soonest))


def urgency(problem: Problem, packed: Packed, weights: Weights) -> Floats:
    """What it is worth [B] that these go now: who would be late by waiting once more goes before who would not."""
    service = problem.service
    rides = np.minimum(problem.to_store, FAR).T
    soonest_there = (np.maximum(problem.free_in, 0.0) + rides).min(axis=1)[packed.store] + service.before_pickup
    first = _pick_up(soonest_there[:, None], packed)
    over = first + service.after_pickup + packed.after + PATIENCE - problem.promised_in[packed.orders]
    each = np.where(packed.orders >= 0, weights.risk * np.clip(over, 0.0, PATIENCE), 0.0)
    return np.asarray(each.sum(axis=1))


def worth(problem: Problem, packed: Packed, weights: Weights) -> Floats:
    """What it is worth that these orders [B] are brought at all, in the costs' seconds."""
    each = weights.unmet + weights.waited * np.maximum(-problem.ready_in, 0.0)
    return np.asarray(np.where(packed.orders >= 0, each[packed.orders], 0.0).sum(axis=1))


def _pick_up(there: Floats, packed: Packed) -> Floats:
    """When the goods are in hand [B, K]: expected, where it is not sure when they are ready."""
    ready = packed.ready[:, None]
    pick = np.maximum(np.maximum(there, ready), 0.0)
    if not packed.unsure.any():
        return pick
    from scipy.special import ndtr

    spread = np.maximum(packed.unsure, 1.0)[:, None]
    apart = np.abs(there - ready) / spread
    # The mean of the later of two moments, one of which is normal (Clark 1961).
    more = spread * (np.exp(-np.minimum(apart * apart, 60.0) / 2.0) / np.sqrt(2.0 * np.pi) - apart * ndtr(-apart))
    return np.asarray(pick + np.where(packed.unsure[:, None] > 0, more, 0.0))


def pay_of(problem: Problem, weights: Weights) -> Floats:
    """What one order more costs by each courier's pay [K]."""
    if not len(problem.spare):
        return np.zeros(len(problem.free_in))
    return np.asarray(weights.pay / (1.0 + np.exp(np.clip(problem.spare / 0.7, -30.0, 30.0))))


def _by(table: Any, rows: Ints, of: Ints | None) -> Any:
    """Rows [B, K] of a table by courier, or of each row only those `of` [B, C]."""
    return table[rows] if of is None else table[rows[:, None], of]


def _barred(problem: Problem, packed: Packed, shape: tuple[int, ...], of: Ints | None) -> Bools:
    barred = np.zeros(shape, bool)
    if problem.barred.any():
        for place in range(packed.orders.shape[1]):
            order = packed.orders[:, place]
            barred |= _by(problem.barred, order, of) & (order >= 0)[:, None]
    return barred
