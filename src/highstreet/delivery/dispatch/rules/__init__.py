"""A courier's stops, when each is reached, what a delivery pays. Plain values; no clock, no database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

Point = tuple[float, float]

AT_STORE_SECONDS = 60.0
AT_DOOR_SECONDS = 90.0
# So much sooner than the goods may leave a courier may be at the store, and at a door whose window was chosen.
EARLY_SECONDS = 180.0
# Who has no courier yet: the ride to the store as the promise takes it, and a bicycle on the road.
TO_STORE_SECONDS = 300.0
BIKE_MPS = 17.0 / 3.6
TIGHT_SECONDS = 300.0
ACCEPT_SECONDS = 120.0
ACCEPT_WALL_SECONDS = 6.0
# Why staff decided by hand.
OVERRIDES = ("late", "stuck", "asked", "too_big", "together", "other")
BY_HAND = "by_hand"
NOT_PAID = "not_paid"
INCIDENTS = ("nobody_home", NOT_PAID, "damaged", "cannot_go_on")
# What a courier of whom nothing is heard had in the bag, in the end.
LOST = "lost"
# No position and no tap for so long: somebody else takes what is not picked up yet.
VANISHED_SECONDS = 600.0
VANISHED_WALL_SECONDS = 15.0
# A shift that nobody works is ended after an hour, when the last position is forgotten too; a phone in a pocket is not.
ABANDONED_SECONDS = 3600.0
# What is in the bag of somebody who has vanished is given up so long after the promise and the last sign of life.
GIVEN_UP_SECONDS = 2700.0
MOST_OVERDUE = timedelta(minutes=15)
# Whoever is to take one order more along hears of it so long before the goods are in hand.
TOLD_SECONDS = 60.0
# What is not picked up and would come too late is taken from its courier, where somebody idle is so much sooner.
RELIEF_SECONDS = 300.0
HELD_UP = "held_up"
_CARRIED = ("picked_up", "at_door")


@dataclass(frozen=True)
class Task:
    """One delivery of a courier, as far as its route needs it.

    `pick`: where its pick-up comes in the counting of `sequence`, if one ride collects at several stores; else right
    before its door. `at_door_at`: since when its courier stands at its door.
    """

    delivery_id: UUID
    status: str
    sequence: int
    store_id: UUID
    store: Point
    door: Point
    ready_at: datetime
    pick: int | None = None
    at_door_at: datetime | None = None

    @property
    def begins(self) -> int:
        return self.sequence if self.pick is None else min(self.pick, self.sequence)


@dataclass(frozen=True)
class Stop:
    """`kind` is dropoff, pickup or return; a pick-up is for all orders of that visit. `since`: the courier is there."""

    kind: str
    place: Point
    store_id: UUID
    deliveries: tuple[UUID, ...]
    not_before: datetime | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class Timed:
    """A stop with its arrival and when the courier leaves it."""

    stop: Stop
    arrive: datetime
    leave: datetime


def stops(tasks: Sequence[Task]) -> list[Stop]:
    """What is in the bag first, then what goes back, then each store's visit and its doors, by `sequence`.

    Where one ride collects at several stores, all of them come before its doors; what it has in the bag waits so long.
    A store is visited once: what was planned for a later visit goes right after the doors of that one.
    """
    ordered = sorted(tasks, key=lambda task: (task.sequence, task.delivery_id))
    waiting = [task for task in ordered if task.status not in (*_CARRIED, "failed")]
    carried = [task for task in ordered if task.status in _CARRIED]
    kept = [task for task in carried if task.status != "at_door" and any(_one_ride(task, one) for one in waiting)]
    made = [_door(task) for task in carried if task not in kept]
    made += [
        Stop("return", task.store, task.store_id, (task.delivery_id,)) for task in ordered if task.status == "failed"
    ]
    steps = [(task.begins, task.delivery_id, 0, task) for task in waiting]
    steps += [(task.sequence, task.delivery_id, 1, task) for task in (*waiting, *kept)]
    begun: dict[UUID, int] = {}
    for _, _, at_door, task in sorted(steps, key=lambda step: step[:3]):
        if not at_door and task.store_id not in begun:
            begun[task.store_id] = task.begins
            made.append(_pick_up([one for one in waiting if one.store_id == task.store_id]))
        elif at_door and task in waiting and begun[task.store_id] != task.begins:
            last = max(place for place, stop in enumerate(made) if stop.store_id == task.store_id)
            made.insert(last + 1, _door(task))
        elif at_door:
            made.append(_door(task))
    return made


def _one_ride(one: Task, other: Task) -> bool:
    """Whether one ride collects both: the rides of a courier are counted one after the other."""
    if one.pick is None or other.pick is None:
        return False
    return one.pick < other.sequence and other.pick < one.sequence


def _door(task: Task) -> Stop:
    return Stop("dropoff", task.door, task.store_id, (task.delivery_id,), since=task.at_door_at)


def _pick_up(visit: Sequence[Task]) -> Stop:
    ids = tuple(task.delivery_id for task in visit)
    return Stop("pickup", visit[0].store, visit[0].store_id, ids, max(task.ready_at for task in visit))


def schedule(
    route: Sequence[Stop], start: Point, now: datetime, seconds: Callable[[Point, Point], float]
) -> list[Timed]:
    """When each stop is reached, riding from `start` now; `seconds` says how long a leg takes."""
    timed: list[Timed] = []
    here, at = start, now
    for stop in route:
        arrive = at + timedelta(seconds=seconds(here, stop.place))
        leave = max(arrive, stop.not_before) if stop.not_before else arrive
        if stop.since is not None:
            leave += still_there(now - stop.since)
        else:
            leave += timedelta(seconds=AT_DOOR_SECONDS if stop.kind == "dropoff" else AT_STORE_SECONDS)
        timed.append(Timed(stop, arrive, leave))
        here, at = stop.place, leave
    return timed


@dataclass(frozen=True)
class Fetching:
    """What a courier fetches next, at one store: whose doors are reached when, in sequence; until when it is left."""

    store_id: UUID
    deliveries: tuple[UUID, ...]
    leave: datetime
    doors: tuple[datetime, ...]


def fetching(route: Sequence[Timed], now: datetime) -> Fetching | None:
    """The next visit of a route, if one order more could be taken along: there is a minute to say so, and the ride from
    there is to that visit's doors only."""
    first = next((place for place, one in enumerate(route) if one.stop.kind == "pickup"), len(route))
    visit, doors = route[first : first + 1], list[Timed]()
    for one in route[first + 1 :]:
        if one.stop.kind != "dropoff":
            break
        doors.append(one)
    ids = tuple(one.stop.deliveries[0] for one in doors)
    if not visit or set(ids) != set(visit[0].stop.deliveries):
        return None
    if visit[0].leave - timedelta(seconds=AT_STORE_SECONDS + TOLD_SECONDS) < now:
        return None
    return Fetching(visit[0].stop.store_id, ids, visit[0].leave, tuple(one.arrive for one in doors))


