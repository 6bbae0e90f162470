"""The promise on plain values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .. import rules
from ..rules import Bin, Load

minutes = st.floats(0, 120)
seconds = st.floats(0, 3600)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))


@given(moments, minutes, seconds, minutes, seconds, st.one_of(st.none(), minutes))
def test_a_window_is_whole_minutes_after_now_and_holds_what_is_expected(
    now: datetime, prep: float, ride: float, courier: float, residual: float, later: float | None
) -> None:
    not_before = now + timedelta(minutes=later) if later is not None else None
    window = rules.offer(
        now, prep=prep, travel_seconds=ride, courier=courier, residual_seconds=residual, not_before=not_before
    )
    assert window.promised_from < window.promised_to
    for edge in (window.promised_from, window.promised_to, window.ready_by):
        assert (edge.second, edge.microsecond) == (0, 0)
    assert window.promised_to >= window.expected + timedelta(seconds=residual)
    assert window.promised_to - (window.expected + timedelta(seconds=residual)) < timedelta(minutes=1)
    assert window.promised_from <= window.expected
    assert window.ready_by >= now + timedelta(minutes=prep)
    assert window.ready_by <= window.promised_to
    if not_before is not None:
        assert window.expected >= not_before


@given(moments, minutes, seconds, minutes, seconds)
def test_more_of_anything_never_promises_earlier(
    now: datetime, prep: float, ride: float, courier: float, residual: float
) -> None:
    plain = rules.offer(now, prep=prep, travel_seconds=ride, courier=courier, residual_seconds=residual)
    for more in (
        rules.offer(now, prep=prep + 5, travel_seconds=ride, courier=courier, residual_seconds=residual),
        rules.offer(now, prep=prep, travel_seconds=ride + 300, courier=courier, residual_seconds=residual),
        rules.offer(now, prep=prep, travel_seconds=ride, courier=courier + 5, residual_seconds=residual),
        rules.offer(now, prep=prep, travel_seconds=ride, courier=courier, residual_seconds=residual + 300),
    ):
        assert more.promised_to >= plain.promised_to


@given(st.sampled_from([*rules.PICKERS, "kiosk"]), st.integers(1, 200), st.integers(0, 50), st.integers(0, 500))
def test_a_fuller_shop_or_basket_takes_longer(kind: str, units: int, orders: int, waiting: int) -> None:
    plain = rules.prep_minutes(3, 20, units, Load(orders, waiting), kind)
    assert rules.prep_minutes(3, 20, units + 1, Load(orders, waiting), kind) > plain
    assert rules.prep_minutes(3, 20, units, Load(orders + 1, waiting + 1), kind) > plain
    assert plain > 3


def test_a_small_basket_in_an_idle_shop() -> None:
    assert rules.prep_minutes(3, 20, 3, Load(), "supermarket") == pytest.approx(5.0)
    now = datetime(2026, 11, 23, 18, 0, 30, tzinfo=UTC)
    window = rules.offer(now, prep=5.0, travel_seconds=400, courier=4, residual_seconds=360)
    # 18:00:30 + 5 min to pack + 1 to hand over + 6:40 to ride + 1 at the door = 18:14:10, + 6 = 18:20:10
    assert (window.promised_from, window.promised_to) == (
        now.replace(minute=14, second=0),
        now.replace(minute=21, second=0),
    )


@given(st.sampled_from(["delivery", "pickup"]), st.integers(0, 100), st.integers(0, 100))
def test_a_higher_quantile_asks_for_more(mode: str, low: int, high: int) -> None:
    low, high = sorted((low, high))
    assert rules.residual(rules.RESIDUALS[mode], low) <= rules.residual(rules.RESIDUALS[mode], high)


@given(st.floats(-7200, 7200), st.sampled_from(["delivery", "pickup"]), st.integers(1, 99))
def test_a_residual_has_its_bounds(seconds: float, mode: str, quantile: int) -> None:
    assert rules.residual(rules.RESIDUALS[mode], quantile) / 2 <= rules.bounded(seconds, mode, quantile)
    assert rules.bounded(seconds, mode, quantile) <= rules.MOST_RESIDUAL


def test_a_city_without_history_gets_the_tables_residual() -> None:
    for mode, duration in (("delivery", 1800.0), ("pickup", 600.0)):
        ranked = sorted(rules.beliefs(mode))
        assert ranked == rules.beliefs(mode)
        ninetieth = ranked[44] * rules.spread_seconds(duration, mode)
        assert ninetieth == pytest.approx(rules.residual(rules.RESIDUALS[mode], 90), rel=0.05)


@given(moments)
def test_slots_are_quarters_and_cover_three_hours(now: datetime) -> None:
    starts = rules.slot_starts(now)
    assert starts[0] <= now < starts[0] + timedelta(minutes=15)
    assert all(start.minute % 15 == 0 and start.second == 0 for start in starts)
    assert starts[-1] + timedelta(minutes=15) > now + timedelta(hours=3)


@given(moments, st.lists(st.integers(-2, 3), min_size=13, max_size=13), st.floats(0, 170))
def test_a_full_quarter_moves_the_promise_to_the_next_with_room(now: datetime, free: list[int], away: float) -> None:
    bins = [Bin(start, room) for start, room in zip(rules.slot_starts(now), free, strict=True)]
    expected = now + timedelta(minutes=away)
    found = rules.first_free(bins, expected)
    after = [one for one in bins if one.starts_at >= rules.slot_start(expected)]
    if found is None:
        assert all(one.free <= 0 for one in after)
    else:
        assert found.free > 0
        assert all(one.free <= 0 for one in after if one.starts_at < found.starts_at)


@given(st.integers(0, 500), st.floats(5, 60))
def test_capacity_grows_with_couriers_and_nobody_brings_nothing(couriers: int, cycle: float) -> None:
    assert rules.capacity(0, cycle) == 0
    assert rules.capacity(couriers + 2, cycle) > rules.capacity(couriers, cycle) - 1
    assert rules.capacity(40) == 30


def test_couriers_come_later_when_each_has_too_much() -> None:
    assert rules.courier_minutes(0, 0) == rules.LONGEST_WAIT_MINUTES
    assert rules.courier_minutes(0, 10) == rules.RIDE_TO_STORE_MINUTES
    # A quarter of them free: the nearest is twice as far.
    assert rules.courier_minutes(30, 40) == pytest.approx(2 * rules.RIDE_TO_STORE_MINUTES)
    # As many deliveries as couriers is not for ever, and not for free either; then each waits for a turn.
    assert 20 < rules.courier_minutes(10, 10) < 21
    assert rules.courier_minutes(20, 10) == pytest.approx(rules.courier_minutes(10, 10) + 20)
    assert rules.courier_minutes(1000, 10) == rules.LONGEST_WAIT_MINUTES


def test_in_time_means_not_after() -> None:
    at = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
    assert rules.judge(at, at) == ("kept", 0)
    assert rules.judge(at, at - timedelta(minutes=3)) == ("kept", -180)
    assert rules.judge(at, at + timedelta(milliseconds=1)) == ("broken", 1)


def test_a_shops_pace_is_believed_by_as_much_as_it_has_packed() -> None:
    assert rules.pace(0.7, 0) == 1.0
    assert 1.0 < rules.pace(0.7, 2) < rules.pace(0.7, 20) < rules.pace(0.7, 2000) < 2.02
    assert rules.pace(-3.0, 2000) == pytest.approx(rules.LEAST_PACE)
    assert rules.pace(3.0, 2000) == pytest.approx(rules.MOST_PACE)


@given(moments, minutes, minutes, seconds, minutes)
def test_a_shop_that_waits_has_packed_when_the_courier_comes_and_before_it_closes(
    now: datetime, prep: float, comes_in: float, spare: float, open_for: float
) -> None:
    comes, closes = now + timedelta(minutes=comes_in), now + timedelta(minutes=open_for)
    found = rules.waits(now, comes, closes, prep=prep, spare_seconds=spare)
    if found is None:
        assert rules.begins(min(comes, closes), prep, spare) < now + rules.LEAST_WAIT + timedelta(minutes=1)
        return
    start_at, ready_by = found
    assert start_at >= now + rules.LEAST_WAIT and (start_at.second, start_at.microsecond) == (0, 0)
    assert min(comes, closes) - timedelta(minutes=1, seconds=1) < ready_by <= min(comes, closes)
    assert rules.begins(ready_by, prep, spare) == start_at


def test_the_shop_begins_at_once_where_little_would_be_waited() -> None:
    now, closes = datetime(2026, 11, 23, 15, 0, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)

    def starts(comes: int) -> int | None:
        found = rules.waits(now, now + timedelta(minutes=comes), closes, prep=6.0, spare_seconds=180.0)
        return None if found is None else (found[0] - now) // timedelta(minutes=1)

    assert [starts(comes) for comes in (3, 6, 13, 14, 25)] == [None, None, None, 5, 16]
