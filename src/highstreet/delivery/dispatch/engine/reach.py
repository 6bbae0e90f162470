"""When a courier could stand at each store for one order more: what the next promise needs to know of dispatch."""

from __future__ import annotations

import numpy as np

from .problem import FAR, Floats, Problem


def reach(problem: Problem, back: Floats) -> Floats:
    """Seconds [S] until somebody could be at each store once all that waits is served; infinity where nobody can.

    problem.to_store [K, S] must be known for every store; back [N, S]: from each waiting order's door to each store.
    What waits is matched to couriers in rounds, each taking who is soonest there; whoever got an order is free again at
    its door. Nobody begins after their shift's end. Bundles are not reckoned with, so it is rather too late where
    couriers are scarce.
    """
    from scipy.optimize import linear_sum_assignment  # type: ignore[attr-defined]

    stores = problem.to_store.shape[1]
    if not len(problem.free_in):
        return np.full(stores, np.inf)
    # Where no way leads, somebody is far; the matching knows no infinity.
    free, to_store, back = np.maximum(problem.free_in, 0.0), np.minimum(problem.to_store, FAR), np.minimum(back, FAR)
    service, off = problem.service, problem.until_off
    stop = service.after_pickup + service.before_drop + service.after_drop
    pace = problem.pace if len(problem.pace) else np.ones(len(free))
    left = np.arange(len(problem.store))
    while len(left):
        there = free[None, :] + to_store[:, problem.store[left]].T + service.before_pickup
        pick = np.maximum(there, problem.ready_in[left][:, None])
        pick = np.where(pick > off[None, :], FAR, pick)
        rows, columns = linear_sum_assignment(pick)
        can = pick[rows, columns] < FAR
        served, by = left[rows[can]], columns[can]
        free[by] = pick[rows[can], by] + pace[by] * problem.drop[served] + stop
        to_store[by] = np.minimum(pace[by, None] * back[served], FAR)
        left = np.delete(left, rows)
    there = free[:, None] + to_store
    soonest = np.where(there > off[:, None], FAR, there).min(axis=0)
    return np.where(soonest < FAR, soonest, np.inf)
