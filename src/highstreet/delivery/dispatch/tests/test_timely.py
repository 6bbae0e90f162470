"""Our own policy, rule by rule: what each is for, on the smallest problem that shows it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .. import commands
from ..engine import POLICIES, SERVING, Move, Problem, Reyes, Timely
from ..engine.costs import WEIGHTS, price
from ..engine.days.bench import SERVED
from .test_engine import one_store

TIMELY = Timely()


def two_stores(to_store: list[list[float]], demand: list[float], apart: float = 600.0) -> Problem:
    """Idle couriers, two stores, no orders yet."""
    none = one_store([0.0] * len(to_store), [0.0] * len(to_store), [], [], [])
    return replace(
        none,
        to_store=np.array(to_store),
        demand=np.array(demand),
        apart=np.array([[0.0, apart], [apart, 0.0]]),
        may_move=True,
    )


def test_a_couriers_second_costs_more_when_couriers_are_few() -> None:
    def at(couriers: int) -> float:
        return price(one_store([0.0] * couriers, [60.0] * couriers, [0.0] * 6, [2700.0] * 6, [600.0] * 6), WEIGHTS)

    assert at(20) == WEIGHTS.second < at(3) < at(1) == WEIGHTS.second + WEIGHTS.scarce


def test_who_has_not_earned_the_guaranteed_pay_goes_first() -> None:
    problem = one_store([0.0, 0.0], [60.0, 60.0], [0.0], [2700.0], [300.0])
    for behind, chosen in (([2.0, -2.0], 0), ([-2.0, 2.0], 1)):
        (job,) = TIMELY.assign(replace(problem, spare=np.array(behind))).jobs
        assert job.courier == chosen


def test_a_shifts_last_minutes_are_given_away() -> None:
    """Both are as near; nobody else can use what the second has left of the shift."""
    problem = one_store([0.0, 0.0], [60.0, 60.0], [0.0], [2700.0], [900.0])
    (job,) = SERVING.assign(replace(problem, off_in=np.array([7200.0, 300.0]))).jobs
    assert job.courier == 1
    assert SERVING.assign(replace(problem, off_in=np.array([30.0, 30.0]))).jobs == ()


def test_the_nearer_courier_is_for_who_would_be_late() -> None:
    for promised, late in (([500.0, 3600.0], 0), ([3600.0, 500.0], 1)):
        problem = one_store([0.0, 0.0], [0.0, 300.0], [0.0, 0.0], promised, [300.0, 300.0], apart=9000.0)
        assert (0, (late,)) in [(job.courier, job.orders) for job in SERVING.assign(problem).jobs]


def test_what_waited_longest_goes_first_among_equals() -> None:
    problem = one_store([0.0], [0.0], [-60.0, -900.0], [3600.0, 3600.0], [600.0, 600.0], apart=9000.0)
    (job,) = SERVING.assign(problem).jobs
    assert job.orders == (1,)


def test_who_goes_for_goods_leaves_just_in_time_and_earlier_if_nobody_is_sure() -> None:
    problem = replace(one_store([0.0], [300.0], [900.0], [3600.0], [300.0]), may_move=True)
    assert TIMELY.assign(problem).moves == ()
    assert TIMELY.assign(replace(problem, ready_in=np.array([330.0]))).moves == (Move(0, 0),)
    assert TIMELY.assign(replace(problem, unsure=np.array([480.0]))).moves == (Move(0, 0),)


def test_who_stands_at_the_store_is_given_what_is_surely_ready_soon() -> None:
    problem = replace(one_store([0.0], [0.0], [120.0], [3600.0], [300.0]), may_move=True)
    assert [job.orders for job in TIMELY.assign(problem).jobs] == [(0,)]
    assert TIMELY.assign(replace(problem, unsure=np.array([480.0]))).jobs == ()


def test_goods_that_may_be_late_are_left_to_who_comes_later_anyway() -> None:
    """Two orders, two couriers: the near one is for what is ready, though the unsure one is said to be ready before."""
    problem = one_store([0.0, 400.0], [60.0, 60.0], [0.0, 0.0], [3600.0, 3600.0], [300.0, 300.0], apart=9000.0)
    jobs = SERVING.assign(replace(problem, unsure=np.array([900.0, 0.0]), ready_in=np.array([200.0, 200.0]))).jobs
    assert (0, (1,)) in [(job.courier, job.orders) for job in jobs]


def test_idle_couriers_go_where_orders_come_from() -> None:
    away = [[0.0, 600.0], [0.0, 600.0]]
    assert TIMELY.assign(two_stores(away, [1.0, 1.0])).moves in ((Move(0, 1),), (Move(1, 1),))
    assert TIMELY.assign(two_stores(away, [1.0, 0.0])).moves == ()
    # Fifteen seconds' gain to the mean order are not worth ten minutes' ride.
    assert TIMELY.assign(two_stores(away, [0.975, 0.025])).moves == ()
    assert TIMELY.assign(replace(two_stores(away, [1.0, 1.0]), may_move=False)).moves == ()
    assert TIMELY.assign(replace(two_stores(away, [1.0, 1.0]), off_in=np.array([600.0, 600.0]))).moves == ()


def test_reyes_goes_first_and_is_told_at_the_store() -> None:
    """The two-stage commitment: goods that are not ready by the next epoch are gone for, and kept for who goes."""
    problem = one_store([0.0], [120.0], [420.0], [3600.0], [300.0])
    plan = Reyes().assign(problem)
    assert (plan.jobs, plan.moves) == ((), (Move(0, 0, (0,)),))
    assert [job.orders for job in Reyes().assign(replace(problem, ready_in=np.array([60.0]))).jobs] == [(0,)]


def test_the_command_knows_every_policy() -> None:
    assert set(commands.POLICIES) == {*POLICIES, SERVED}
