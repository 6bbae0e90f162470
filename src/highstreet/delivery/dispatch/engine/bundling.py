"""Which orders go together: a bundle is made where the whole matching gets cheaper by it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .costs import Weights, costs, pack, worth
from .problem import FAR, Bundle, Floats, Ints, Problem, bundled, single

ROUNDS = 4
# Weighted seconds that a bundle must save, so that rounding makes none.
LEAST = 1.0


@dataclass(frozen=True)
class Limits:
    """What a bundle may be: so many orders, ready so far apart, and nobody's ride longer by more (seconds)."""

    most: int = 4
    apart: float = 600.0
    detour: float = 1800.0


LIMITS = Limits()


@dataclass(frozen=True)
class Chosen:
    """Bundles; their costs [B, K], less what each is worth [B]; which courier brings which (-1: nobody yet) [B]."""

    groups: list[Bundle]
    cost: Floats
    worth: Floats
    courier: Ints


def choose(problem: Problem, second: float, weights: Weights, limits: Limits) -> Chosen:
    """Match single orders, then join bundles of one store two by two while that saves, matching anew each time.

    Set packing by local search: a join is judged by what its two parts cost now, what it would cost the courier of
    either or the best who is free, and what a courier set free would do for an order that nobody brings.
    """
    groups = [single(problem, order) for order in range(len(problem.store))]
    chosen = _matched(problem, groups, second, weights)
    for _ in range(ROUNDS):
        joined = _joined(problem, chosen, second, weights, limits)
        if joined is None:
            break
        chosen = _matched(problem, joined, second, weights)
    return chosen


def _matched(problem: Problem, groups: list[Bundle], second: float, weights: Weights) -> Chosen:
    from scipy.optimize import linear_sum_assignment  # type: ignore[attr-defined]

    packed = pack(problem, groups)
    cost = costs(problem, packed, second, weights)
    courier = np.full(len(groups), -1)
    rows, columns = linear_sum_assignment(np.minimum(cost, 0.0))
    pays = cost[rows, columns] < 0
    courier[rows[pays]] = columns[pays]
    return Chosen(groups, cost, worth(problem, packed, weights), courier)


def _joined(problem: Problem, chosen: Chosen, second: float, weights: Weights, limits: Limits) -> list[Bundle] | None:
    pairs = _pairs(chosen.groups, limits)
    made = [bundled(problem, chosen.groups[one].orders + chosen.groups[two].orders) for one, two in pairs.tolist()]
    near = [row for row, group in enumerate(made) if _detour(problem, group) <= limits.detour]
    if not near:
        return None
    made, pairs = [made[row] for row in near], pairs[near]
    saved = _saved(chosen, pairs, costs(problem, pack(problem, made), second, weights))
    used: set[int] = set()
    kept = []
    for row in np.argsort(saved, kind="stable").tolist():
        if saved[row] > -LEAST:
            break
        if used.isdisjoint(pairs[row].tolist()):
            used.update(pairs[row].tolist())
            kept.append(made[row])
    return [group for row, group in enumerate(chosen.groups) if row not in used] + kept if kept else None


def _detour(problem: Problem, group: Bundle) -> float:
    """How much later than by a ride of its own the bundle's worst order comes."""
    return max(later - float(problem.drop[order]) for order, later in zip(group.orders, group.after, strict=True))


def _pairs(groups: list[Bundle], limits: Limits) -> Ints:
    """Ordered pairs [P, 2] of bundles of one store that fit into one bag and are ready at about one time."""
    of_store: dict[int, list[int]] = {}
    for row, group in enumerate(groups):
        of_store.setdefault(group.store, []).append(row)
    return np.array(
        [
            (one, two)
            for rows in of_store.values()
            for one in rows
            for two in rows
            if one != two
            and len(groups[one].orders) + len(groups[two].orders) <= limits.most
            and abs(max(groups[one].ready_in, 0.0) - max(groups[two].ready_in, 0.0)) <= limits.apart
        ],
        np.int64,
    ).reshape(-1, 2)


def _saved(chosen: Chosen, pairs: Ints, joined: Floats) -> Floats:
    """What each join changes in the cost of the whole [P]; less than 0 saves."""
    now = np.where(chosen.courier >= 0, chosen.cost[np.arange(len(chosen.courier)), chosen.courier], 0.0)
    unserved = chosen.courier < 0
    # What a courier set free would do for the best of what nobody brings; nobody (-1) does nothing.
    relief = np.zeros(joined.shape[1] + 1)
    if unserved.any():
        relief[:-1] = np.minimum(chosen.cost[unserved], 0.0).min(axis=0)
    one, two = chosen.courier[pairs[:, 0]], chosen.courier[pairs[:, 1]]
    row = np.arange(len(pairs))
    by_one = np.where(one >= 0, joined[row, one], FAR) + relief[two]
    by_two = np.where(two >= 0, joined[row, two], FAR) + relief[one]
    idle = np.setdiff1d(np.arange(joined.shape[1]), chosen.courier)
    by_idle = joined[:, idle].min(axis=1) + relief[one] + relief[two] if len(idle) else np.full(len(pairs), FAR)
    return np.asarray(np.minimum(np.minimum(by_one, by_two), by_idle) - now[pairs].sum(axis=1))
