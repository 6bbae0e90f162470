"""A recorded day as an instance, changed in what one asks about, and run again. Demand is taken as it was.

Minutes since the day began, metres on a plane. What a replay cannot know: where couriers waited before their first
order, who would have refused another order, and what customers would have ordered under another promise.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from .. import POLICIES, SERVING, STORES
from ..problem import Policy
from .instances import Floats, Instance, Rules
from .score import score
from .simulate import Settings, simulate
from .turns import Turn, on_duty, resized

# Minutes at the store and at the door, as the dispatcher plans them.
AT_STORE, AT_DOOR = 1.0, 1.5
# Between a turn's id and the number of its stretch.
PART = " / "


@dataclass(frozen=True)
class Trip:
    """One delivery as recorded. `told`: when the shop said that it would be ready; `lapses`: how often it was let go;
    `expected` at the door when it was promised, `due` the promise, `done` when it arrived; `pay` in fen; `by` the
    turn in which it was brought, "" for none that is known."""

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
    by: str = ""


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
    """A day in numbers: shares in per cent, minutes, fen. `hours` are paid for: couriers' shifts without breaks."""

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


def ran(past: Past, terms: Terms) -> dict[str, Any]:
    """The day under these terms, as `Figures` by name, with who was `there` in each hour, and what each turn brought
    (`duties`: courier, guaranteed minutes, orders, their pay). The same past and terms give the same."""
    instance, turns = built(past, terms), resized(past.turns, terms.couriers)
    log = simulate(instance, policy_of(terms.policy), Settings("told", may_move=False, along=True)).log
    done = {names[0]: float(at) for at, _, event, _, names in log if event == "dropoff"}
    made = _figures(past.trips, instance.promised, done, turns)
    wrong = len(score(instance, log).violations)
    brought = {names[0]: by.partition(PART)[0] for _, by, event, _, names in log if event == "dropoff"}
    return _column(replace(made, violations=wrong), past.trips, turns, brought)


def happened(past: Past) -> dict[str, Any]:
    """The day as it was, by the same definitions."""
    due = np.array([trip.due for trip in past.trips])
    made = _figures(past.trips, due, {trip.id: trip.done for trip in past.trips}, past.turns)
    return _column(made, past.trips, past.turns, {trip.id: trip.by for trip in past.trips})


def _column(made: Figures, trips: list[Trip], turns: Sequence[Turn], brought: dict[str, str]) -> dict[str, Any]:
    orders, earned = Counter(brought.values()), defaultdict[str, int](int)
    for trip in trips:
        if trip.id in brought:
            earned[brought[trip.id]] += trip.pay
    ended = sorted(turns, key=lambda turn: (turn.off, turn.id))
    duties = [(turn.courier or turn.id, turn.guaranteed, orders[turn.id], earned[turn.id]) for turn in ended]
    lost = orders.keys() - {turn.id for turn in turns}
    # Of whom nothing is known is paid the order and no more.
    duties += [("", 0, 0, earned[one]) for one in sorted(lost)]
    return {**asdict(made), "there": on_duty(turns), "duties": duties}


def policy_of(name: str) -> Policy:
    """The policy as it serves."""
    return SERVING if name == SERVING.name else POLICIES[name]


def built(past: Past, terms: Terms) -> Instance:
    """The past as an instance under these terms."""
    trips, turns = past.trips, resized(past.turns, terms.couriers)
    # After a break a courier is one more row, at the place where the shift began.
    rows = [(turn, number, *one) for turn in turns for number, one in enumerate(turn.stretches)]
    due = _due(trips, terms.quantile)
    target = float(np.median(due - np.array([trip.placed for trip in trips])))
    return Instance(
        name=past.name,
        rules=Rules(past.speed, AT_STORE, AT_DOOR, target, 10_000.0, 1.0, 0.0, stores=STORES),
        orders=[trip.id for trip in trips],
        stores=[f"store {number}" for number in range(len(past.shops))],
        couriers=[f"{turn.id}{PART}{number}" for turn, number, _, _ in rows],
        door=_points([trip.door for trip in trips]),
        shop=_points(past.shops),
        home=_points([turn.home for turn, *_ in rows]),
        store=np.array([trip.store for trip in trips], np.int64),
        placed=np.array([math.floor(trip.placed) for trip in trips], np.int64),
        ready=np.array([math.ceil(trip.ready) for trip in trips], np.int64),
        expected=np.array([math.ceil(trip.told) for trip in trips], np.int64),
        refusals=np.array([trip.lapses for trip in trips], np.int64),
        on=np.array([math.floor(on) for *_, on, _ in rows], np.int64),
        off=np.array([math.ceil(off) for *_, off in rows], np.int64),
        due=due,
        pace=_paces(rows),
    )


def _paces(rows: list[tuple[Turn, int, float, float]]) -> Floats | None:
    """None where all ride bicycles."""
    made = np.array([turn.pace for turn, *_ in rows])
    return made if (made != 1.0).any() else None


def _due(trips: list[Trip], quantile: int) -> Floats:
    """As promised; or expected and the reserve that would have kept `quantile` per cent of this day's promises."""
    if not quantile:
        return np.array([trip.due for trip in trips])
    over = np.sort([trip.done - trip.expected for trip in trips])
    # Split conformal prediction: the ceil((n + 1) q)th (Vovk et al. 2005).
    reserve = over[min(math.ceil((len(over) + 1) * quantile / 100), len(over)) - 1]
    return np.array([trip.expected + max(float(reserve), 1.0) for trip in trips])


def _figures(trips: list[Trip], due: Floats, done: dict[str, float], turns: Sequence[Turn]) -> Figures:
    rows = [number for number, trip in enumerate(trips) if trip.id in done]
    at = np.array([done[trips[number].id] for number in rows])
    click = at - np.array([trips[number].placed for number in rows])
    over = np.maximum(at - due[rows], 0.0)
    hours = sum(turn.paid for turn in turns) / 60.0
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
