"""When a courier could stand at each store for one order more: what the next promise needs to know of dispatch."""

from __future__ import annotations

import numpy as np

from .problem import Floats, Problem


def reach(problem: Problem, back: Floats) -> Floats:
    """Seconds [S] until somebody could be at each store once all that waits is served; infinity without couriers.

    problem.to_store [K, S] must be known for every store; back [N, S]: from each waiting order's door to each store.
    What waits is matched to couriers in rounds, each taking who is soonest there; whoever got an order is free again at
    its door. Bundles are not reckoned with, so it is rather too late where couriers are scarce.
    """
    from scipy.optimize import linear_sum_assignment  # type: ignore[attr-defined]

    stores = problem.to_store.shape[1]
    if not len(problem.free_in):
        return np.full(stores, np.inf)
    free, to_store = np.maximum(problem.free_in, 0.0), problem.to_store.copy()
    service = problem.service
    ridden = service.after_pickup + problem.drop + service.before_drop + service.after_drop
    left = np.arange(len(problem.store))
    while len(left):
        there = free[None, :] + to_store[:, problem.store[left]].T + service.before_pickup
        pick = np.maximum(there, problem.ready_in[left][:, None])
        rows, columns = linear_sum_assignment(pick)
        served = left[rows]
        free[columns] = pick[rows, columns] + ridden[served]
        to_store[columns] = back[served]
        left = np.delete(left, rows)
    return np.asarray((free[:, None] + to_store).min(axis=0))
