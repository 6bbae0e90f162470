"""Who brings what: plain numbers in, a plan out. The same problem always gives the same plan.

All times are seconds from now (negative: already past). Infinity in `to_store` means "may not". Orders must come in
a fixed order (by id) for ties to fall the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
FAR = 1e9


@dataclass(frozen=True)
class Weights:
    """What a second costs. A late second costs most, then food standing ready, then the courier's own time."""

    late: float = 8.0
    stands_ready: float = 1.0
    to_door: float = 0.3
    courier_waits: float = 0.15
    courier_rides: float = 0.25
    at_store: float = 60.0
    at_door: float = 90.0
    may_wait: float = 180.0
    free_soon: float = 300.0
    patience: float = 600.0
    bundle_most: int = 2
    bundle_ready_apart: float = 240.0
    bundle_detour: float = 210.0


@dataclass(frozen=True, eq=False)
class Problem:
    """K couriers, S stores, N orders.

    free_in [K]: until the courier has nothing to do; room [K]: packages still taken on; to_store [K, S] from where the
    courier will then be; store [N]: index; ready_in, promised_in [N]; drop [N]: store to door; between [N, N]: door to
    door; barred [N, K]: true where this courier let this order lapse.
    """

    free_in: Floats
    room: Ints
    to_store: Floats
    store: Ints
    ready_in: Floats
    promised_in: Floats
    drop: Floats
    between: Floats
    barred: NDArray[np.bool_]


@dataclass(frozen=True)
class Job:
    """One courier, one store, orders in the sequence of their doors, and when each door is reached."""

    courier: int
    orders: tuple[int, ...]
    cost: float
    pick_up_in: float
    arrive_in: tuple[float, ...]
    alternatives: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Plan:
    """What to assign now; everything else waits for the next epoch."""

    jobs: tuple[Job, ...]


class Policy(Protocol):
    """A way of deciding, by name."""

    @property
    def name(self) -> str: ...

    def assign(self, problem: Problem) -> Plan: ...


@dataclass(frozen=True)
class Bundle:
    """Orders of one store that one courier brings in this sequence; `after` is the ride from the store to each."""

    store: int
    orders: tuple[int, ...]
    after: tuple[float, ...]
    ready_in: float


@dataclass(frozen=True)
class Nearest:
    """Orders by how long they have been ready, each to the idle courier nearest to its store. The baseline."""

    name: str = "nearest"
    weights: Weights = Weights()

    def assign(self, problem: Problem) -> Plan:
        idle = (problem.free_in <= 0) & (problem.room > 0)
        jobs = []
        for order in np.lexsort((np.arange(len(problem.store)), problem.ready_in)).tolist():
            ride = np.where(idle & ~problem.barred[order], problem.to_store[:, problem.store[order]], np.inf)
            if not len(ride) or not np.isfinite(ride.min()):
                continue
            courier = int(ride.argmin())
            idle[courier] = False
            alone = _single(problem, order)
            jobs.append(_job(problem, alone, courier, float(ride[courier]), (), self.weights))
        return Plan(tuple(jobs))


@dataclass(frozen=True)
class Matching:
    """Bundles first, then one assignment of bundles to couriers at the least total cost; leave just in time.

    A courier who would stand at the store for more than `may_wait`, or is busy for more than `free_soon`, is not
    told yet: the next epoch knows more. Method: Reyes et al., "The Meal Delivery Routing Problem" (2018), with
    scipy's linear_sum_assignment (Crouse 2016).
    """

    name: str = "matching"
    weights: Weights = Weights()

    def assign(self, problem: Problem) -> Plan:
        if not len(problem.store) or not len(problem.free_in):
            return Plan(())
        # Only the dispatcher needs it; a web process is spared 45 MB and a second.
        from scipy.optimize import linear_sum_assignment  # type: ignore[attr-defined]

        bundles = bundle(problem, self.weights)
        cost = costs(problem, bundles, self.weights)
        rows, columns = linear_sum_assignment(cost)
        jobs = []
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if cost[row, column] >= FAR or not _due(problem, bundles[row], column, self.weights):
                continue
            ranked = np.argsort(cost[row], kind="stable")[:4].tolist()
            others = tuple(
                (other, float(cost[row, other])) for other in ranked if other != column and cost[row, other] < FAR
            )[:3]
            jobs.append(_job(problem, bundles[row], column, float(cost[row, column]), others, self.weights))
        return Plan(tuple(jobs))


POLICIES: dict[str, Policy] = {"nearest": Nearest(), "matching": Matching()}


