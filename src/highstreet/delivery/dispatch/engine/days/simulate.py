"""A day under a policy, minute by minute. The policy sees only what is known by then; the log is all that is kept.

A courier accepts (but for the refusals of a generated day), waits where the last job ended, and is not diverted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import erfc, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import zoning
from ..problem import Plan, Policy, Problem, Ride, Service
from .instances import Floats, Instance, Ints, minutes

Event = tuple[int | float, str, str, str, tuple[str, ...]]
SOON = 30
BARRED = 10
NEVER = 10**6
# By what is known of ready times: how far off they are (a standard deviation in minutes), and of what is overdue by
# which share of that. Chosen on made-up days and on seeds 0 and 1 of MDRPLib's.
SPREADS = {"told": (8.0, 0.6), "mean": (5.5, 1.0)}
# Minutes for which orders tell of what comes.
MEMORY = 120.0


@dataclass(frozen=True)
class Settings:
    """What is known of ready times before goods are ready: told (what the file says), mean (only that shop's mean);
    whether couriers may be sent to a store before they have an order; how many zones are decided for themselves;
    whether orders may ride along with what a courier is still to fetch at their store."""

    ready: str = "told"
    may_move: bool = True
    zones: int = 1
    along: bool = False


@dataclass
class Result:
    """The log, and the CPU seconds of every decision (an epoch's, or where there are zones one zone's)."""

    log: list[Event] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Fetching:
    """A ride that has not left its first store: what is fetched where, in which sequence it is brought, and since when
    its courier could have had the goods. `log` is what becomes of it unless more rides along."""

    stores: list[int]
    chosen: list[int]
    there: float
    doors: list[float]
    log: list[Event]


class Day:
    """The state of one simulated day. Places are couriers' homes, then stores, then doors."""

    def __init__(self, instance: Instance, settings: Settings) -> None:
        self.it, self.settings = instance, settings
        self.couriers, self.stores = len(instance.couriers), len(instance.stores)
        places = np.vstack([instance.home, instance.shop, instance.door])
        self.names = [*instance.couriers, *instance.stores, *instance.orders]
        self.to_store = minutes(places, instance.shop, instance.rules.speed)
        first = self.couriers + self.stores
        self.drop = self.to_store[np.arange(first, len(places)), instance.store]
        self.pace = np.ones(self.couriers) if instance.pace is None else instance.pace
        self.place = np.arange(self.couriers)
        self.arrived = instance.on.astype(float)
        self.free = instance.on.astype(float)
        self.expected_pick = np.full(self.couriers, -1.0)
        self.true_pick = np.full(self.couriers, -1.0)
        self.rest = np.zeros(self.couriers)
        self.done = np.zeros(self.couriers, np.int64)
        self.bound = np.full(self.couriers, -1)
        self.tied = np.full(len(instance.orders), -1)
        self.fetching: dict[int, Fetching] = {}
        self.refused = np.zeros(len(instance.orders), np.int64)
        self.barred_until: dict[tuple[int, int], int] = {}
        self.open: list[int] = []
        self.expected = _expected(instance, settings.ready)
        self.exact = bool((self.expected == instance.ready).all())
        self.spread, self.overdue = SPREADS[settings.ready]
        self.rate = np.full(self.stores, 0.1)
        self.apart = minutes(instance.shop, instance.shop, instance.rules.speed)
        ordered = np.bincount(instance.store, minlength=self.stores).astype(float)
        self.zone = zoning.split(instance.shop, ordered, settings.zones)
        self.result = Result()

    def run(self, policy: Policy) -> Result:
        """Every epoch from the first order to the last shift's end."""
        it = self.it
        arrivals = np.lexsort((np.arange(len(it.orders)), it.placed)).tolist()
        now, last = int(it.placed.min(initial=NEVER)), int(it.off.max(initial=0))
        step = max(1, round(policy.every / 60.0))
        while now <= last and (arrivals or self.open):
            while arrivals and it.placed[arrivals[0]] <= now:
                self.rate[it.store[arrivals[0]]] += 1.0
                self.open.append(arrivals.pop(0))
            columns = np.flatnonzero((it.on <= now + SOON) & (it.off >= now))
            if (self.open or self.settings.may_move) and len(columns):
                for mine, orders, stores in self._parts(now, columns):
                    problem = self.problem(now, mine, orders, stores)
                    started = time.process_time()
                    plan = policy.assign(problem)
                    self.result.cpu.append(time.process_time() - started)
                    self.follow(now, mine, orders.tolist(), stores, plan)
            now += step
            self.rate *= (1.0 - 1.0 / MEMORY) ** step
        for courier in list(self.fetching):
            self._left(courier)
        return self.result

    def _parts(self, now: int, columns: Ints) -> list[tuple[Ints, Ints, Ints]]:
        """Couriers, orders and stores of each zone that has some of each. Who is bound to a store stays with it."""
        orders, count = np.array(self.open, np.int64), int(self.zone.max(initial=0)) + 1
        if count == 1:
            return [(columns, orders, np.arange(self.stores))]
        by_zone = np.argsort(self.zone, kind="stable")
        first = np.searchsorted(self.zone[by_zone], np.arange(count))
        reach = self._to_stores(columns, by_zone)
        near = np.minimum.reduceat(reach, first, axis=1) + np.maximum(self.known_free(now, columns) - now, 0.0)[:, None]
        need = np.bincount(self.zone[self.it.store[orders]], minlength=count).astype(float)
        working = zoning.couriers(_seconds(near), need)
        held = self.bound[columns] >= 0
        working[held] = self.zone[self.bound[columns[held]]]
        parts = [
            (
                columns[working == zone],
                orders[self.zone[self.it.store[orders]] == zone],
                np.flatnonzero(self.zone == zone),
            )
            for zone in range(count)
        ]
        return [part for part in parts if len(part[0]) and (len(part[1]) or self.settings.may_move)]

    def _to_stores(self, columns: Ints, stores: Ints) -> Floats:
        """Whole minutes of each of these couriers from where they will be to each of the stores."""
        return self._ridden(self.to_store[np.ix_(self.place[columns], stores)], self.pace[columns][:, None])

    @staticmethod
    def _ridden(usual: Any, pace: Any) -> Floats:
        """Whole minutes at a courier's pace for what takes so many as is usual."""
        return np.asarray(np.ceil(usual * pace - 1e-9))

    def known_free(self, now: int, columns: Ints) -> Floats:
        """When each will be free as far as anybody knows: who waits at a store waits as long as was expected."""
        waiting = now < self.true_pick[columns]
        hoped = np.maximum(self.expected_pick[columns], now) + self.rest[columns]
        return np.where(waiting, hoped, self.free[columns])

    def problem(self, now: int, columns: Ints, orders: Ints, stores: Ints) -> Problem:
        """Indices are those of `columns`, `orders` and `stores`."""
        it, rules = self.it, self.it.rules
        door = it.door[orders]
        local = np.full(self.stores + 1, -1)
        local[stores] = np.arange(len(stores))
        index = np.full(self.couriers, -1)
        index[columns] = np.arange(len(columns))
        tied = self.tied[orders]
        worked = (now - it.on[columns]) / 60.0
        return Problem(
            free_in=_seconds(np.maximum(self.known_free(now, columns) - now, 0.0)),
            room=np.full(len(columns), 99),
            to_store=_seconds(self._to_stores(columns, stores)),
            store=local[it.store[orders]],
            ready_in=_seconds(self._ready(orders, now) - now),
            promised_in=_seconds(it.promised[orders] - now),
            drop=_seconds(self.drop[orders]),
            between=_seconds(minutes(door, door, rules.speed)),
            barred=self._barred(now, orders, index, len(columns)),
            service=Service(30.0 * rules.pickup, 30.0 * rules.pickup, 30.0 * rules.dropoff, 30.0 * rules.dropoff),
            pace=np.zeros(0) if it.pace is None else self.pace[columns],
            unsure=self._unsure(orders, now),
            off_in=_seconds(it.off[columns] - now),
            spare=rules.per_hour * worked / rules.per_order - self.done[columns] if rules.per_hour else np.zeros(0),
            demand=self.rate[stores],
            apart=_seconds(self.apart[np.ix_(stores, stores)]),
            to_door=_seconds(minutes(it.shop[stores], door, rules.speed)) if rules.stores > 1 else np.zeros((0, 0)),
            stores=rules.stores,
            tied=np.where(tied >= 0, index[tied], -1),
            bound=local[self.bound[columns]],
            may_move=self.settings.may_move,
            rides=tuple(self._rides(now, index, orders, local)) if self.settings.along else (),
        )

    def _rides(self, now: int, index: Ints, orders: Ints, local: Ints) -> Iterator[Ride]:
        """What has not left its only store, of these couriers and stores; its doors as they are expected."""
        half = self.it.rules.pickup / 2
        for courier, ride in self.fetching.items():
            store = ride.stores[0]
            if now >= self.true_pick[courier] or len(ride.stores) > 1 or index[courier] < 0 or local[store] < 0:
                continue
            leave = max(self.expected_pick[courier], now) + half
            moved = leave - (self.true_pick[courier] + half)
            door = self.it.door[ride.chosen]
            yield Ride(
                courier=int(index[courier]),
                store=int(local[store]),
                leave_in=60.0 * float(leave - now),
                doors_in=_seconds(np.array(ride.doors) + moved - now),
                promised_in=_seconds(self.it.promised[ride.chosen] - now),
                near=_seconds(minutes(door, self.it.door[orders], self.it.rules.speed)),
            )

    def _ready(self, orders: Ints, now: int) -> Floats:
        """When orders are thought to be ready: what is ready is known to be; what should be takes a while yet."""
        if self.exact:
            return self.expected[orders]
        z = np.clip((now - self.expected[orders]) / self.spread, -8.0, 4.0)
        density, above = np.exp(-z * z / 2) / np.sqrt(2 * np.pi), np.array([0.5 * erfc(one / sqrt(2)) for one in z])
        later = self.expected[orders] + self.spread * density / above
        return np.where(self.it.ready[orders] <= now, self.it.ready[orders], np.ceil(np.maximum(later, now + 1)))

    def _unsure(self, orders: Ints, now: int) -> Floats:
        """Seconds (a standard deviation)."""
        if self.exact:
            return np.zeros(0)
        spread = 60.0 * self.spread * np.where(self.expected[orders] > now, 1.0, self.overdue)
        return np.where(self.it.ready[orders] <= now, 0.0, spread)

    def _barred(self, now: int, orders: Ints, index: Ints, width: int) -> np.ndarray:
        barred = np.zeros((len(orders), width), bool)
        if self.barred_until:
            row = {order: number for number, order in enumerate(orders.tolist())}
            for (order, courier), until in self.barred_until.items():
                if until > now and order in row and index[courier] >= 0:
                    barred[row[order], index[courier]] = True
            barred[barred.all(axis=1)] = False
        return barred

    def follow(self, now: int, columns: Ints, orders: list[int], stores: Ints, plan: Plan) -> None:
        for move in plan.moves:
            self._move(now, int(columns[move.courier]), int(stores[move.store]), [orders[one] for one in move.orders])
        for job in plan.jobs:
            courier = int(columns[job.courier])
            chosen = [orders[order] for order in job.orders]
            refusing = [order for order in chosen if self.refused[order] < self.it.refusals[order]]
            if refusing:
                self.refused[refusing] += 1
                self.barred_until |= {(order, courier): now + BARRED for order in refusing}
            elif job.place is not None:
                self._take_along(now, courier, chosen[0], job.place)
            else:
                self._carry(now, courier, [int(stores[store]) for store in job.stores], chosen)

    def _go(self, now: int, courier: int, place: int, minutes_there: int) -> None:
        if self.place[courier] == place:
            return
        leave = max(now, self.free[courier])
        here, there = self.names[self.place[courier]], self.names[place]
        name = self.it.couriers[courier]
        self.result.log += [
            (leave, name, "move", f"{here}>{there}", ()),
            (leave + minutes_there, name, "arrive", there, ()),
        ]
        self.place[courier] = place
        self.arrived[courier] = self.free[courier] = leave + minutes_there

    def _minutes(self, courier: int, store: int) -> int:
        return int(self._ridden(self.to_store[self.place[courier], store], self.pace[courier]))

    def _move(self, now: int, courier: int, store: int, orders: list[int]) -> None:
        self._go(now, courier, self.couriers + store, self._minutes(courier, store))
        if orders:
            self.bound[courier] = store
            self.tied[orders] = courier

    def _carry(self, now: int, courier: int, stores: list[int], chosen: list[int]) -> None:
        """All pick-ups, `stores` in this sequence, then the doors, `chosen` in this."""
        it, log = self.it, self.result.log
        self._left(courier)
        before = self.place[courier], self.free[courier], self.arrived[courier], len(log)
        self._go(now, courier, self.couriers + stores[0], self._minutes(courier, stores[0]))
        there = max(self.arrived[courier] + it.rules.pickup / 2, self.free[courier], now)
        self.tied[chosen] = -1
        self.bound[courier] = -1
        if self._ridden_out(now, courier, stores, chosen, there):
            self.done[courier] += len(chosen)
            for order in chosen:
                self.open.remove(order)
        # The goods come too late for this courier: the store keeps them for somebody else.
        elif there > it.off[courier]:
            self.place[courier], self.free[courier], self.arrived[courier] = before[:3]
            del log[before[3] :]
        else:
            self.free[courier] = it.off[courier]

    def _take_along(self, now: int, courier: int, order: int, place: int) -> None:
        """One order more with what this courier is still to fetch, before that of its doors."""
        ride = self.fetching[courier]
        chosen = [*ride.chosen[:place], order, *ride.chosen[place:]]
        if self._ridden_out(now, courier, ride.stores, chosen, max(ride.there, now)):
            self.done[courier] += 1
            self.open.remove(order)

    def _left(self, courier: int) -> None:
        """What was fetched last is past changing."""
        ride = self.fetching.pop(courier, None)
        if ride is not None:
            self.result.log += ride.log

    def _ridden_out(self, now: int, courier: int, stores: list[int], chosen: list[int], there: float) -> bool:
        """The ride from when the goods could be had; False, and nothing done, where that is after the shift."""
        it, rules, log = self.it, self.it.rules, list[Event]()
        name, way = it.couriers[courier], ">".join(it.stores[store] for store in stores)
        visits = [[order for order in chosen if it.store[order] == store] for store in stores]
        picks = self._picks(there, courier, stores, visits, it.ready)
        if picks[-1] > it.off[courier]:
            return False
        log.append((now, name, "assign", way, tuple(it.orders[order] for order in chosen)))
        here = self.couriers + stores[0]
        for number, (store, visit, pick) in enumerate(zip(stores, visits, picks, strict=True)):
            if number:
                self._ride(picks[number - 1] + rules.pickup / 2, courier, here, self.couriers + store, log)
                here = self.couriers + store
            log.append((pick, name, "pickup", it.stores[store], tuple(it.orders[order] for order in visit)))
        at, doors = picks[-1] + rules.pickup / 2, list[float]()
        for order in chosen:
            door = self.couriers + self.stores + order
            at = self._ride(at, courier, here, door, log) + rules.dropoff / 2
            log.append((at, name, "dropoff", self.names[door], (it.orders[order],)))
            doors.append(at)
            at, here = at + rules.dropoff / 2, door
        self.expected_pick[courier] = self._picks(there, courier, stores, visits, self.expected)[-1]
        self.true_pick[courier], self.rest[courier] = picks[-1], at - picks[-1]
        self.place[courier], self.free[courier], self.arrived[courier] = here, at, at
        self.fetching[courier] = Fetching(stores, chosen, there, doors, log)
        return True

    def _picks(
        self, there: float, courier: int, stores: list[int], visits: list[list[int]], ready: Floats | Ints
    ) -> list[float]:
        """When the goods of each store are in hand, of the first not before `there`."""
        made: list[float] = []
        for number, store in enumerate(stores):
            if made:
                way = self._ridden(self.apart[stores[number - 1], store], self.pace[courier])
                there = made[-1] + self.it.rules.pickup + float(way)
            made.append(max(there, float(ready[visits[number]].max())))
        return made

    def _ride(self, at: float, courier: int, here: int, there: int, log: list[Event]) -> float:
        """Log a ride; when it ends."""
        usual = minutes(self._point(here), self._point(there), self.it.rules.speed)[0, 0]
        name, arrive = self.it.couriers[courier], at + int(self._ridden(usual, self.pace[courier]))
        log += [
            (at, name, "move", f"{self.names[here]}>{self.names[there]}", ()),
            (arrive, name, "arrive", self.names[there], ()),
        ]
        return arrive

    def _point(self, place: int) -> Floats:
        it, stores = self.it, self.couriers + self.stores
        if place < self.couriers:
            return it.home[[place]]
        return it.shop[[place - self.couriers]] if place < stores else it.door[[place - stores]]


def _seconds(minutes_long: NDArray[Any]) -> Floats:
    return np.asarray(60.0 * minutes_long, np.float64)


def simulate(instance: Instance, policy: Policy, settings: Settings) -> Result:
    """The day's log under this policy. The same instance, policy and settings give the same log."""
    return Day(instance, settings).run(policy)


def _expected(instance: Instance, ready: str) -> Floats:
    """When each order is thought to be ready."""
    if ready == "told":
        return instance.expected.astype(float)
    took = (instance.ready - instance.placed).astype(float)
    count = np.bincount(instance.store, minlength=len(instance.stores))
    mean = np.bincount(instance.store, took, len(instance.stores)) / np.maximum(count, 1)
    return np.ceil(instance.placed + mean[instance.store])
