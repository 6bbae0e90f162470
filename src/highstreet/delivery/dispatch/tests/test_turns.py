"""Shifts as the simulator has them: what is paid, who is there, more or fewer of them, breaks, vehicles."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from ..engine.days.replays import Terms, built, happened, ran
from ..engine.days.turns import Turn, on_duty, resized, spread
from .test_replays import a_day

# From 8:00 to 14:00 with half an hour at 11:00 and ten minutes at 12:50.
LONG = Turn("a", (0.0, 0.0), 480.0, 840.0, ((660.0, 690.0), (770.0, 780.0)), courier="ana")
SHORT = Turn("b", (0.0, 0.0), 600.0, 690.0)


def test_breaks_are_neither_paid_nor_worked() -> None:
    assert (LONG.paid, SHORT.paid) == (320.0, 90.0)
    assert LONG.stretches == [(480.0, 660.0), (690.0, 770.0), (780.0, 840.0)]
    assert replace(SHORT, breaks=((600.0, 610.0), (680.0, 690.0))).stretches == [(610.0, 680.0)]


def test_who_is_there_in_each_hour() -> None:
    there = on_duty([LONG, SHORT])
    assert len(there) == 14 and there[:8] == [0.0] * 8
    assert there[8:] == [1.0, 1.0, 2.0, 1.0, 0.83, 1.0]
    # Of a shift since yesterday counts what is today's; one that nobody ended is not drawn for ever.
    assert on_duty([replace(SHORT, on=-60.0, off=30.0)]) == [0.5]
    assert len(on_duty([replace(SHORT, off=90_000.0)])) == 36


def test_half_of_them_and_twice_as_many() -> None:
    turns = [replace(SHORT, id=f"t{number}", on=600.0 + number, courier=f"c{number % 2}") for number in range(4)]
    assert [one.id.split()[0] for one in resized(turns, 50)] == ["t0", "t2"]
    twice = resized(turns, 200)
    assert len({one.id for one in twice}) == 8
    # Two shifts of one courier stay one courier's; who is doubled is another one.
    assert Counter(one.courier for one in twice) == {"c0": 2, "c1": 2, "c0 #1": 2, "c1 #1": 2}
    assert resized([], 100) == []


def test_kinds_are_spread_in_proportion() -> None:
    assert spread({"a": 3, "b": 1}, 8) == ["a", "a", "b", "a"] * 2
    assert spread({"a": 1, "b": 1}, 3) == ["a", "b", "a"]
    assert spread({}, 3) == [] and spread({"a": 0}, 3) == []


def test_nobody_takes_an_order_in_a_break() -> None:
    """One courier who rests from 30 to 90: what is ready then waits until the break is over."""
    day = a_day(orders=8, couriers=1)
    trips = [replace(one, placed=10.0, told=40.0, ready=40.0, due=60.0) for one in day.trips]
    awake, resting = (
        replace(day, trips=trips, turns=[replace(day.turns[0], breaks=pause)]) for pause in ((), ((30.0, 90.0),))
    )
    assert ran(resting, Terms("timely"))["click"] > ran(awake, Terms("timely"))["click"] + 40
    assert ran(resting, Terms("timely"))["hours"] == 3.0
    assert built(resting, Terms("timely")).on.tolist() == [0, 90]


@pytest.mark.parametrize("policy", ["timely", "nearest", "matching", "reyes"])
def test_vehicles_ride_at_their_own_pace(policy: str) -> None:
    """On foot all take longer; of a mixed team the log keeps every rule that is checked from the log alone."""
    day = a_day()
    paces = [17 / 20, 1.0, 17 / 4.8]
    walking = replace(day, turns=[replace(one, pace=17 / 4.8) for one in day.turns])
    mixed = replace(day, turns=[replace(one, pace=paces[n % 3]) for n, one in enumerate(day.turns)])
    riding, on_foot, both = (ran(one, Terms(policy)) for one in (day, walking, mixed))
    assert on_foot["click"] > both["click"] > riding["click"]
    assert on_foot["violations"] == both["violations"] == 0
    assert built(day, Terms(policy)).pace is None


def test_what_each_turn_brought_adds_up() -> None:
    day = a_day(orders=30, couriers=4)
    column = ran(day, Terms("timely", couriers=50))
    assert sum(orders for _, _, orders, _ in column["duties"]) == column["delivered"] == 30
    assert sum(earned for *_, earned in column["duties"]) == column["pay"] == 30 * 700
    assert len(column["duties"]) == 2
    turns = [replace(day.turns[0], guaranteed=120), *day.turns[1:]]
    trips = [replace(one, by="c0" if number < 5 else "c9") for number, one in enumerate(day.trips)]
    was = happened(replace(day, trips=trips, turns=turns))
    # What was brought in no shift that is known earns its pay and counts for nobody.
    assert was["duties"][0] == ("c0", 120, 5, 3500) and was["duties"][-1] == ("", 0, 0, 25 * 700)