def bundle(problem: Problem, weights: Weights) -> list[Bundle]:
    """Group orders of one store whose doors are near each other and which are ready together, else alone.

    The most pressing order first takes the partner with the least detour, if the detour is short and neither order
    becomes late by it.
    """
    count = len(problem.store)
    pressing = np.lexsort((np.arange(count), problem.promised_in - problem.drop))
    taken = np.zeros(count, bool)
    made = []
    most = int(min(weights.bundle_most, problem.room.max(initial=1)))
    for order in pressing.tolist():
        if taken[order]:
            continue
        taken[order] = True
        group = _single(problem, order)
        while len(group.orders) < most:
            grown = _grown(problem, group, taken, weights)
            if grown is None:
                break
            group = grown
            taken[list(group.orders)] = True
        made.append(group)
    return made


def costs(problem: Problem, bundles: list[Bundle], weights: Weights) -> Floats:
    """Cost [B, K] in weighted seconds; FAR where it may not be."""
    store = np.array([group.store for group in bundles])
    ready = np.array([group.ready_in for group in bundles])
    ride = np.minimum(problem.to_store[:, store].T, FAR)
    arrive = np.maximum(problem.free_in, 0.0)[None, :] + ride
    leave = np.maximum(arrive, ready[:, None])
    cost = weights.courier_rides * ride + weights.courier_waits * (leave - arrive)
    may = ride < FAR
    for row, group in enumerate(bundles):
        orders = list(group.orders)
        doors = leave[row][:, None] + weights.at_store + np.array(group.after)[None, :]
        over = doors - problem.promised_in[orders][None, :]
        late = np.maximum(0.0, over)
        stands = np.maximum(0.0, leave[row][:, None] - np.maximum(problem.ready_in[orders], 0.0)[None, :])
        cost[row] += (weights.late * late + weights.stands_ready * stands + weights.to_door * doors).sum(axis=1)
        # Where couriers are few, whoever loses most by waiting goes first: what ten more minutes would cost.
        delayed = np.clip(over.min(axis=0) + weights.patience, 0.0, weights.patience)
        cost[row] -= (weights.late * delayed + weights.stands_ready * weights.patience).sum()
        cost[row] -= weights.to_door * float(np.array(group.after).sum())
        may[row] &= (problem.room >= len(orders)) & ~problem.barred[orders].any(axis=0)
    return np.where(may, cost, FAR)


def _single(problem: Problem, order: int) -> Bundle:
    return Bundle(int(problem.store[order]), (order,), (float(problem.drop[order]),), float(problem.ready_in[order]))


def _grown(problem: Problem, group: Bundle, taken: NDArray[np.bool_], weights: Weights) -> Bundle | None:
    """The group with the best order added, or None."""
    near = (
        ~taken
        & (problem.store == group.store)
        & (np.abs(problem.ready_in - group.ready_in) <= weights.bundle_ready_apart)
    )
    best: tuple[float, Bundle] | None = None
    for order in np.flatnonzero(near).tolist():
        ready = max(group.ready_in, float(problem.ready_in[order]))
        for orders in ((*group.orders, order), (order, *group.orders)):
            grown = Bundle(group.store, orders, _after(problem, orders, weights), ready)
            detour = grown.after[-1] - group.after[-1] - weights.at_door
            if detour > weights.bundle_detour or _spoils(problem, grown, weights):
                continue
            if best is None or detour < best[0]:
                best = detour, grown
    return best[1] if best else None


def _after(problem: Problem, orders: tuple[int, ...], weights: Weights) -> tuple[float, ...]:
    """Seconds from leaving the store to each door, in sequence."""
    after = [float(problem.drop[orders[0]])]
    for here, there in pairwise(orders):
        after.append(after[-1] + weights.at_door + float(problem.between[here, there]))
    return tuple(after)


def _spoils(problem: Problem, group: Bundle, weights: Weights) -> bool:
    """Whether somebody becomes late who would be in time alone, leaving when the bundle is ready or now."""
    leave = max(group.ready_in, 0.0) + weights.at_store
    for order, after in zip(group.orders, group.after, strict=True):
        alone = max(float(problem.ready_in[order]), 0.0) + weights.at_store + float(problem.drop[order])
        promised = float(problem.promised_in[order])
        if leave + after + 120.0 > promised and leave + after > alone + 60.0:
            return True
    return False


def _due(problem: Problem, group: Bundle, courier: int, weights: Weights) -> bool:
    free = max(float(problem.free_in[courier]), 0.0)
    arrive = free + float(problem.to_store[courier, group.store])
    return free <= weights.free_soon and group.ready_in - arrive <= weights.may_wait


def _job(
    problem: Problem, group: Bundle, courier: int, cost: float, others: tuple[tuple[int, float], ...], weights: Weights
) -> Job:
    arrive = max(float(problem.free_in[courier]), 0.0) + float(problem.to_store[courier, group.store])
    leave = max(arrive, group.ready_in) + weights.at_store
    return Job(courier, group.orders, cost, leave, tuple(leave + after for after in group.after), others)
