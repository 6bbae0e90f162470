"""What a dispatcher does without thinking: the nearest idle courier, and one matching now and then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .problem import FAR, Floats, Plan, Problem, job, single


@dataclass(frozen=True)
class Nearest:
    """First come, first served: each order goes to the idle courier nearest to its store."""

    name: str = "nearest"
    every: float = 60.0

    def assign(self, problem: Problem) -> Plan:
        idle = (problem.free_in <= 0) & (problem.room > 0)
        jobs = []
        for order in range(len(problem.store)):
            ride = np.where(idle & ~problem.barred[order], problem.to_store[:, problem.store[order]], np.inf)
            ride[pick_up(problem, ride, float(problem.ready_in[order])) > problem.until_off] = np.inf
            if not len(ride) or not np.isfinite(ride.min()):
                continue
            courier = int(ride.argmin())
            idle[courier] = False
            jobs.append(job(problem, single(problem, order), courier))
        return Plan(tuple(jobs))


@dataclass(frozen=True)
class Matching:
    """Orders that are ready soon and couriers who are free soon, matched so that pick-ups are early and rides short."""

    name: str = "matching"
    every: float = 300.0
    horizon: float = 1200.0

    def assign(self, problem: Problem) -> Plan:
        from scipy.optimize import linear_sum_assignment  # type: ignore[attr-defined]

        orders = np.flatnonzero(problem.ready_in <= self.horizon)
        if not len(orders) or not len(problem.free_in):
            return Plan()
        ride = np.minimum(problem.to_store[:, problem.store[orders]].T, FAR)
        at = np.maximum(problem.free_in[None, :] + ride + problem.service.before_pickup, problem.ready_in[orders, None])
        may = (ride < FAR) & ~problem.barred[orders] & (problem.room > 0) & (problem.free_in <= self.horizon)
        may &= at <= problem.until_off
        cost = np.where(may, at + 0.1 * ride, FAR)
        rows, columns = linear_sum_assignment(cost)
        return Plan(
            tuple(
                job(problem, single(problem, int(orders[row])), int(column), float(cost[row, column]))
                for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
                if cost[row, column] < FAR
            )
        )


def pick_up(problem: Problem, ride: Floats, ready: float) -> Floats:
    """When each courier [K] would have the goods in hand."""
    there = np.maximum(problem.free_in, 0.0) + ride + problem.service.before_pickup
    return np.maximum(there, ready)
