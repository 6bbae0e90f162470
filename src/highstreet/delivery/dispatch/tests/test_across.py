"""Bundles of several stores: their costs are a plain ride's, they are made where that is right, and the log says so."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pytest

from ..engine import POLICIES, SERVING, Problem
from ..engine.costs import WEIGHTS, costs, pack
from ..engine.days.generate import write
from ..engine.days.instances import find, load
from ..engine.days.score import score
from ..engine.days.simulate import Event, Settings, simulate
from ..engine.joining import Limits, joins
from ..engine.problem import Bundle, bundled, job, visits


def town(couriers: int, orders: int, stores: int = 3, seed: int = 1, most: int = 2, width: float = 2000.0) -> Problem:
    """Rides by straight line at 4 m/s, each way of its own length."""
    source = np.random.default_rng(seed)
    shop, rider, door = (source.uniform(0, width, (count, 2)) for count in (stores, couriers, orders))
    store = source.integers(0, stores, orders)

    def ride(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.asarray(np.hypot(*(a[:, None, :] - b[None, :, :]).T).T / 4.0 * source.uniform(1.0, 1.4))

    to_door = ride(shop, door)
    return Problem(
        free_in=source.uniform(-300, 600, couriers),
        room=source.integers(2, 6, couriers),
        to_store=ride(rider, shop),
        store=store,
        ready_in=source.uniform(-300, 900, orders),
        promised_in=source.uniform(300, 2700, orders),
        drop=to_door[store, np.arange(orders)],
        between=ride(door, door),
        barred=np.zeros((orders, couriers), bool),
        off_in=source.uniform(600, 9000, couriers),
        apart=ride(shop, shop),
        to_door=to_door,
        stores=most,
    )


def ridden(
    problem: Problem, courier: int, stores: tuple[int, ...], orders: tuple[int, ...]
) -> tuple[float, list[float]]:
    """By the clock, stop by stop: when the last goods are in hand, and when each door is reached."""
    service, at, here = problem.service, max(float(problem.free_in[courier]), 0.0), -1
    for store in stores:
        at += (
            float(problem.to_store[courier, store] if here < 0 else problem.apart[here, store]) + service.before_pickup
        )
        at = max([at, *(float(problem.ready_in[one]) for one in orders if problem.store[one] == store)])
        in_hand, here = at, store
        at += service.after_pickup
    doors: list[float] = []
    last = -1
    for order in orders:
        at += float(problem.to_door[here, order] if last < 0 else problem.between[last, order])
        doors.append(at)
        at += service.before_drop + service.after_drop
        last = order
    return in_hand, doors


def cost(problem: Problem, courier: int, stores: tuple[int, ...], orders: tuple[int, ...], second: float) -> float:
    """The weights applied to that ride, one by one; infinity where it may not be ridden."""
    service, weights = problem.service, WEIGHTS
    in_hand, doors = ridden(problem, courier, stores, orders)
    soonest = min(
        (ridden(problem, other, stores, orders)[1] for other in range(len(problem.free_in))), key=lambda found: found[0]
    )
    if in_hand > problem.off_in[courier] or len(orders) > problem.room[courier]:
        return np.inf
    total = 0.0
    for order, at, best in zip(orders, doors, soonest, strict=True):
        ready, promised = float(problem.ready_in[order]), float(problem.promised_in[order])
        alone = max(ready, 0.0) + service.after_pickup + float(problem.drop[order])
        total += at - service.after_pickup - (alone - service.after_pickup)
        total += weights.late * max(at - max(promised, alone), 0.0)
        total -= weights.risk * min(max(best + 600.0 - promised, 0.0), 600.0)
        total -= weights.unmet + weights.waited * max(-ready, 0.0)
    end = min(doors[-1] + service.before_drop + service.after_drop, float(problem.off_in[courier]))
    return total + second * max(end - max(float(problem.free_in[courier]), 0.0), 0.0)


@pytest.mark.parametrize("seed", range(25))
def test_a_bundle_costs_what_its_ride_costs(seed: int) -> None:
    """Every sequence of stores and doors of up to four orders of three stores, by every courier."""
    problem = town(3, 4, seed=seed, most=3)
    stores = np.unique(problem.store).tolist()
    for way in permutations(stores):
        groups = [bundled(problem, orders, way) for orders in permutations(range(4))]
        found = costs(problem, pack(problem, groups), 0.7, WEIGHTS)
        for row, group in enumerate(groups):
            for courier in range(3):
                wanted = cost(problem, courier, way, group.orders, 0.7)
                assert found[row, courier] == pytest.approx(wanted) or (found[row, courier] > 1e8 and wanted == np.inf)
                given = job(problem, group, courier)
                in_hand, doors = ridden(problem, courier, way, group.orders)
                assert list(given.arrive_in) == pytest.approx(doors)
                assert visits(problem, given, courier)[-1].in_hand == pytest.approx(in_hand)


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("most", [1, 2, 3])
def test_the_joins_are_all_there_are_and_timed_as_the_bundle_is(seed: int, most: int) -> None:
    problem = town(3, 7, stores=4, seed=seed, most=most)
    limits = Limits(near=9, away=400.0, apart=700.0, detour=900.0)
    start = 2 if most > 1 else 1
    groups = [bundled(problem, (order,)) for order in range(start, 7)]
    if most > 1:
        begun = dict.fromkeys(int(problem.store[order]) for order in (1, 0))
        groups.append(bundled(problem, (0, 1), tuple(begun)))
    found = joins(problem, groups, limits, most)
    assert found is not None
    made = set()
    for row in range(len(found.rows)):
        group = found.bundle(row)
        again = bundled(problem, group.orders, group.stores)
        assert (group.stores, group.orders) == (again.stores, again.orders)
        assert group.after == pytest.approx(again.after) and group.lag == pytest.approx(again.lag)
        assert group.ready_in == pytest.approx(again.ready_in)
        made.add((group.stores, group.orders))
    assert made == {(group.stores, group.orders) for group in wanted(problem, groups, limits)}


def wanted(problem: Problem, groups: list[Bundle], limits: Limits) -> list[Bundle]:
    """By the rules, pair by pair."""
    made = []
    for one, two in permutations(groups, 2):
        new = [store for store in two.stores if store not in one.stores]
        way = (*one.stores, *new)
        fits = len(two.stores) == 1 or two.stores == one.stores
        near = all(problem.apart[here, there] <= limits.away for here, there in pairwise(way[len(one.stores) - 1 :]))
        ready = abs(max(one.ready_in, 0.0) - max(two.ready_in, 0.0)) <= limits.apart
        if fits and near and ready and len(way) <= problem.stores and len(one.orders + two.orders) <= limits.most:
            made += [bundled(problem, orders, way) for orders in (one.orders + two.orders, two.orders + one.orders)]
    return [
        group
        for group in made
        if max(after - problem.drop[order] for after, order in zip(group.after, group.orders, strict=True))
        <= limits.detour
    ]


def neighbours(couriers: int, *, apart: float, doors: float, ready: tuple[float, float] = (0.0, 0.0)) -> Problem:
    """A shop each for two orders; a door's ride is 600 s from either."""
    return Problem(
        free_in=np.zeros(couriers),
        room=np.full(couriers, 3),
        to_store=np.full((couriers, 2), 60.0),
        store=np.array([0, 1]),
        ready_in=np.array(ready),
        promised_in=np.full(2, 3600.0),
        drop=np.full(2, 600.0),
        between=doors * (1 - np.eye(2)),
        barred=np.zeros((2, couriers), bool),
        apart=apart * (1 - np.eye(2)),
        to_door=np.full((2, 2), 600.0),
        stores=2,
    )


