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
# Of so many stores a ride may collect where couriers work for us.
STORES = 2


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
class Ride:
    """What a courier is still to fetch at one store, and may take more along with.

    leave_in: seconds until the store is left; doors_in, promised_in [W]: until each of its doors, as `Job.arrive_in`,
    and its promise; near [W, N]: between its doors and those of all that waits.
    """

    courier: int
    store: int
    leave_in: float
    doors_in: Floats
    promised_in: Floats
    near: Floats


@dataclass(frozen=True, eq=False)
class Problem:
    """K couriers, S stores, N orders.

    free_in [K]: until the courier has nothing to do; room [K]: packages still taken on; to_store [K, S] from where the
    courier will then be; store [N]: index; ready_in, promised_in [N]; drop [N]: store to door; between [N, N]: door to
    door; barred [N, K]: true where this courier let this order lapse.

    Optional, empty where unknown: pace [K]: by how much longer than these times a courier's vehicle takes from a store
    to the doors (to_store is each one's own); unsure [N]: how far off ready_in may be (a standard deviation);
    off_in [K]: no pick-up later than this; spare [K]: orders by which a courier is behind what the guaranteed pay of
    the shift so far covers; apart [S, S]: store to store; demand [S]: how much is ordered there, in any unit;
    tied [N]: the courier whom an order must go to, or -1; bound [K]: the one store a courier is on the way to, or -1.
    may_move: couriers may be sent to a store before they have an order; they are told there what to take.
    rides: what couriers are to fetch next, where more may ride along.
    stores: of so many a
    bundle may be; with more than one, `apart` and to_door [S, N], each store to each door, are known.
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
    pace: Floats = field(default_factory=_none)
    unsure: Floats = field(default_factory=_none)
    off_in: Floats = field(default_factory=_none)
    spare: Floats = field(default_factory=_none)
    demand: Floats = field(default_factory=_none)
    apart: Floats = field(default_factory=_square)
    tied: Ints = field(default_factory=_nobody)
    bound: Ints = field(default_factory=_nobody)
    to_door: Floats = field(default_factory=_square)
    stores: int = 1
    may_move: bool = False
    rides: tuple[Ride, ...] = ()

    @property
    def until_off(self) -> Floats:
        """off_in, or for ever."""
        return self.off_in if len(self.off_in) else np.full(len(self.free_in), np.inf)

    def pace_of(self, courier: int) -> float:
        """The courier's pace, or that of all."""
        return float(self.pace[courier]) if len(self.pace) else 1.0


@dataclass(frozen=True)
class Job:
    """One courier, stores in the sequence of the pick-ups, orders in that of their doors, and when each is reached.

    `pick_up_in`: until the first store is left. `place`: one order rides along with what the courier is to fetch there,
    before that of its doors (as many as there are: after them all); None is a ride of its own.
    """

    courier: int
    stores: tuple[int, ...]
    orders: tuple[int, ...]
    cost: float
    pick_up_in: float
    arrive_in: tuple[float, ...]
    alternatives: tuple[tuple[int, float], ...] = ()
    place: int | None = None


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
    """Orders that one courier brings: first all pick-ups, `stores` in this sequence, then the doors, `orders` in this.

    Timed as if all were the first store's: `ready_in` is when its goods are in hand early enough, because a later
    store's are not ready before; `after` is from leaving it then to each door; `lag` from the first pick-up to the
    last.
    """

    stores: tuple[int, ...]
    orders: tuple[int, ...]
    after: tuple[float, ...]
    ready_in: float
    lag: float = 0.0

    @property
    def store(self) -> int:
        """Where it begins."""
        return self.stores[0]


def single(problem: Problem, order: int) -> Bundle:
    return Bundle((int(problem.store[order]),), (order,), (float(problem.drop[order]),), float(problem.ready_in[order]))


def bundled(problem: Problem, orders: tuple[int, ...], stores: tuple[int, ...] = ()) -> Bundle:
    """These orders in this sequence, collected at `stores` in that; without, all are of one store."""
    stores = stores or (int(problem.store[orders[0]]),)
    ready, first, lag = problem.ready_in[list(orders)], problem.drop[orders[0]], 0.0
    if len(stores) > 1:
        begun = shifts(problem, stores)
        ready = ready - [begun[stores.index(int(problem.store[order]))] for order in orders]
        first, lag = problem.to_door[stores[-1], orders[0]], begun[-1]
    stop = problem.service.before_drop + problem.service.after_drop
    made = [lag + float(first)]
    for here, there in pairwise(orders):
        made.append(made[-1] + stop + float(problem.between[here, there]))
    return Bundle(stores, orders, tuple(made), float(ready.max()), lag)


def shifts(problem: Problem, stores: tuple[int, ...]) -> list[float]:
    """Seconds from the first pick-up to each, nowhere waiting."""
    service, made = problem.service, [0.0]
    for here, there in pairwise(stores):
        made.append(made[-1] + service.after_pickup + float(problem.apart[here, there]) + service.before_pickup)
    return made


def job(
    problem: Problem, group: Bundle, courier: int, cost: float = 0.0, others: tuple[tuple[int, float], ...] = ()
) -> Job:
    """The group given to the courier, timed."""
    arrive = max(float(problem.free_in[courier]), 0.0) + float(problem.to_store[courier, group.store])
    leave = max(arrive + problem.service.before_pickup, group.ready_in) + problem.service.after_pickup
    pace = problem.pace_of(courier)
    doors = tuple(leave + pace * seconds + problem.service.before_drop for seconds in group.after)
    return Job(courier, group.stores, group.orders, cost, leave, doors, others)


@dataclass(frozen=True)
class Visit:
    """A store on a courier's way: seconds until there, until the goods are in hand, until it is left."""

    arrive: float
    in_hand: float
    leave: float


def visits(problem: Problem, given: Job, courier: int) -> list[Visit]:
    """The job's pick-ups, one after the other, if this courier did it."""
    service, made = problem.service, list[Visit]()
    arrive = max(float(problem.free_in[courier]), 0.0) + float(problem.to_store[courier, given.stores[0]])
    for number, store in enumerate(given.stores):
        if number:
            arrive = made[-1].leave + problem.pace_of(courier) * float(problem.apart[given.stores[number - 1], store])
        ready = max(float(problem.ready_in[order]) for order in given.orders if problem.store[order] == store)
        in_hand = max(arrive + service.before_pickup, ready)
        made.append(Visit(arrive, in_hand, in_hand + service.after_pickup))
    return made
