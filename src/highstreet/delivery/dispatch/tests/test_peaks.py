"""Hand-made deliveries whose cause is known, and that the causes always add up to the lateness."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from ..rules.peaks import CAUSES, Course, bins, busiest, delays, lost, shared, together

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def course(**changed: Any) -> Course:
    """Ordered at 0; picked up at 10, eight minutes of riding, one at the door: expected at 19, promised by 25."""
    facts: dict[str, Any] = {
        "placed_at": at(0),
        "promised_to": at(25),
        "expected": at(19),
        "travel_seconds": 480.0,
        "ready_at": at(9),
        "picked_up_at": at(10),
        "at_door_at": at(18),
        "delivered_at": at(19),
        "pay": 780,
    }
    return Course(**{**facts, **changed})


def later(by: float, **changed: Any) -> Course:
    """As planned, but picked up `by` minutes later."""
    moments = {"picked_up_at": at(10 + by), "at_door_at": at(18 + by), "delivered_at": at(19 + by)}
    return course(**{**moments, **changed})


def test_in_time_nothing_is_lost() -> None:
    assert lost(course()) == {}
    assert lost(later(6)) == {}  # the reserve took it up
    assert lost(course(delivered_at=None)) == {}


def test_a_shop_that_packs_late() -> None:
    assert lost(later(10, ready_at=at(20))) == {"shop": 240}


def test_nobody_had_it_while_it_was_packed() -> None:
    assert lost(later(10, unassigned=((at(1), at(20)),))) == {"capacity": 240}


def test_a_courier_who_comes_late() -> None:
    assert lost(later(10, unassigned=((at(1), at(5)),))) == {"courier": 240}


def test_while_it_was_not_packed_nobody_else_is_to_blame() -> None:
    """Unassigned until 20, and packed at 20: sooner it could not have been picked up by anybody."""
    assert lost(later(10, ready_at=at(20), unassigned=((at(1), at(20)),))) == {"shop": 240}


def test_another_door_first() -> None:
    made = course(freed_at=at(20), at_door_at=at(28), delivered_at=at(29))
    assert delays(made)["bundle"] == 600
    assert lost(made) == {"bundle": 240}


def test_a_slow_ride() -> None:
    assert lost(course(at_door_at=at(28), delivered_at=at(29))) == {"travel": 240}


def test_another_door_costs_no_more_than_the_ride_took_longer() -> None:
    """On the way: two minutes for the other door, and the ride took only one longer."""
    made = later(9, freed_at=at(21), at_door_at=at(28), delivered_at=at(29))
    assert delays(made) == {"shop": 0, "capacity": 0, "courier": 540, "bundle": 60, "travel": 0, "door": 0}


def test_nobody_opens_the_door() -> None:
    assert lost(course(delivered_at=at(29))) == {"door": 240}


def test_several_causes_share_in_proportion_to_their_delay() -> None:
    """Packed 6 minutes late, the courier 3 more, the ride 1 more: 10 of delay, 4 of lateness."""
    made = course(ready_at=at(16), picked_up_at=at(19), at_door_at=at(28), delivered_at=at(29))
    assert lost(made) == {"shop": 144, "courier": 72, "travel": 24}


def test_what_was_early_excuses_what_was_late() -> None:
    """The ride gained two minutes: late by 2, all of it the shop's."""
    made = course(ready_at=at(20), picked_up_at=at(20), at_door_at=at(26), delivered_at=at(27))
    assert lost(made) == {"shop": 120}


def test_two_stretches_without_a_courier_both_count() -> None:
    made = later(12, unassigned=((at(2), at(14)), (at(17), at(20))))
    assert delays(made)["capacity"] == (4 + 3) * 60 and delays(made)["courier"] == 5 * 60


def test_without_the_door_tap_the_ride_has_it() -> None:
    assert lost(course(at_door_at=None, delivered_at=at(29))) == {"travel": 240}


def test_the_causes_always_add_up() -> None:
    draw = random.Random(7)
    for _ in range(3000):
        pick = draw.uniform(2, 60)
        door = pick + draw.uniform(0, 30)
        end = door + draw.uniform(0, 6)
        since = draw.uniform(0, 40)
        made = course(
            ready_at=draw.choice([None, at(draw.uniform(1, pick))]),
            unassigned=((at(since), at(since + draw.uniform(0, 20))),),
            picked_up_at=at(pick),
            freed_at=draw.choice([None, at(draw.uniform(0, 90))]),
            at_door_at=draw.choice([None, at(door)]),
            delivered_at=at(end),
            travel_seconds=draw.uniform(60, 1200),
            expected=at(draw.uniform(5, 50)),
            promised_to=at(draw.uniform(5, 50)),
        )
        found = lost(made)
        assert sum(found.values()) == made.late_seconds
        assert all(value > 0 and cause in CAUSES for cause, value in found.items())
        assert all(value >= 0 for value in delays(made).values())


def test_whole_seconds_by_largest_remainder() -> None:
    assert shared(10, {"shop": 1.0, "courier": 1.0, "travel": 1.0}) == {"shop": 4, "courier": 3, "travel": 3}
    assert shared(1, {"shop": 0.4, "door": 0.6}) == {"door": 1}


def test_a_day_in_bins() -> None:
    day = [
        course(),
        course(placed_at=at(4.9)),
        later(10, ready_at=at(20), placed_at=at(5)),
        course(placed_at=at(70), delivered_at=None),
        course(placed_at=at(-3), delivered_at=at(19.5)),
    ]
    made = bins(day, NOON, at(60))
    assert len(made) == 12
    assert [one.placed for one in made[:3]] == [2, 1, 0] and sum(one.placed for one in made) == 3
    arrived = made[3]
    assert (arrived.starts_at, arrived.done, arrived.late, arrived.pay) == (at(15), 3, 0, 3 * 780)
    assert (made[5].done, made[5].late, made[5].lost["shop"]) == (1, 1, 240)
    whole = together(made)
    assert (whole.placed, whole.done, whole.late, whole.lost_seconds) == (3, 4, 1, 240)


def test_the_busiest_half_hour() -> None:
    day = [course(placed_at=at(minute)) for minute in (0, 31, 36, 41, 58)]
    found = busiest(bins(day, NOON, at(120)))
    assert (found[0].starts_at, sum(one.placed for one in found)) == (at(30), 4)