def test_where_couriers_are_few_one_collects_at_neighbours() -> None:
    (given,) = SERVING.assign(neighbours(1, apart=60.0, doors=60.0)).jobs
    assert sorted(given.stores) == [0, 1] and sorted(given.orders) == [0, 1]
    first, second = visits(neighbours(1, apart=60.0, doors=60.0), given, 0)
    assert (first.arrive, second.arrive) == (60.0, 60.0 + 60.0 + 60.0)


@pytest.mark.parametrize(
    "problem",
    [
        neighbours(2, apart=60.0, doors=60.0),
        neighbours(1, apart=60.0, doors=3000.0),
        neighbours(1, apart=400.0, doors=60.0),
        neighbours(1, apart=60.0, doors=60.0, ready=(0.0, 800.0)),
        replace(neighbours(1, apart=60.0, doors=60.0), room=np.array([1])),
        replace(neighbours(1, apart=60.0, doors=60.0), stores=1),
        replace(neighbours(1, apart=60.0, doors=60.0), barred=np.array([[False], [True]])),
    ],
    ids=["two-couriers", "doors-far", "shops-far", "ready-later", "small-bag", "not-allowed", "barred"],
)
def test_and_nowhere_else(problem: Problem) -> None:
    given = SERVING.assign(problem).jobs
    assert given and all(len(one.orders) == 1 for one in given)


