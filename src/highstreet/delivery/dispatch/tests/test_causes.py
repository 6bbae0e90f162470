"""Why it is late: one cause at a time, the one that holds now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, get_args

import pytest

from ..rules.causes import IN_STORE, LATE_SECONDS, MOVING, Cause, Facts, cause
from ..states import MACHINE

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
EARLIER, SOON = NOW - timedelta(minutes=20), NOW + timedelta(minutes=10)
PACKED: dict[str, Any] = {"ready_by": EARLIER, "ready_at": EARLIER}

CASES: list[tuple[Cause, str, dict[str, Any]]] = [
    # The goods are missing, whoever else is.
    ("not_packed", IN_STORE, {"ready_by": EARLIER}),
    ("not_packed", IN_STORE, {"ready_by": SOON}),
    ("not_packed", "waiting", {"ready_by": EARLIER}),
    ("not_packed", "accepted", {"ready_by": EARLIER, "stops_before": 1, "other_courier": True}),
    ("not_packed", "waiting", {"ready_by": EARLIER, "other_store": True}),
    ("goods_awaited", "at_store", {"ready_by": EARLIER}),
    ("other_store", IN_STORE, {"ready_by": SOON, "other_store": True}),
    ("other_store", "waiting", {"ready_by": SOON, "other_store": True}),
    # Somebody to bring them is.
    ("no_courier", "waiting", PACKED),
    ("no_courier", "assigned", PACKED),
    ("no_courier", "waiting", {"ready_by": SOON}),
    ("no_courier", "waiting", PACKED | {"other_store": True}),
    ("other_courier", "waiting", PACKED | {"other_courier": True}),
    ("other_courier", "accepted", PACKED | {"other_courier": True}),
    ("other_door", "accepted", PACKED | {"stops_before": 2, "other_courier": True}),
    ("courier_late", "accepted", PACKED),
    ("courier_late", "accepted", {"ready_by": EARLIER, "ready_at": NOW}),
    ("courier_late", "at_store", PACKED),
    ("courier_late", "at_store", {"ready_by": SOON}),
    # On the way: what was missing before.
    ("other_door", "picked_up", PACKED | {"stops_before": 1, "picked_up_at": EARLIER}),
    ("other_courier", "picked_up", PACKED | {"other_courier": True, "picked_up_at": EARLIER}),
    ("other_store", "at_door", PACKED | {"other_store": True, "picked_up_at": EARLIER}),
    ("packed_late", "picked_up", {"ready_by": EARLIER, "ready_at": NOW, "picked_up_at": NOW}),
    ("packed_late", "at_store", {"ready_by": EARLIER, "ready_at": NOW}),
    ("courier_late", "picked_up", PACKED | {"picked_up_at": NOW}),
    ("slow_ride", "picked_up", PACKED | {"picked_up_at": EARLIER + timedelta(minutes=2)}),
    ("slow_ride", "at_door", PACKED | {"picked_up_at": EARLIER}),
]


@pytest.mark.parametrize(("expected", "status", "facts"), CASES)
def test_one_cause(expected: Cause, status: str, facts: dict[str, Any]) -> None:
    assert cause(Facts(NOW, status, **facts), LATE_SECONDS) == expected


def test_every_cause_has_a_case() -> None:
    assert {case[0] for case in CASES} == set(get_args(Cause)) - {""}


def test_in_time_and_ended_have_none() -> None:
    late = Facts(NOW, "waiting", **PACKED)
    assert (cause(late, LATE_SECONDS - 1), cause(late, LATE_SECONDS)) == ("", "no_courier")
    gone = MACHINE.states() - set(MOVING)
    assert gone == {"failed", "returned", "delivered", "cancelled"}
    assert {cause(replace(late, status=status), 3600) for status in gone} == {""}


def test_a_minute_behind_is_no_cause() -> None:
    """Stores and couriers have their slack, and the store's is not the courier's."""
    just = NOW - timedelta(seconds=59)
    assert cause(Facts(NOW, "waiting", just), 60) == "no_courier"
    assert cause(Facts(NOW, "waiting", NOW - timedelta(seconds=60)), 60) == "not_packed"
    taken = Facts(NOW, "picked_up", EARLIER, EARLIER, EARLIER + timedelta(seconds=299))
    assert cause(taken, 60) == "slow_ride"
    assert cause(replace(taken, picked_up_at=EARLIER + timedelta(seconds=300)), 60) == "courier_late"


def test_whatever_is_late_on_its_way_has_a_cause() -> None:
    moments = (None, EARLIER, NOW)
    for status, ready_by, ready_at, taken, stops, courier, store in product(
        MOVING, (EARLIER, SOON), moments, moments, (0, 1), (False, True), (False, True)
    ):
        assert cause(Facts(NOW, status, ready_by, ready_at, taken, stops, courier, store), 60)
