"""A recorded day as an instance, changed in what one asks about, and run again. Demand is taken as it was.

Minutes since the day began, metres on a plane. What a replay cannot know: where couriers waited before their first
order, who would have refused another order, and what customers would have ordered under another promise.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace

import numpy as np

from .. import POLICIES, SERVING, STORES
from ..problem import Policy
from .instances import Floats, Instance, Rules
from .score import score
from .simulate import Settings, simulate

# Minutes at the store and at the door, as the dispatcher plans them.
AT_STORE, AT_DOOR = 1.0, 1.5


@dataclass(frozen=True)
class Trip:
    """One delivery as recorded. `told`: when the shop said that it would be ready; `lapses`: how often it was let go;
    `expected` at the door when it was promised, `due` the promise, `done` when it arrived; `pay` in fen."""

    id: str
    store: int
    door: tuple[float, float]
    placed: float
    told: float
    ready: float
    expected: float
    due: float
    done: float
    lapses: int
    pay: int


@dataclass(frozen=True)
class Turn:
    """A courier's time on duty and where it began."""

    id: str
    home: tuple[float, float]
    on: float
    off: float


@dataclass(frozen=True)
class Past:
    """A day of a city. `speed`: metres of straight line a minute; `policy` decided then."""

    name: str
    policy: str
    speed: float
    shops: list[tuple[float, float]]
    trips: list[Trip]
    turns: list[Turn]


@dataclass(frozen=True)
class Terms:
    """What is asked: a policy, couriers in per cent of those who worked, the promise's quantile (0: as promised)."""

    policy: str
    couriers: int = 100
    quantile: int = 0


@dataclass(frozen=True)
class Figures:
    """A day in numbers: shares in per cent, minutes, fen. `hours` is couriers' time on duty."""

    orders: int
    delivered: int
    undelivered: int
    late: float
    minutes_late: float
    click: float
    click90: float
    promised: float
    couriers: int
    hours: float
    an_hour: float
    pay: int
    violations: int = 0


def ran(past: Past, terms: Terms) -> dict[str, float]:
    """The day under these terms, as `Figures` by name. The same past and terms give the same figures."""
    instance = built(past, terms)
    log = simulate(instance, policy_of(terms.policy), Settings("told", may_move=False)).log
    done = {names[0]: float(at) for at, _, event, _, names in log if event == "dropoff"}
    made = _figures(past.trips, instance.promised, done, _resized(past.turns, terms.couriers))
    return asdict(replace(made, violations=len(score(instance, log).violations)))


def happened(past: Past) -> dict[str, float]:
    """The day as it was, by the same definitions."""
    due = np.array([trip.due for trip in past.trips])
    return asdict(_figures(past.trips, due, {trip.id: trip.done for trip in past.trips}, past.turns))


def policy_of(name: str) -> Policy:
    """The policy as it serves."""
    return SERVING if name == SERVING.name else POLICIES[name]


def built(past: Past, terms: Terms) -> Instance:
    """The past as an instance under these terms."""
    trips, turns = past.trips, _resized(past.turns, terms.couriers)
    due = _due(trips, terms.quantile)
    target = float(np.median(due - np.array([trip.placed for trip in trips])))
    return Instance(
        name=past.name,
        rules=Rules(past.speed, AT_STORE, AT_DOOR, target, 10_000.0, 1.0, 0.0, stores=STORES),
        orders=[trip.id for trip in trips],
        stores=[f"store {number}" for number in range(len(past.shops))],
        couriers=[turn.id for turn in turns],
        door=_points([trip.door for trip in trips]),
        shop=_points(past.shops),
        home=_points([turn.home for turn in turns]),
        store=np.array([trip.store for trip in trips], np.int64),
        placed=np.array([math.floor(trip.placed) for trip in trips], np.int64),
        ready=np.array([math.ceil(trip.ready) for trip in trips], np.int64),
        expected=np.array([math.ceil(trip.told) for trip in trips], np.int64),
        refusals=np.array([trip.lapses for trip in trips], np.int64),
        on=np.array([math.floor(turn.on) for turn in turns], np.int64),
        off=np.array([math.ceil(turn.off) for turn in turns], np.int64),
        due=due,
    )


def _due(trips: list[Trip], quantile: int) -> Floats:
    """As promised; or expected and the reserve that would have kept `quantile` per cent of this day's promises."""
    if not quantile:
        return np.array([trip.due for trip in trips])
    over = np.sort([trip.done - trip.expected for trip in trips])
    # Split conformal prediction: the ceil((n + 1) q)th (Vovk et al. 2005).
    reserve = over[min(math.ceil((len(over) + 1) * quantile / 100), len(over)) - 1]
    return np.array([trip.expected + max(float(reserve), 1.0) for trip in trips])


def _resized(turns: list[Turn], couriers: int) -> list[Turn]:
    """So many per cent of the couriers: evenly left out, or evenly doubled, in the order of their beginning."""
    ordered = sorted(turns, key=lambda turn: (turn.on, turn.id))
    wanted = max(1, round(len(ordered) * couriers / 100))
    made = []
    for number in range(wanted):
        turn = ordered[number * len(ordered) // wanted]
        made.append(replace(turn, id=f"{turn.id} #{number}"))
    return made


def _figures(trips: list[Trip], due: Floats, done: dict[str, float], turns: list[Turn]) -> Figures:
    rows = [number for number, trip in enumerate(trips) if trip.id in done]
    at = np.array([done[trips[number].id] for number in rows])
    click = at - np.array([trips[number].placed for number in rows])
    over = np.maximum(at - due[rows], 0.0)
    hours = sum(turn.off - turn.on for turn in turns) / 60.0
    missed = len(trips) - len(rows)
    # What was not brought is late, too.
    late = 100.0 * (int((over > 0).sum()) + missed) / max(len(trips), 1)
    return Figures(
        orders=len(trips),
        delivered=len(rows),
        undelivered=missed,
        late=round(late, 2),
        minutes_late=round(float(over.mean()), 3) if len(rows) else 0.0,
        click=round(float(click.mean()), 3) if len(rows) else 0.0,
        click90=round(float(np.percentile(click, 90)), 3) if len(rows) else 0.0,
        promised=round(float(np.mean(due - np.array([trip.placed for trip in trips]))), 3) if trips else 0.0,
        couriers=len(turns),
        hours=round(hours, 2),
        an_hour=round(len(rows) / hours, 3) if hours else 0.0,
        pay=sum(trips[number].pay for number in rows),
    )


def _points(points: list[tuple[float, float]]) -> Floats:
    return np.array(points, float).reshape(-1, 2)
