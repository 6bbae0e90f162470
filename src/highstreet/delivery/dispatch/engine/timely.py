"""Our own policy. Everything known is matched at once, couriers who are busy or start soon included; a courier leaves
when waiting longer would cost time; a courier's second has a price that rises with the load, so that detours are ridden
and bundles made when couriers are few."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .along import Along
from .bundling import choose
from .costs import WEIGHTS, Weights, price
from .drifting import drift
from .joining import LIMITS, Limits
from .problem import FAR, Bundle, Floats, Job, Move, Plan, Problem, job


@dataclass(frozen=True)
class Timely:
    """Seconds. `slack`: so much too early at the store a courier may be; `ahead`: so long before they are free couriers
    are told of what is next; `sure`: what is ready so soon is given to who stands at the store; `gain`: what the mean
    ride must gain for an idle courier to move.
    """

    name: str = "timely"
    every: float = 60.0
    weights: Weights = WEIGHTS
    slack: float = 60.0
    ahead: float = 0.0
    sure: float = 240.0
    limits: Limits = LIMITS
    gain: float = 10.0

    def assign(self, problem: Problem) -> Plan:
        if not len(problem.free_in):
            return Plan()
        jobs: list[Job] = []
        moves: list[Move] = []
        engaged: set[int] = set()
        held: list[int] = []
        if len(problem.store):
            second = price(problem, self.weights)
            chosen = choose(problem, second, self.weights, self.limits)
            for row, courier in enumerate(chosen.courier.tolist()):
                if courier >= 0:
                    engaged.add(courier)
                    cost = np.minimum(chosen.cost[row] + chosen.worth[row], FAR)
                    with_it = chosen.rides_along(row)
                    if with_it is not None:
                        jobs.append(_joined(problem, chosen.groups[row], courier, cost, with_it))
                        continue
                    self._send(problem, chosen.groups[row], courier, cost, second, jobs, moves, held)
        if problem.may_move and len(problem.apart):
            moves += drift(problem, engaged, self.gain)
        return Plan(tuple(jobs), tuple(moves), tuple(held))

    def _send(
        self,
        problem: Problem,
        group: Bundle,
        courier: int,
        cost: Floats,
        second: float,
        jobs: list[Job],
        moves: list[Move],
        held: list[int],
    ) -> None:
        """Now, or not yet."""
        free, ride = max(float(problem.free_in[courier]), 0.0), float(problem.to_store[courier, group.store])
        early = group.ready_in - (free + ride + problem.service.before_pickup)
        if free > self.ahead:
            return
        if not problem.may_move:
            goes = early <= self.slack
        elif ride > 0:
            if early < self.slack + self._hedge(problem, group, second):
                moves.append(Move(courier, group.store))
            return
        else:
            goes = group.ready_in <= (0.0 if _unsure(problem, group) else self.sure)
        if goes:
            jobs.append(job(problem, group, courier, float(cost[courier]), _others(cost, courier)))
        else:
            held.extend(group.orders)

    def _hedge(self, problem: Problem, group: Bundle, second: float) -> float:
        """How much earlier it pays to go where it is not sure when the goods are ready: a newsvendor's quantile."""
        unsure = _unsure(problem, group)
        if not unsure:
            return 0.0
        from scipy.special import ndtri

        return -unsure * float(ndtri(min(max(second, 0.001), 0.5)))


def _joined(problem: Problem, group: Bundle, courier: int, cost: Floats, with_it: Along) -> Job:
    """One order that rides along."""
    leave = next(ride.leave_in for ride in problem.rides if ride.courier == courier)
    return Job(
        courier,
        group.stores,
        group.orders,
        float(cost[courier]),
        leave,
        (with_it.arrive_in,),
        _others(cost, courier),
        with_it.place,
    )


def _unsure(problem: Problem, group: Bundle) -> float:
    return max(float(problem.unsure[order]) for order in group.orders) if len(problem.unsure) else 0.0


def _others(cost: Floats, courier: int) -> tuple[tuple[int, float], ...]:
    """The three next best couriers and their costs."""
    ranked = cost.argsort(kind="stable")[:4].tolist()
    return tuple((other, float(cost[other])) for other in ranked if other != courier and cost[other] < FAR)[:3]
