from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from .. import rules
from ..rules import Task
from ..states import BEFORE_PICK_UP, CARRIED, ENDED, LIVE, MACHINE

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
STORES = {UUID(int=number): (0.0, float(number)) for number in (1, 2, 3)}


def task(number: int, status: str, sequence: int = 0, store: int = 1, ready: int = 0) -> Task:
    return Task(
        UUID(int=100 + number),
        status,
        sequence,
        UUID(int=store),
        STORES[UUID(int=store)],
        (1.0, float(number)),
        NOW + timedelta(seconds=ready),
    )


tasks = st.lists(
    st.tuples(st.sampled_from(LIVE), st.integers(0, 5), st.integers(1, 2), st.none() | st.integers(0, 5)), max_size=8
).map(lambda rows: [replace(task(number, *row[:3]), pick=row[3]) for number, row in enumerate(rows)])


@given(tasks)
def test_every_task_has_its_door_or_its_way_back_once_and_pick_up_comes_first(given: list[Task]) -> None:
    route = rules.stops(given)
    doors = [stop.deliveries[0] for stop in route if stop.kind in ("dropoff", "return")]
    assert sorted(doors) == sorted(one.delivery_id for one in given)
    seen: set[UUID] = {one.delivery_id for one in given if one.status in CARRIED}
    for stop in route:
        if stop.kind == "pickup":
            seen |= set(stop.deliveries)
        else:
            assert stop.deliveries[0] in seen
    assert len([stop for stop in route if stop.kind == "pickup"]) == len(
        {one.store_id for one in given if one.status in BEFORE_PICK_UP}
    )


@given(tasks)
def test_a_schedule_only_goes_forward(given: list[Task]) -> None:
    timed = rules.schedule(rules.stops(given), (0, 0), NOW, lambda a, b: 60.0)
    at = NOW
    for stop in timed:
        assert stop.arrive >= at and stop.leave > stop.arrive
        at = stop.leave


def test_in_the_bag_first_then_back_then_the_next_store() -> None:
    route = rules.stops(
        [
            task(1, "accepted", 3, store=2),
            task(2, "failed", 1),
            task(3, "picked_up", 2),
            task(4, "assigned", 4, store=2),
        ]
    )
    assert [(stop.kind, [one.int - 100 for one in stop.deliveries]) for stop in route] == [
        ("dropoff", [3]),
        ("return", [2]),
        ("pickup", [1, 4]),
        ("dropoff", [1]),
        ("dropoff", [4]),
    ]


def test_a_courier_waits_until_it_is_packed() -> None:
    (pickup, door) = rules.schedule(rules.stops([task(1, "accepted", ready=600)]), (0, 0), NOW, lambda a, b: 60.0)
    assert pickup.arrive == NOW + timedelta(seconds=60)
    assert door.arrive == NOW + timedelta(seconds=600 + rules.AT_STORE_SECONDS + 60)


@given(st.integers(0, 10**5), st.integers(0, 10**4), st.integers(-10, 10**5))
def test_pay_is_base_and_road(base: int, per_km: int, metres: int) -> None:
    assert abs(rules.pay(base, per_km, metres) - (base + per_km * max(metres, 0) / 1000)) <= 0.5
    assert rules.pay(600, 100, 2345) == 835


@given(st.text())
def test_only_the_code_is_the_code(text: str) -> None:
    digits = "".join(str(int(char)) for char in text if char.isdecimal())
    assert rules.same_code(text, "4711") == (digits == "4711")
    assert not rules.same_code(text, "")
    assert rules.same_code(" ４7 11", "4711")


def test_lapse_is_two_minutes_but_never_too_short_for_a_person() -> None:
    assert rules.lapse_seconds(1.0) == 120
    assert rules.lapse_seconds(60.0) == 360


def test_the_states_are_the_ones_the_database_knows() -> None:
    known = {
        "waiting",
        "assigned",
        "accepted",
        "at_store",
        "picked_up",
        "at_door",
        "delivered",
        "failed",
        "returned",
        "cancelled",
    }
    assert MACHINE.states() == known
    assert MACHINE.finals() == set(ENDED)
    assert set(LIVE) | set(ENDED) | {"waiting"} == known


def ride(number: int, status: str, pick: int | None, sequence: int, store: int) -> Task:
    return replace(task(number, status, sequence, store), pick=pick)


def route(given: list[Task]) -> list[tuple[str, list[int]]]:
    return [(stop.kind[0], [one.int - 100 for one in stop.deliveries]) for stop in rules.stops(given)]


def test_one_ride_collects_at_both_stores_before_its_doors() -> None:
    """As it was planned: the second store's order is brought first; and at every state on the way."""
    planned = [("a", 1, 1, 4, 1), ("b", 2, 2, 3, 2)]

    def at(one: str, two: str) -> list[tuple[str, list[int]]]:
        return route(
            [ride(number, status, *rest) for (_, number, *rest), status in zip(planned, (one, two), strict=True)]
        )

    assert at("assigned", "assigned") == [("p", [1]), ("p", [2]), ("d", [2]), ("d", [1])]
    assert at("picked_up", "accepted") == [("p", [2]), ("d", [2]), ("d", [1])]
    assert at("accepted", "picked_up") == [("p", [1]), ("d", [2]), ("d", [1])]
    assert at("picked_up", "picked_up") == [("d", [2]), ("d", [1])]
    assert at("at_door", "accepted") == [("d", [1]), ("p", [2]), ("d", [2])]
    assert at("failed", "accepted") == [("r", [1]), ("p", [2]), ("d", [2])]


def test_what_comes_after_a_ride_to_several_stores_waits_for_its_end() -> None:
    first = [ride(1, "picked_up", 1, 3, 1), ride(2, "accepted", 2, 4, 2)]
    assert route([*first, ride(3, "accepted", None, 5, 3)])[-2:] == [("p", [3]), ("d", [3])]
    # Of a store that is visited anyway: taken along, brought after that visit's doors.
    assert route([*first, ride(3, "accepted", None, 5, 2)]) == [("p", [2, 3]), ("d", [1]), ("d", [2]), ("d", [3])]
    # The next ride's goods do not keep what is in the bag.
    later = [ride(3, "accepted", 5, 7, 1), ride(4, "accepted", 6, 8, 3)]
    assert route([first[0], *later]) == [("d", [1]), ("p", [3]), ("p", [4]), ("d", [3]), ("d", [4])]
