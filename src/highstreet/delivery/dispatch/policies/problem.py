"""What a policy sees and what it answers. Times are seconds from now (negative: already past); no clock, no database.

Infinity in a time to a store means "may not". Orders and couriers must come in a fixed order (by id) for ties to fall
the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
FAR = 1e9


@dataclass(frozen=True)
class Weights:
    """What a second costs, and the limits of choice: the one place where the platform's aims are weighed.

    A promise broken costs most, then food standing ready, then the way to the door, then the courier's own time.
    """

    late: float = 8.0
    stands_ready: float = 1.0
    to_door: float = 0.3
    courier_waits: float = 0.15
    courier_rides: float = 0.25
    may_wait: float = 180.0
    free_soon: float = 300.0
    patience: float = 600.0
    bundle_most: int = 2
    bundle_ready_apart: float = 240.0
    bundle_detour: float = 210.0


@dataclass(frozen=True)
class Service:
    """Seconds between arriving and having the goods, having them and leaving, arriving and handing over, and leaving."""

    before_pickup: float = 0.0
    after_pickup: float = 60.0
    before_drop: float = 0.0
    after_drop: float = 90.0


def _none() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class Problem:
    """K couriers, S stores, N orders.

    free_in [K]: until the courier has nothing to do; room [K]: packages still taken on; to_store [K, S] from where the
    courier will then be; store [N]: index; ready_in, promised_in [N]; drop [N]: store to door; between [N, N]: door to
    door; barred [N, K]: true where this courier let this order lapse.

    Optional, empty where unknown: off_in [K]: no pick-up later than this; spare [K]: orders that the courier's
    guaranteed pay still covers; back [N, S]: door to store; demand [S]: orders an hour expected at each store;
    tied [N]: the courier whom an order must go to, or -1; bound [K]: the one store a courier is on the way to, or -1;
    may_move: idle couriers may be sent to a store without an order.
    """

    free_in: Floats
    room: Ints
    to_store: Floats
    store: Ints
    ready_in: Floats
    promised_in: Floats
    drop: Floats
    between: Floats
    barred: Bools
    service: Service = field(default_factory=Service)
    unsure: Floats = field(default_factory=_none)
    off_in: Floats = field(default_factory=_none)
    spare: Floats = field(default_factory=_none)
    back: Floats = field(default_factory=_none)
    demand: Floats = field(default_factory=_none)
    apart: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    tied: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    bound: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    may_move: bool = False


@dataclass(frozen=True)
class Job:
    """One courier, one store, orders in the sequence of their doors, and when each door is reached."""

    courier: int
    orders: tuple[int, ...]
    cost: float
    pick_up_in: float
    arrive_in: tuple[float, ...]
    alternatives: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Move:
    """A courier goes to a store now; `orders` are kept for this courier, who may still be given more of that store."""

    courier: int
    store: int
    orders: tuple[int, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What to assign now, and who moves without an order yet; everything else waits for the next epoch."""

    jobs: tuple[Job, ...] = ()
    moves: tuple[Move, ...] = ()


class Policy(Protocol):
    """A way of deciding, by name."""

    @property
    def name(self) -> str: ...

    def assign(self, problem: Problem) -> Plan: ...


@dataclass(frozen=True)
class Bundle:
    """Orders of one store that one courier brings in this sequence; `after` is from leaving the store to each door."""

    store: int
    orders: tuple[int, ...]
    after: tuple[float, ...]
    ready_in: float


def single(problem: Problem, order: int) -> Bundle:
    return Bundle(int(problem.store[order]), (order,), (float(problem.drop[order]),), float(problem.ready_in[order]))


def bundled(problem: Problem, orders: tuple[int, ...]) -> Bundle:
    """These orders in this sequence."""
    ready = max(float(problem.ready_in[order]) for order in orders)
    return Bundle(int(problem.store[orders[0]]), orders, after(problem, orders), ready)


def after(problem: Problem, orders: tuple[int, ...]) -> tuple[float, ...]:
    """Seconds from leaving the store to reaching each door, in sequence."""
    stop = problem.service.before_drop + problem.service.after_drop
    made = [float(problem.drop[orders[0]])]
    for here, there in pairwise(orders):
        made.append(made[-1] + stop + float(problem.between[here, there]))
    return tuple(made)


def job(
    problem: Problem, group: Bundle, courier: int, cost: float = 0.0, others: tuple[tuple[int, float], ...] = ()
) -> Job:
    """The group given to the courier, timed."""
    arrive = max(float(problem.free_in[courier]), 0.0) + float(problem.to_store[courier, group.store])
    leave = max(arrive + problem.service.before_pickup, group.ready_in) + problem.service.after_pickup
    doors = tuple(leave + seconds + problem.service.before_drop for seconds in group.after)
    return Job(courier, group.orders, cost, leave, doors, others)
