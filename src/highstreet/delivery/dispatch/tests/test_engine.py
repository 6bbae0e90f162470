"""The engine on plain numbers: deterministic, nobody twice, the bag never overfull, sensible choices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ..engine import POLICIES, SERVING, Job, Plan, Problem


def city(couriers: int, orders: int, stores: int = 8, seed: int = 1) -> Problem:
    """A made-up town of 4 km: bikes at 4 m/s, orders ready within 15 minutes, promised within 45."""
    source = np.random.default_rng(seed)
    shop, rider, door = (source.uniform(0, 4000, (count, 2)) for count in (stores, couriers, orders))
    store = source.integers(0, stores, orders) if orders else np.zeros(0, np.int64)

    def ride(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.asarray(np.abs(a[:, None, :] - b[None, :, :]).sum(axis=2) / 4.0)

    busy = source.random(couriers) < 0.4
    return Problem(
        free_in=np.where(busy, source.uniform(0, 1200, couriers), 0.0),
        room=source.integers(0, 4, couriers),
        to_store=ride(rider, shop),
        store=store,
        ready_in=source.uniform(-300, 900, orders),
        promised_in=source.uniform(300, 2700, orders),
        drop=np.abs(door - shop[store]).sum(axis=1) / 4.0,
        between=ride(door, door),
        barred=source.random((orders, couriers)) < 0.02,
    )


def check(problem: Problem, plan: Plan) -> None:
    couriers = [job.courier for job in plan.jobs]
    orders = [order for job in plan.jobs for order in job.orders]
    assert len(couriers) == len(set(couriers)), "a courier has two jobs in one epoch"
    assert len(orders) == len(set(orders)), "an order is given twice"
    for job in plan.jobs:
        assert 1 <= len(job.orders) <= problem.room[job.courier]
        assert len({int(problem.store[order]) for order in job.orders}) == 1
        assert not any(problem.barred[order, job.courier] for order in job.orders)
        assert list(job.arrive_in) == sorted(job.arrive_in)
        assert all(arrive >= job.pick_up_in for arrive in job.arrive_in)


@pytest.mark.parametrize("policy", sorted(POLICIES))
@given(couriers=st.integers(0, 14), orders=st.integers(0, 18), seed=st.integers(0, 10**6))
@settings(max_examples=60)
def test_any_town_gives_a_valid_plan_and_always_the_same(policy: str, couriers: int, orders: int, seed: int) -> None:
    problem = city(couriers, orders, stores=3, seed=seed)
    plan = POLICIES[policy].assign(problem)
    check(problem, plan)
    assert plan == POLICIES[policy].assign(problem)


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_nobody_or_nothing_gives_an_empty_plan(policy: str) -> None:
    for problem in (city(0, 5), city(5, 0), city(0, 0)):
        assert POLICIES[policy].assign(problem) == Plan(())


def one_store(
    free_in: list[float],
    to_store: list[float],
    ready: list[float],
    promised: list[float],
    drop: list[float],
    apart: float = 2000.0,
    room: int = 3,
) -> Problem:
    couriers, orders = len(free_in), len(ready)
    return Problem(
        free_in=np.array(free_in),
        room=np.full(couriers, room),
        to_store=np.array(to_store)[:, None],
        store=np.zeros(orders, np.int64),
        ready_in=np.array(ready),
        promised_in=np.array(promised),
        drop=np.array(drop),
        between=np.full((orders, orders), apart) * (1 - np.eye(orders)),
        barred=np.zeros((orders, couriers), bool),
    )


def jobs(problem: Problem) -> list[Job]:
    return list(SERVING.assign(problem).jobs)


def test_a_courier_soon_free_next_door_beats_an_idle_one_far_away() -> None:
    problem = one_store([0.0, 60.0], [900.0, 30.0], [60.0], [1200.0], [300.0])
    assert [job.courier for job in jobs(problem)] == [1]
    assert [job.courier for job in POLICIES["nearest"].assign(problem).jobs] == [0]


def test_nobody_is_sent_to_stand_and_wait() -> None:
    problem = one_store([0.0], [60.0], [900.0], [2700.0], [300.0])
    assert jobs(problem) == []
    assert [job.courier for job in jobs(replace(problem, ready_in=np.array([200.0])))] == [0]


def test_where_couriers_are_few_the_one_that_would_be_late_goes_first() -> None:
    problem = one_store([0.0], [60.0], [0.0, 0.0], [3600.0, 700.0], [200.0, 200.0])
    assert [job.orders for job in jobs(problem)] == [(1,)]


def test_neighbours_ready_together_go_in_one_bag_and_nobody_else() -> None:
    near = one_store([0.0], [60.0], [0.0, 60.0], [2700.0, 2700.0], [300.0, 330.0], apart=40.0)
    assert [job.orders for job in jobs(near)] == [(0, 1)]
    far = one_store([0.0], [60.0], [0.0, 60.0], [2700.0, 2700.0], [300.0, 330.0])
    assert [len(job.orders) for job in jobs(far)] == [1]
    apart_in_time = replace(near, ready_in=np.array([0.0, 800.0]))
    assert [len(job.orders) for job in jobs(apart_in_time)] == [1]
    small_bag = replace(near, room=np.array([1]))
    assert [len(job.orders) for job in jobs(small_bag)] == [1]


def test_a_bundle_makes_nobody_late() -> None:
    """While there is somebody else; a single courier brings both, which is sooner than coming back for the second."""
    problem = one_store([0.0, 0.0], [0.0, 60.0], [0.0, 0.0], [420.0, 510.0], [300.0, 330.0], apart=100.0)
    assert [len(job.orders) for job in jobs(problem)] == [1, 1]
    alone = one_store([0.0], [0.0], [0.0, 0.0], [420.0, 510.0], [300.0, 330.0], apart=100.0)
    assert [len(job.orders) for job in jobs(alone)] == [2]


def test_the_barred_courier_is_not_asked_again() -> None:
    problem = one_store([0.0, 0.0], [10.0, 400.0], [0.0], [2700.0], [300.0])
    barred = np.array([[True, False]])
    assert [job.courier for job in jobs(replace(problem, barred=barred))] == [1]


def test_the_alternatives_are_ranked() -> None:
    problem = one_store([0.0, 0.0, 0.0], [10.0, 400.0, 200.0], [0.0], [2700.0], [300.0])
    (job,) = jobs(problem)
    assert [other for other, _ in job.alternatives] == [2, 1]
    assert job.cost < job.alternatives[0][1]


def test_a_big_town_is_planned_without_breaking_a_rule() -> None:
    problem = city(400, 300, stores=40)
    plan = SERVING.assign(problem)
    check(problem, plan)
    assert sum(len(one.orders) for one in plan.jobs) + len(plan.held) > 200