def still_there(stood: timedelta) -> timedelta:
    """How much longer a courier stands at a door: what is usual, and of what takes longer half as long again."""
    return max(timedelta(seconds=AT_DOOR_SECONDS) - stood, min(stood / 2, MOST_OVERDUE))


def in_hand(ready_at: datetime | None, ready_by: datetime, start_at: datetime | None, now: datetime) -> datetime:
    """When the goods can be had: packed, as planned, or if the store has not begun, as long from now as it needs.

    Not as planned then: a courier would be kept from coming by a plan that was made for a later one. What should be
    packed and is not is taken to need half as long again as it is late by, a quarter of an hour at most: nobody is
    sent to stand at a slow store first.
    """
    if ready_at is not None:
        return ready_at
    if start_at is not None and start_at > now:
        return now + (ready_by - start_at)
    return max(ready_by, now + min((now - ready_by) / 2, MOST_OVERDUE))


def pay(base: int, per_km: int, distance_m: int) -> int:
    """Fen for one delivery: `base` and `per_km` for each kilometre of road from store to door, rounded half up."""
    return base + (per_km * max(distance_m, 0) + 500) // 1000


def lapse_seconds(speed: float) -> float:
    """Business seconds a courier has to accept: two minutes, and never under 6 s on the wall (fast clocks)."""
    return max(ACCEPT_SECONDS, ACCEPT_WALL_SECONDS * speed)


def vanished_seconds(speed: float) -> float:
    """Business seconds of silence after which a courier has vanished; never under 15 s on the wall (fast clocks)."""
    return max(VANISHED_SECONDS, VANISHED_WALL_SECONDS * speed)


def given_up_at(promised_to: datetime, last_sign: datetime) -> datetime:
    """When goods in the bag of somebody who has vanished are given up."""
    return max(promised_to, last_sign) + timedelta(seconds=GIVEN_UP_SECONDS)


def arrival(eta_in: float | None, ready_in: float, distance_m: int) -> float:
    """In how many seconds it is expected at the door, never before now. Without a courier: one comes meanwhile."""
    if eta_in is None:
        eta_in = max(ready_in, TO_STORE_SECONDS) + AT_STORE_SECONDS + distance_m / BIKE_MPS
    return max(eta_in, 0.0)


def risk(promised_in: float, expected_in: float) -> str:
    """late: past its time; warn: expected after it, or within five minutes of it; ok. Seconds from now."""
    if promised_in < 0:
        return "late"
    return "warn" if promised_in - expected_in < TIGHT_SECONDS else "ok"


def same_code(given: str, code: str) -> bool:
    """Whether the digits told at the door are the order's; full-width digits and blanks are forgiven."""
    digits = "".join(str(int(char)) for char in given if char.isdecimal())
    return bool(code) and digits == code


# A fleet's way to the door: from each state the event that leads on when nothing nearer is asked for.
_ONWARD = {"waiting": "assign", "assigned": "accept", "accepted": "pick_up", "at_store": "pick_up"}
_REACHED = {"assign": "assigned", "accept": "accepted", "pick_up": "picked_up"}
_STRAIGHT = {
    ("accepted", "at_store"): "arrive_store",
    ("picked_up", "at_door"): "arrive_door",
    ("picked_up", "delivered"): "deliver",
    ("at_door", "delivered"): "deliver",
    ("failed", "delivered"): "deliver",
    ("picked_up", "failed"): "fail",
    ("at_door", "failed"): "fail",
    ("failed", "returned"): "give_back",
}
RANK = {
    state: rank
    for rank, state in enumerate(("waiting", "assigned", "accepted", "at_store", "picked_up", "at_door", "failed"))
} | {"delivered": 9, "returned": 9, "cancelled": 9}


def walk(here: str, there: str) -> list[str] | None:
    """The events that lead on from `here` to `there`. [] when it was reached or passed, None when no way leads there.

    No stop is made up: who was never said to be at the store or at the door was not there.
    """
    if RANK[here] >= RANK[there]:
        return [] if here == there or RANK[there] < 9 else None
    events: list[str] = []
    while here != there:
        event = _STRAIGHT.get((here, there))
        if event is not None:
            return [*events, event]
        if here in _ONWARD:
            event = _ONWARD[here]
            here = _REACHED[event]
        elif there == "returned" and here in ("picked_up", "at_door"):
            event, here = "fail", "failed"
        else:
            return None
        events.append(event)
    return events
