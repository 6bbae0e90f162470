"""Money, identifiers and refusals, without a database."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from highstreet.kernel import clock, ids
from highstreet.kernel.money import Money, split_by_weight


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
def test_a_split_sums_exactly_and_is_fair(amount: int, weights: list[int]) -> None:
    parts = split_by_weight(amount, weights)
    assert sum(parts) == amount
    assert min(parts) >= 0
    total = sum(weights) or len(weights)
    for part, weight in zip(parts, weights if sum(weights) else [1] * len(weights), strict=True):
        assert abs(part * total - amount * weight) < total


def test_splits_refuse_what_makes_no_sense() -> None:
    for amount, weights in ((-1, [1]), (1, []), (1, [-1, 2])):
        with pytest.raises(ValueError):
            split_by_weight(amount, weights)


def test_currencies_do_not_add() -> None:
    with pytest.raises(ValueError):
        Money(1, "CNY") + Money(1, "EUR")


@given(st.integers(0, 2**128 - 1))
def test_public_identifiers_come_back(number: int) -> None:
    value = uuid.UUID(int=number)
    assert ids.private("ord", ids.public("ord", value)) == value
    assert ids.private("str", ids.public("ord", value)) is None


@pytest.mark.parametrize(
    "text", ["", "ord_", "ord_" + "u" * 26, "ord_" + "z" * 26, "ord", "ord_\x00", "ord_" + "0" * 25]
)
def test_wrong_identifiers_are_none(text: str) -> None:
    assert ids.private("ord", text) is None


def test_identifiers_are_version_7_and_ordered_in_time() -> None:
    made = [ids.new_id() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert all(value.version == 7 and value.variant == uuid.RFC_4122 for value in made)


def test_business_time_runs_at_its_rate() -> None:
    rate = clock.Rate(wall_start=1000.0, business_start=5000.0, speed=60.0)
    assert rate.at(1002.0) == datetime.fromtimestamp(5120.0, tz=UTC)
