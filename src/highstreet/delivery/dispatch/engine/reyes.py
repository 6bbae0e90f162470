"""The rolling horizon of Reyes, Erera, Savelsbergh, Sahasrabudhe, O'Neil, "The Meal Delivery Routing Problem" (2018).

Bundles of a target size that follows the load, three groups of priority, one assignment for each group, and the
two-stage additive commitment: who cannot be at the store, or whose order is not ready, by the next epoch only goes
there, and may still be given more of that store.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .problem import FAR, Bools, Bundle, Floats, Ints, Job, Move, Plan, Problem, bundled, job, single


@dataclass(frozen=True)
class Reyes:
    """Epochs of five minutes and ten minutes looked ahead for couriers, as published. Orders are looked at twenty
    minutes ahead: with the published ten it does worse here (seeds 0 and 1)."""

    name: str = "reyes"
    every: float = 300.0
    orders_ahead: float = 1200.0
    couriers_ahead: float = 600.0
    delay_cost: float = 0.5
    freshness: float = 1.0 / 60.0
    stale: float = 600.0

    def assign(self, problem: Problem) -> Plan:
        tied = problem.tied if len(problem.tied) else np.full(len(problem.store), -1)
        bound = problem.bound if len(problem.bound) else np.full(len(problem.free_in), -1)
        open_orders = np.flatnonzero((problem.ready_in <= self.orders_ahead) & (tied < 0))
        groups = self._bundles(problem, open_orders)
        groups += [
            bundled(problem, tuple(np.flatnonzero(tied == courier).tolist()))
            for courier in sorted(set(tied[tied >= 0].tolist()))
        ]
        owner = [int(tied[group.orders[0]]) for group in groups]
        free = problem.free_in <= self.couriers_ahead
        jobs: list[Job] = []
        moves: list[Move] = []
        taken = np.zeros(len(problem.free_in), bool)
        kept = {courier: groups[row] for row, courier in enumerate(owner) if courier >= 0}
        for rows in self._priorities(problem, groups):
            loose = [row for row in rows if owner[row] < 0]
            for row, courier in self._match(problem, groups, loose, free & ~taken, bound):
                taken[courier] = True
                group = groups[row]
                if courier in kept:
                    group = bundled(problem, kept.pop(courier).orders + group.orders)
                self._commit(problem, group, courier, jobs, moves)
        for courier, group in kept.items():
            self._commit(problem, group, courier, jobs, moves)
        return Plan(tuple(jobs), tuple(moves))

    def _bundles(self, problem: Problem, orders: Ints) -> list[Bundle]:
        couriers = int((problem.free_in <= self.couriers_ahead).sum())
        size = max(1, -(-len(orders) // max(couriers, 1)))
        groups: list[Bundle] = []
        for store in np.unique(problem.store[orders]).tolist():
            mine = orders[problem.store[orders] == store]
            ranked = mine[np.argsort(problem.ready_in[mine], kind="stable")].tolist()
            groups += self._of_store(problem, ranked, size)
        return groups

    def _of_store(self, problem: Problem, ranked: list[int], size: int) -> list[Bundle]:
        """Parallel insertion into as many routes as the target size asks for, then each order put anew."""
        count = -(-len(ranked) // size)
        if size == 1 or count == len(ranked):
            return [single(problem, order) for order in ranked]
        routes: list[tuple[int, ...]] = [() for _ in range(count)]
        for order in ranked:
            self._insert(problem, routes, order)
        for order in ranked:
            here = next(number for number, route in enumerate(routes) if order in route)
            routes[here] = tuple(other for other in routes[here] if other != order)
            self._insert(problem, routes, order)
        return [bundled(problem, route) for route in routes if route]

    def _insert(self, problem: Problem, routes: list[tuple[int, ...]], order: int) -> None:
        best: tuple[float, int, tuple[int, ...]] | None = None
        for number, route in enumerate(routes):
            for place in range(len(route) + 1):
                grown = (*route[:place], order, *route[place:])
                added = self._cost(problem, grown) - self._cost(problem, route)
                if best is None or added < best[0]:
                    best = added, number, grown
        assert best is not None
        routes[best[1]] = best[2]

    def _cost(self, problem: Problem, route: tuple[int, ...]) -> float:
        if not route:
            return 0.0
        group = bundled(problem, route)
        delay = sum(group.ready_in - float(problem.ready_in[order]) for order in route)
        detour = sum(group.after) - float(problem.drop[list(route)].sum())
        return group.after[-1] + self.delay_cost * (delay + detour)

    def _priorities(self, problem: Problem, groups: list[Bundle]) -> list[list[int]]:
        """Those who cannot be in time any more, those already standing ready, the rest."""
        rows: list[list[int]] = [[], [], []]
        nearest = problem.to_store.min(axis=0, initial=FAR)
        for row, group in enumerate(groups):
            soonest = max(float(nearest[group.store]), group.ready_in, 0.0) + problem.service.after_pickup
            late = any(
                soonest + seconds > problem.promised_in[order]
                for order, seconds in zip(group.orders, group.after, strict=True)
            )
            rows[0 if late else 1 if group.ready_in <= 0 else 2].append(row)
        return rows

    def _match(
        self, problem: Problem, groups: list[Bundle], rows: list[int], free: Bools, bound: Ints
    ) -> list[tuple[int, int]]:
        from scipy.optimize import linear_sum_assignment  # type: ignore[attr-defined]

        columns = np.flatnonzero(free)
        if not rows or not len(columns):
            return []
        worth = self._worth(problem, [groups[row] for row in rows], columns, bound[columns])
        chosen = linear_sum_assignment(worth, maximize=True)
        return [
            (rows[row], int(columns[column]))
            for row, column in zip(chosen[0].tolist(), chosen[1].tolist(), strict=True)
            if worth[row, column] > -FAR
        ]

    def _worth(self, problem: Problem, groups: list[Bundle], columns: Ints, bound: Ints) -> Floats:
        """Orders a minute of the courier's time, less what standing ready costs."""
        store = np.array([group.store for group in groups])
        ready = np.array([group.ready_in for group in groups])[:, None]
        size = np.array([len(group.orders) for group in groups])[:, None]
        length = np.array([group.after[-1] for group in groups])[:, None] + problem.service.after_pickup
        ride = np.minimum(problem.to_store[columns][:, store].T, FAR)
        free = problem.free_in[columns][None, :]
        pick = np.maximum(free + ride + problem.service.before_pickup, ready)
        worth = size / ((pick + length - free) / 60.0) - self.freshness * (pick - ready)
        may = (ride < FAR) & (pick <= problem.until_off[columns][None, :]) & (problem.room[columns][None, :] >= size)
        may &= (bound < 0)[None, :] | (bound[None, :] == store[:, None])
        for row, group in enumerate(groups):
            may[row] &= ~problem.barred[list(group.orders)][:, columns].any(axis=0)
        return np.where(may, worth, -FAR)

    def _commit(self, problem: Problem, group: Bundle, courier: int, jobs: list[Job], moves: list[Move]) -> None:
        there = float(problem.free_in[courier]) + float(problem.to_store[courier, group.store])
        soon = there <= self.every and group.ready_in <= self.every
        stale = min(float(problem.ready_in[order]) for order in group.orders) <= -self.stale
        if soon or stale:
            jobs.append(job(problem, group, courier))
        elif float(problem.free_in[courier]) <= 0 or there <= self.every:
            moves.append(Move(courier, group.store, group.orders))
