"""One order more with what a courier is still to fetch: where it goes, and when it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON
from highstreet.kernel import ids

from .. import rules
from ..engine import SERVING, Job, Problem, Ride
from .test_engine import one_store

MINUTE = timedelta(minutes=1)


def fetching(
    ready: list[float], *, doors: list[float], due: list[float], near: list[list[float]], leave: float = 180.0
) -> Problem:
    """One busy courier who leaves the only store in `leave` seconds; orders wait there, five minutes' ride away."""
    count = len(ready)
    problem = one_store([2000.0], [600.0], ready, [3600.0] * count, [300.0] * count)
    ride = Ride(0, 0, leave, np.array(doors), np.array(due), np.array(near))
    return replace(problem, rides=(ride,))


def job(problem: Problem) -> Job | None:
    jobs = SERVING.assign(problem).jobs
    assert len(jobs) < 2
    return jobs[0] if jobs else None


def test_it_goes_where_it_costs_least() -> None:
    between = fetching([0.0], doors=[480.0, 1200.0], due=[3600.0, 3600.0], near=[[120.0], [120.0]])
    made = job(between)
    assert made is not None and (made.place, made.orders, made.pick_up_in) == (1, (0,), 180.0)
    # From the first door's 480 s, 90 s there and 120 s on.
    assert made.arrive_in == (690.0,)
    first = job(replace(between, drop=np.array([60.0])))
    assert first is not None and first.place == 0 and first.arrive_in == (240.0,)
    last = job(fetching([0.0], doors=[480.0, 1200.0], due=[3600.0, 3600.0], near=[[900.0], [30.0]]))
    assert last is not None and last.place == 2 and last.arrive_in == (1320.0,)


def test_no_promise_is_broken_for_it() -> None:
    near = [[200.0]]
    assert job(fetching([0.0], doors=[480.0], due=[500.0], near=near)) is not None, "after that door"
    tight = fetching([120.0 + 60.0], doors=[480.0], due=[500.0], near=near)
    assert job(tight) is None, "a minute more at the store is too much"
    assert job(replace(tight, ready_in=np.array([120.0]))) is not None
    late = replace(tight.rides[0], promised_in=np.array([300.0]))
    assert job(replace(tight, rides=(late,))) is not None, "what is late already does not forbid it"


@pytest.mark.parametrize(
    "change",
    [
        {"ready_in": np.array([301.0])},
        {"room": np.array([0])},
        {"barred": np.array([[True]])},
        {"off_in": np.array([100.0])},
    ],
    ids=lambda change: next(iter(change)),
)
def test_who_may_not_or_cannot_does_not(change: dict[str, object]) -> None:
    problem = fetching([0.0], doors=[480.0], due=[3600.0], near=[[200.0]])
    assert job(problem) is not None
    assert job(replace(problem, **change)) is None  # type: ignore[arg-type]


def test_a_ride_gets_no_longer_than_a_bundle_may() -> None:
    near = [[60.0]] * 4
    assert job(fetching([0.0], doors=[480.0, 600.0, 720.0], due=[3600.0] * 3, near=near[:3])) is not None
    assert job(fetching([0.0], doors=[480.0, 600.0, 720.0, 840.0], due=[3600.0] * 4, near=near)) is None


def test_who_is_idle_and_there_brings_it_sooner() -> None:
    problem = fetching([0.0], doors=[480.0], due=[3600.0], near=[[280.0]])
    two = one_store([2000.0, 0.0], [600.0, 0.0], [0.0], [3600.0], [300.0])
    made = job(replace(two, rides=problem.rides))
    assert made is not None and (made.courier, made.place) == (1, None)


def test_one_courier_takes_one_at_a_time() -> None:
    problem = fetching([0.0, 0.0], doors=[480.0], due=[3600.0], near=[[60.0, 200.0]])
    made = job(problem)
    assert made is not None and made.orders == (0,)


def test_a_minute_is_needed_to_say_so() -> None:
    place = support.point(0, 0)
    for seconds, there in ((119, False), (120, True)):
        at = NOON + timedelta(seconds=seconds)
        stop = rules.Stop("pickup", place, ids.new_id(), (ids.new_id(),))
        door = rules.Stop("dropoff", place, stop.store_id, stop.deliveries)
        route = [rules.Timed(stop, NOON, at), rules.Timed(door, at + MINUTE, at + 2 * MINUTE)]
        assert (rules.fetching(route, NOON) is not None) is there
