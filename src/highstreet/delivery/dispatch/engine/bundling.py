"""Which orders go together: a bundle is made where the whole matching gets cheaper by it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .along import Along, along
from .costs import Weights, costs, pack, worth
from .joining import Joins, Limits, joins
from .problem import FAR, Bundle, Floats, Ints, Problem, single

ROUNDS = 4
# Weighted seconds that a bundle must save, so that rounding makes none.
LEAST = 1.0


@dataclass(frozen=True)
class Chosen:
    """Bundles; their costs [B, K], less what each is worth [B]; which courier brings which (-1: nobody yet) [B].

    `along`: by (order, courier), where an order may ride along. Of one alone the cost is that where it is less.
    """

    groups: list[Bundle]
    cost: Floats
    worth: Floats
    courier: Ints
    along: dict[tuple[int, int], Along]

    def rides_along(self, row: int) -> Along | None:
        """How a bundle rides along with what its courier is to fetch; None where it is a ride of its own."""
        courier, group = int(self.courier[row]), self.groups[row]
        found = self.along.get((group.orders[0], courier)) if len(group.orders) == 1 else None
        return found if found is not None and found.cost <= self.cost[row, courier] else None


def choose(problem: Problem, second: float, weights: Weights, limits: Limits) -> Chosen:
    """Match single orders, then join bundles two by two while that saves, matching anew each time.

    Set packing by local search: a join is judged by what its two parts cost now, what it would cost the courier of
    either or the best who is free, and what a courier set free would do for an order that nobody brings.
    """
    groups = [single(problem, order) for order in range(len(problem.store))]
    chosen = _matched(problem, groups, second, weights, {})
    taken = _taken_along(problem, chosen, second, weights, limits)
    if taken:
        chosen = _matched(problem, groups, second, weights, taken)
    for _ in range(ROUNDS):
        joined = _joined(problem, chosen, second, weights, limits)
        if joined is None:
            break
        chosen = _matched(problem, joined, second, weights, taken)
    return chosen


def _matched(
    problem: Problem, groups: list[Bundle], second: float, weights: Weights, taken: dict[tuple[int, int], Along]
) -> Chosen:
    from scipy.optimize import linear_sum_assignment  # type: ignore[attr-defined]

    packed = pack(problem, groups)
    cost = costs(problem, packed, second, weights)
    row_of = {group.orders[0]: row for row, group in enumerate(groups) if len(group.orders) == 1}
    for (order, by), one in taken.items():
        if order in row_of:
            cost[row_of[order], by] = min(cost[row_of[order], by], one.cost)
    courier = np.full(len(groups), -1)
    rows, columns = linear_sum_assignment(np.minimum(cost, 0.0))
    pays = cost[rows, columns] < 0
    courier[rows[pays]] = columns[pays]
    return Chosen(groups, cost, worth(problem, packed, weights), courier, taken)


def _joined(problem: Problem, chosen: Chosen, second: float, weights: Weights, limits: Limits) -> list[Bundle] | None:
    """The bundles after the joins that save most, or None when none does."""
    # Where nothing is scarce a second shop only keeps the first one's customer waiting, and takes time to think about.
    scarce = _scarce(chosen, second, weights)
    found = joins(problem, chosen.groups, limits, problem.stores if scarce else 1)
    if found is None:
        return None
    saved = np.empty(len(found.rows))
    for which, change in ((found.of_one_store, _saved_at_one), (~found.of_one_store, _saved_across)):
        if which.any():
            saved[which] = change(problem, chosen, found.of(which), second, weights)
    used: set[int] = set()
    kept = []
    for row in np.argsort(saved, kind="stable").tolist():
        if saved[row] > -LEAST:
            break
        if used.isdisjoint(found.rows[row].tolist()):
            used.update(found.rows[row].tolist())
            kept.append(found.bundle(row))
    return [group for row, group in enumerate(chosen.groups) if row not in used] + kept if kept else None


def _taken_along(
    problem: Problem, chosen: Chosen, second: float, weights: Weights, limits: Limits
) -> dict[tuple[int, int], Along]:
    """What may ride along: where couriers are few anything, else what nobody brings who is free."""
    found = along(problem, second, weights, limits)
    if _scarce(chosen, second, weights):
        return found
    free = np.append(problem.free_in <= 0.0, False)[chosen.courier]
    return {key: one for key, one in found.items() if not free[key[0]]}


def _scarce(chosen: Chosen, second: float, weights: Weights) -> bool:
    """Whether couriers are few for what there is to do, or something finds none."""
    return second > weights.second or bool((chosen.courier < 0).any())


def _saved_at_one(problem: Problem, chosen: Chosen, found: Joins, second: float, weights: Weights) -> Floats:
    """What each join of one store's bundles changes in the cost of the whole [P]; less than 0 saves."""
    joined = costs(problem, found.packed, second, weights)
    one, two = chosen.courier[found.rows].T
    row, idle = np.arange(len(joined)), _idle(chosen)
    by_idle = joined[:, idle].min(axis=1) if len(idle) else np.full(len(joined), FAR)
    return _saved(chosen, found.rows, joined[row, one], joined[row, two], by_idle)


def _saved_across(problem: Problem, chosen: Chosen, found: Joins, second: float, weights: Weights) -> Floats:
    """The same for bundles of several stores, of which there are many more: of who is free only the best for either
    part is asked."""
    idle = _idle(chosen)
    best = idle[chosen.cost[:, idle].argmin(axis=1)] if len(idle) else chosen.courier
    asked = np.maximum(np.column_stack([chosen.courier[found.rows], best[found.rows]]), 0)
    joined = costs(problem, found.packed, second, weights, asked)
    by_idle = joined[:, 2:].min(axis=1) if len(idle) else np.full(len(joined), FAR)
    return _saved(chosen, found.rows, joined[:, 0], joined[:, 1], by_idle)


def _idle(chosen: Chosen) -> Ints:
    return np.setdiff1d(np.arange(chosen.cost.shape[1]), chosen.courier)


def _saved(chosen: Chosen, pairs: Ints, by_one: Floats, by_two: Floats, by_idle: Floats) -> Floats:
    """By the costs [P] of joins if the courier of either part brought it, or the best who is free."""
    now = np.where(chosen.courier >= 0, chosen.cost[np.arange(len(chosen.courier)), chosen.courier], 0.0)
    unserved = chosen.courier < 0
    # What a courier set free would do for the best of what nobody brings; nobody (-1) does nothing.
    relief = np.zeros(chosen.cost.shape[1] + 1)
    if unserved.any():
        relief[:-1] = np.minimum(chosen.cost[unserved], 0.0).min(axis=0)
    one, two = chosen.courier[pairs].T
    by_one = np.where(one >= 0, by_one, FAR) + relief[two]
    by_two = np.where(two >= 0, by_two, FAR) + relief[one]
    by_idle = by_idle + relief[one] + relief[two]
    return np.asarray(np.minimum(np.minimum(by_one, by_two), by_idle) - now[pairs].sum(axis=1))
