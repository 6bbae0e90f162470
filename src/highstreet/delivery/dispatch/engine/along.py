"""Orders that ride along with what a courier is still to fetch at their store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .costs import Weights, due_in, pack, pay_of, urgency, worth
from .joining import Limits
from .problem import Floats, Problem, Ride, single

# So long the others wait for it at the counter, at most. Chosen on made-up days of seeds 0 and 1 (0 to 300 were tried).
WAIT = 180.0


@dataclass(frozen=True)
class Along:
    """An order taken along: its cost as `costs` has them, before which of the ride's doors, and when it is there."""

    cost: float
    place: int
    arrive_in: float


def along(problem: Problem, second: float, weights: Weights, limits: Limits) -> dict[tuple[int, int], Along]:
    """By (order, courier), the best place of each order in each ride from its store that it fits into.

    It is ready in time, the ride does not get longer than a bundle may be, and nobody's promise that would be kept is
    broken by it.
    """
    if not problem.rides or not len(problem.store):
        return {}
    packed = pack(problem, [single(problem, order) for order in range(len(problem.store))])
    gain = worth(problem, packed, weights) + urgency(problem, packed, weights)
    due, pay = due_in(problem), pay_of(problem, weights)
    made = {}
    for ride in problem.rides:
        courier = ride.courier
        in_time = problem.ready_in + problem.service.after_pickup <= ride.leave_in + WAIT
        fits = (problem.store == ride.store) & in_time & ~problem.barred[:, courier]
        if problem.room[courier] < 1 or len(ride.doors_in) >= limits.most:
            continue
        if ride.leave_in - problem.service.after_pickup > problem.until_off[courier]:
            continue
        for order in np.flatnonzero(fits).tolist():
            best = _placed(problem, ride, order, float(due[order]), second, weights, limits)
            if best is not None:
                cost, place, arrive = best
                made[order, courier] = Along(cost + float(pay[courier] - gain[order]), place, arrive)
    return made


def _placed(
    problem: Problem, ride: Ride, order: int, due: float, second: float, weights: Weights, limits: Limits
) -> tuple[float, int, float] | None:
    """The cheapest place of an order in a ride: what it costs, the place, and when it is at its door."""
    service, pace = problem.service, problem.pace_of(ride.courier)
    wait = max(float(problem.ready_in[order]) + service.after_pickup - ride.leave_in, 0.0)
    doors = ride.doors_in + wait
    # From the store, or from each door, to the order's; and on from it to the door that came next.
    begin = np.append(ride.leave_in + wait, doors + service.after_drop)
    there = begin + pace * np.append(problem.drop[order], ride.near[:, order]) + service.before_drop
    onward = there[:-1] + service.after_drop + pace * ride.near[:, order] + service.before_drop
    # By how much later everything from each place on comes; nothing comes after the last.
    later = np.append(np.maximum(onward - doors, 0.0), 0.0)
    spent = wait + np.append(later[:-1], there[-1] - doors[-1])
    alone = max(float(problem.ready_in[order]), 0.0) + float(problem.drop[order])
    cost = there - service.after_pickup - service.before_drop - alone + second * spent
    cost += weights.late * np.maximum(there - service.before_drop - due, 0.0)
    delays = wait + np.where(np.arange(len(doors))[None, :] >= np.arange(len(doors) + 1)[:, None], later[:, None], 0.0)
    cost += delays.sum(axis=1) + weights.late * _later(ride, delays).sum(axis=1)
    kept = ~((ride.doors_in <= ride.promised_in) & (ride.doors_in + delays > ride.promised_in)).any(axis=1)
    own = there - service.before_drop - problem.drop[order] - ride.leave_in
    cost = np.where(kept & (own <= limits.detour), cost, np.inf)
    place = int(cost.argmin())
    return (float(cost[place]), place, float(there[place])) if np.isfinite(cost[place]) else None


def _later(ride: Ride, delays: Floats) -> Any:
    """By how much more each door is late."""
    return np.maximum(ride.doors_in + delays - np.maximum(ride.promised_in, ride.doors_in), 0.0)
