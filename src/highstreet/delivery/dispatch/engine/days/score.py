"""Score a log of events on an instance from the log alone: every rule replayed, every travel time computed anew."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .instances import Instance
from .simulate import Event

EPS = 1e-9
# The peak: the four half hours in which most is ordered.
PEAK_MINUTES, PEAKS = 30, 4
ORDER = ("arrive", "assign", "pickup", "dropoff", "move")


@dataclass
class Score:
    """One day's figures; minutes, and shares in percent. `spread`: the standard deviation of pay an hour over
    its mean. `violations` are sentences."""

    name: str
    violations: list[str] = field(default_factory=list)
    orders: int = 0
    delivered: int = 0
    undelivered: float = 0.0
    click: float = float("nan")
    click90: float = float("nan")
    pickup: float = float("nan")
    pickup90: float = float("nan")
    over: float = float("nan")
    in_target: float = 0.0
    in_target_at_peak: float = 0.0
    cost: float = float("nan")
    bundle: float = float("nan")
    utilisation: float = 0.0
    spread: float = 0.0
    bound: float = 0.0


# A store and what is picked up there.
_Visit = tuple[str, tuple[str, ...]]


@dataclass
class _Ride:
    """A bundle as it was assigned: its pick-ups and its doors, each in the sequence of the ride."""

    visits: list[_Visit]
    doors: tuple[str, ...]


@dataclass
class _Courier:
    """Where a courier is and what is in hand while the log is replayed."""

    place: str
    free: float
    arrived: float
    pace: float = 1.0
    going: tuple[str, float] | None = None
    assigned: list[_Ride] = field(default_factory=list)
    # Of the ride that has begun: pick-ups and doors to come.
    left: list[_Visit] = field(default_factory=list)
    bag: list[str] = field(default_factory=list)
    ridden: float = 0.0
    picked: int = 0
    dropped: int = 0


class _Replay:
    def __init__(self, instance: Instance) -> None:
        self.it = instance
        self.points: dict[str, tuple[float, float]] = {}
        for names, points in (
            (instance.orders, instance.door),
            (instance.stores, instance.shop),
            (instance.couriers, instance.home),
        ):
            self.points.update(zip(names, map(tuple, points.tolist()), strict=True))
        self.order = {name: number for number, name in enumerate(instance.orders)}
        self.is_store = set(instance.stores)
        self.wrong: list[str] = []
        self.given: set[str] = set()
        self.pick: dict[str, float] = {}
        self.door: dict[str, float] = {}
        self.bundles: list[int] = []

    def ride(self, here: str, there: str, pace: float = 1.0) -> float:
        (x, y), (to_x, to_y) = self.points[here], self.points[there]
        minutes = pace * np.hypot(x - to_x, y - to_y) / self.it.rules.speed
        return 0.0 if here == there else float(np.ceil(minutes - 1e-9))

    def check(self, holds: bool, says: str) -> bool:
        if not holds:
            self.wrong.append(says)
        return holds

    def courier(self, number: int, events: list[Event]) -> _Courier:
        """Replay one courier's events in time's order; at one time, arriving comes first and leaving last."""
        name = self.it.couriers[number]
        on = float(self.it.on[number])
        state = _Courier(name, on, on, 1.0 if self.it.pace is None else float(self.it.pace[number]))
        at_once = {
            (event[0], event[3].partition(">")[2])
            for event in events
            if event[2] == "move" and event[3].partition(">")[2] in self.points and self._nothing(event[3])
        }

        def rank(event: Event) -> tuple[float, int]:
            if event[2] == "arrive" and (event[0], event[3]) in at_once:
                return event[0], len(ORDER)
            return event[0], ORDER.index(event[2]) if event[2] in ORDER else len(ORDER) + 1

        for event in sorted(events, key=rank):
            step = getattr(self, f"_{event[2]}", None) if event[2] in ORDER else None
            if self.check(step is not None, f"{name}@{event[0]}: {event[2]} is no event") and step:
                step(state, f"{name}@{event[0]}", float(self.it.off[number]), event)
        self.check(not state.bag, f"{name}: {state.bag} never brought")
        self.check(not state.assigned and not state.left, f"{name}: {state.assigned} {state.left} never picked up")
        return state

    def _nothing(self, way: str) -> bool:
        here, _, there = way.partition(">")
        return here in self.points and self.ride(here, there) == 0

    def _assign(self, state: _Courier, who: str, off: float, event: Event) -> None:
        at, _, _, place, names = event
        if not self.check(bool(names), f"{who}: nothing is assigned"):
            return
        self.check(len(set(names)) == len(names), f"{who}: an order twice in one bundle")
        self.check(at <= off + EPS, f"{who}: assigned after the shift's end {off}")
        stores = place.split(">")
        self.check(len(stores) <= self.it.rules.stores, f"{who}: {len(stores)} stores in one bundle")
        self.check(len(set(stores)) == len(stores), f"{who}: a store twice in one bundle")
        of: dict[str, list[str]] = {store: [] for store in stores}
        for name in names:
            if not self.check(name in self.order, f"{who}: no order {name}"):
                continue
            self.check(name not in self.given, f"{who}: {name} was assigned before")
            self.given.add(name)
            number = self.order[name]
            self.check(at >= self.it.placed[number] - EPS, f"{who}: {name} did not exist yet")
            store = self.it.stores[self.it.store[number]]
            if self.check(store in of, f"{who}: {name} is not of {place}"):
                of[store].append(name)
        self.check(all(of.values()), f"{who}: nothing to pick up at one of {place}")
        state.assigned.append(_Ride([(store, tuple(mine)) for store, mine in of.items()], names))

    def _move(self, state: _Courier, who: str, off: float, event: Event) -> None:
        at, _, _, way, _ = event
        here, _, there = way.partition(">")
        if not self.check(here in self.points and there in self.points, f"{who}: no way {way}"):
            return
        self.check(state.going is None, f"{who}: leaves while under way")
        self.check(here == state.place, f"{who}: leaves {here}, is at {state.place}")
        self.check(at >= state.free - EPS, f"{who}: leaves before {state.free}")
        wanted = state.left[0][0] if state.left else ""
        self.check(
            not state.bag or there not in self.is_store or there == wanted, f"{who}: to a store with goods in hand"
        )
        minutes = self.ride(here, there, state.pace)
        state.ridden += minutes
        state.going = there, at + minutes

    def _arrive(self, state: _Courier, who: str, off: float, event: Event) -> None:
        at, _, _, place, _ = event
        if state.going is None:
            self.check(False, f"{who}: arrives without having left")
            return
        there, earliest = state.going
        self.check(place == there, f"{who}: arrives at {place}, went to {there}")
        self.check(at >= earliest - EPS, f"{who}: arrives before {earliest}")
        state.place, state.arrived, state.free, state.going = there, at, at, None

    def _pickup(self, state: _Courier, who: str, off: float, event: Event) -> None:
        at, _, _, place, names = event
        if not self.check(state.going is None and state.place == place, f"{who}: picks up at {place}, is elsewhere"):
            return
        half = self.it.rules.pickup / 2
        self.check(at >= state.arrived + half - EPS, f"{who}: picks up before {state.arrived + half}")
        self.check(at <= off + EPS, f"{who}: picks up after the shift's end {off}")
        if not state.left and not self._begins(state, who, names):
            return
        store, wanted = state.left.pop(0)
        self.check(store == place, f"{who}: next is {store}")
        self.check(not names or sorted(wanted) == sorted(names), f"{who}: {names} were not assigned")
        for name in wanted:
            ready = self.it.ready[self.order[name]]
            self.check(at >= ready - EPS, f"{who}: {name} is ready at {ready}")
            self.pick[name] = at
        state.picked += 1
        state.free = at + half

    def _begins(self, state: _Courier, who: str, names: tuple[str, ...]) -> bool:
        """Whether a ride was assigned whose first pick-up is this one. Its goods count as in hand from here on."""
        self.check(not state.bag, f"{who}: picks up with goods in hand")
        rides = (ride for ride in state.assigned if not names or sorted(ride.visits[0][1]) == sorted(names))
        found = next(rides, None)
        if not self.check(found is not None, f"{who}: {names} were not assigned") or found is None:
            return False
        state.assigned.remove(found)
        state.left, doors = list(found.visits), [name for name in found.doors if name in self.order]
        state.bag += doors
        self.bundles.append(len(doors))
        return True

    def _dropoff(self, state: _Courier, who: str, off: float, event: Event) -> None:
        at, _, _, place, names = event
        name = names[0] if names else place
        if not self.check(state.going is None and state.place == name, f"{who}: not at the door of {name}"):
            return
        if not self.check(name in state.bag, f"{who}: {name} is not in hand"):
            return
        half = self.it.rules.dropoff / 2
        self.check(not state.left, f"{who}: {name} before {state.left}")
        self.check(state.bag[0] == name, f"{who}: {name} before {state.bag[0]}")
        self.check(at >= state.arrived + half - EPS, f"{who}: hands over before {state.arrived + half}")
        state.bag.remove(name)
        self.door[name] = at
        state.dropped += 1
        state.free = state.arrived = at + half


def score(instance: Instance, log: list[Event]) -> Score:
    """Replay the log and count."""
    replay, rules = _Replay(instance), instance.rules
    events: dict[str, list[Event]] = defaultdict(list)
    for event in log:
        events[event[1]].append(event)
    for name in sorted(events.keys() - set(instance.couriers)):
        replay.wrong.append(f"{name} is no courier")
    states = [replay.courier(number, events[name]) for number, name in enumerate(instance.couriers)]
    made = Score(instance.name, replay.wrong, len(instance.orders), len(replay.door))
    made.undelivered = 100.0 * (made.orders - made.delivered) / max(made.orders, 1)
    drop = [
        replay.ride(instance.stores[store], name) for name, store in zip(instance.orders, instance.store, strict=True)
    ]
    bound = instance.ready - instance.placed + rules.pickup / 2 + np.array(drop) + rules.dropoff / 2
    made.bound = float(bound.mean()) if len(bound) else float("nan")
    _times(made, replay)
    hours = (instance.off - instance.on) / 60.0
    pay = np.maximum(rules.per_order * np.array([state.dropped for state in states]), rules.per_hour * hours)
    busy = [s.ridden + rules.pickup * s.picked + rules.dropoff * s.dropped for s in states]
    made.utilisation = float(np.mean([b / (60 * h) if h > 0 else 0.0 for b, h in zip(busy, hours, strict=True)]))
    if made.delivered:
        made.cost = float(pay.sum()) / made.delivered
        rate = pay[hours > 0] / hours[hours > 0]
        made.spread = float(rate.std() / rate.mean())
    return made


def _times(made: Score, replay: _Replay) -> None:
    if not replay.door:
        return
    it = replay.it
    rows = np.array([replay.order[name] for name in replay.door])
    click = np.array(list(replay.door.values())) - it.placed[rows]
    picked = [(replay.pick[name], replay.order[name]) for name in replay.door if name in replay.pick]
    stood = np.array([at - it.ready[row] for at, row in picked])
    made.click, made.click90 = float(click.mean()), float(np.percentile(click, 90))
    made.pickup, made.pickup90 = float(stood.mean()), float(np.percentile(stood, 90))
    made.over = float(np.maximum(0.0, click - it.rules.target).mean())
    made.in_target = 100.0 * float((click <= it.rules.target).sum()) / max(made.orders, 1)
    made.bundle = float(np.mean(replay.bundles))
    bins = it.placed // PEAK_MINUTES
    busiest = np.argsort(-np.bincount(bins), kind="stable")[:PEAKS]
    kept = np.isin(np.arange(len(bins)), rows[click <= it.rules.target])
    made.in_target_at_peak = 100.0 * float(kept[np.isin(bins, busiest)].mean())


def write_log(path: Path, log: list[Event]) -> None:
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["time", "courier", "event", "place", "orders"])
        out.writerows([f"{at:g}", courier, event, place, ";".join(names)] for at, courier, event, place, names in log)


def read_log(path: Path) -> list[Event]:
    with path.open(newline="") as file:
        return [
            (
                float(row["time"]),
                row["courier"],
                row["event"],
                row["place"],
                tuple(filter(None, row["orders"].split(";"))),
            )
            for row in csv.DictReader(file)
        ]
