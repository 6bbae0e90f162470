"""Just in time, first cut: singles only, no forecast, no bundles, no drift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .baselines import shift_end
from .problem import FAR, Floats, Move, Plan, Problem, job, single


@dataclass(frozen=True)
class Ours:
    name: str = "ours"
    ride: float = 0.25
    old: float = 0.0
    reward: float = 1800.0
    spare: float = 0.0
    horizon: float = 3600.0

    def assign(self, problem: Problem) -> Plan:
        from scipy.optimize import linear_sum_assignment

        N, K = len(problem.store), len(problem.free_in)
        if not N or not K:
            return Plan()
        ride = np.minimum(problem.to_store[:, problem.store].T, FAR)
        free = np.maximum(problem.free_in, 0.0)[None, :]
        there = free + ride + problem.service.before_pickup
        ready = problem.ready_in[:, None]
        pick = np.maximum(there, ready)
        may = (ride < FAR) & ~problem.barred & (problem.room > 0) & (pick <= shift_end(problem))
        cost = (pick - ready) + self.ride * ride - self.spare * (problem.spare > 0) * 60
        # what is not matched now waits: urgent first
        cost = cost - self.reward - self.old * np.maximum(-ready, 0)
        cost = np.where(may, cost, FAR)
        rows, cols = linear_sum_assignment(cost)
        jobs = []
        for r, c in zip(rows.tolist(), cols.tolist()):
            if cost[r, c] >= FAR: continue
            if problem.free_in[c] > 0: continue
            if ready[r, 0] - there[r, c] >= 60: continue
            jobs.append(job(problem, single(problem, r), c, float(cost[r, c])))
        return Plan(tuple(jobs))
