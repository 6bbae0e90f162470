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
class Service:
    """Seconds: arrived until in hand, in hand until leaving the store, arrived at a door until handed over, and on."""

    before_pickup: float = 0.0
    after_pickup: float = 60.0
    before_drop: float = 0.0
    after_drop: float = 90.0


def _none() -> Floats:
    return np.zeros(0)


def _square() -> Floats:
    return np.zeros((0, 0))


def _nobody() -> Ints:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class Problem:
    """K couriers, S stores, N orders.

    free_in [K]: until the courier has nothing to do; room [K]: packages still taken on; to_store [K, S] from where the
    courier will then be; store [N]: index; ready_in, promised_in [N]; drop [N]: store to door; between [N, N]: door to
    door; barred [N, K]: true where this courier let this order lapse.

    Optional, empty where unknown: unsure [N]: how far off ready_in may be (a standard deviation); off_in [K]: no
    pick-up later than this; spare [K]: orders by which a courier is behind what the guaranteed pay of the shift so far
    covers; apart [S, S]: store to store; demand [S]: how much is ordered there, in any unit; tied [N]: the
    courier whom an order must go to, or -1; bound [K]: the one store a courier is on the way to, or -1. may_move:
    couriers may be sent to a store before they have an order; they are told there what to take.
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
    demand: Floats = field(default_factory=_none)
    apart: Floats = field(default_factory=_square)
    tied: Ints = field(default_factory=_nobody)
    bound: Ints = field(default_factory=_nobody)
    may_move: bool = False

    @property
    def until_off(self) -> Floats:
        """off_in, or for ever."""
        return self.off_in if len(self.off_in) else np.full(len(self.free_in), np.inf)


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
    """What to assign now, and who moves without an order yet; everything else waits for the next epoch.

    `held`: orders whose courier would be told by now, were the goods not too far from ready.
    """

    jobs: tuple[Job, ...] = ()
    moves: tuple[Move, ...] = ()
    held: tuple[int, ...] = ()


class Policy(Protocol):
    """A way of deciding, by name."""

    @property
    def name(self) -> str: ...

    @property
    def every(self) -> float:
        """Seconds between epochs, as it is meant."""

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