def test_the_shop_that_is_ready_first_is_visited_first() -> None:
    for ready, first in (((0.0, 240.0), 0), ((240.0, 0.0), 1)):
        (given,) = SERVING.assign(neighbours(1, apart=60.0, doors=60.0, ready=ready)).jobs
        assert given.stores[0] == first


@pytest.mark.parametrize("seed", range(30))
def test_no_plan_breaks_a_limit(seed: int) -> None:
    problem = town(5, 14, stores=4, seed=seed, most=2)
    plan = SERVING.assign(problem)
    assert plan == SERVING.assign(problem)
    given = [order for one in plan.jobs for order in one.orders]
    assert len(given) == len(set(given)) and len({one.courier for one in plan.jobs}) == len(plan.jobs)
    for one in plan.jobs:
        assert set(one.stores) == {int(problem.store[order]) for order in one.orders} and len(one.stores) <= 2
        assert len(one.orders) <= problem.room[one.courier]


def test_a_big_town_short_of_couriers_has_rides_across() -> None:
    """Forty stores in a town so wide that its couriers are not enough; the same without such rides beside it."""
    problem = town(400, 300, stores=40, width=12_000.0)
    across = {}
    for stores in (1, 2):
        plan = SERVING.assign(replace(problem, stores=stores))
        across[stores] = sum(len(one.stores) > 1 for one in plan.jobs)
    assert across[2] > across[1] == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("days")
    write(made, 3, 1, orders=120, shops=10, couriers=8, stores=2)
    return made


def test_a_day_that_allows_it_has_rides_to_several_shops_and_breaks_no_rule(folder: Path) -> None:
    day = load(find(folder)[0])
    assert day.rules.stores == 2
    log = simulate(day, POLICIES["timely"], Settings()).log
    across = [event for event in log if event[2] == "assign" and ">" in event[3]]
    assert across and score(day, log).violations == []
    not_allowed = replace(day, rules=replace(day.rules, stores=1))
    assert len(score(not_allowed, log).violations) == len(across)
    alone = simulate(not_allowed, POLICIES["timely"], Settings()).log
    assert not any(">" in event[3] for event in alone if event[2] == "assign")


def _first_of(log: list[Event]) -> Event:
    return next(event for event in log if event[2] == "assign" and ">" in event[3])


@pytest.mark.parametrize("spoiled", ["second pick-up left out", "the other shop first", "a door in between"])
def test_a_ride_that_is_not_the_one_assigned_is_found_out(folder: Path, spoiled: str) -> None:
    day = load(find(folder)[0])
    log = simulate(day, POLICIES["timely"], Settings()).log
    _, name, _, way, orders = _first_of(log)
    picks = [
        number
        for number, event in enumerate(log)
        if event[1] == name and event[2] == "pickup" and set(event[4]) <= set(orders)
    ]
    assert len(picks) == 2
    if spoiled == "second pick-up left out":
        log.pop(picks[1])
    elif spoiled == "the other shop first":
        at = log.index(_first_of(log))
        log[at] = (*log[at][:3], ">".join(reversed(way.split(">"))), orders)
    else:
        drop = next(number for number, event in enumerate(log) if event[2] == "dropoff" and event[4][0] in orders)
        log[drop] = (log[picks[0]][0], *log[drop][1:])
    assert score(day, log).violations
