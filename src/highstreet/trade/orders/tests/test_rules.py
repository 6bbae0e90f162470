from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from highstreet.trade.orders import rules
from highstreet.trade.orders.ports import PromiseOffer
from highstreet.trade.orders.rules import Candidate, Offered
from highstreet.trade.orders.states import ORDER, PAYMENT, Axes, derive

ids = st.uuids(version=4)
times = st.datetimes(timezones=st.just(UTC), min_value=datetime(2026, 1, 1), max_value=datetime(2026, 1, 2))
candidates = st.lists(
    st.builds(Candidate, ids, st.lists(ids, max_size=3).map(tuple), st.booleans(), st.floats(0, 9000)),
    max_size=12,
    unique_by=lambda one: one.store_id,
)
offers = st.lists(
    st.builds(Offered, ids, times, st.floats(0, 9000), st.booleans()), max_size=8, unique_by=lambda one: one.store_id
)


@given(candidates, st.data())
def test_only_stores_with_everything_are_asked(found: list[Candidate], data: st.DataObject) -> None:
    preferred = data.draw(st.sampled_from([None, *(one.store_id for one in found)]))
    asked = rules.to_ask(found, preferred)
    assert len(asked) <= rules.MAX_ASKED
    assert all(not one.missing for one in asked)
    whole = {one.store_id for one in found if not one.missing}
    assert not whole or asked
    if preferred in whole:
        assert asked[0].store_id == preferred


@given(offers, st.data())
def test_the_preferred_store_wins_unless_it_is_late(found: list[Offered], data: st.DataObject) -> None:
    preferred = data.draw(st.sampled_from([None, *(one.store_id for one in found)]))
    best = rules.best(found, preferred)
    assert (best is None) == (not found)
    if best is not None and (best.store_id != preferred or best.later):
        assert best.promised_to == min(one.promised_to for one in found)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.data())
def test_the_payment_axis_follows_the_money(due: int, captured: int, data: st.DataObject) -> None:
    returned = data.draw(st.integers(0, captured))
    state = rules.payment_state(due=due, captured=captured, returned=returned)
    assert (state == "unpaid") == (captured == 0)
    assert (state == "refunded") == (captured > 0 and returned == captured)
    if state == "paid":
        assert captured - returned == due
    if state == "overpaid":
        assert captured - returned > due
    if state in ("partially_paid", "partially_refunded"):
        assert captured - returned < due or due == 0
    assert state in PAYMENT.states()


@given(st.integers(0, 10**6), st.lists(st.integers(1, 10**6), max_size=6))
def test_what_was_not_owed_is_told_payment_by_payment(due: int, amounts: list[int]) -> None:
    captured = surplus = 0
    for amount in amounts:
        captured += amount
        part = rules.surplus_of(due=due, captured=captured, amount=amount)
        assert 0 <= part <= amount
        surplus += part
    assert captured - surplus == min(due, captured)


@given(st.integers(1, 10**6), st.integers(-10, 10**6))
def test_a_compensation_is_money_first(amount: int, left: int) -> None:
    money, points = rules.split_compensation(amount, left)
    assert money + points == amount
    assert 0 <= money <= max(0, left)
    assert points == 0 or money == max(0, left)


@given(st.text(max_size=300), st.integers(0, 200))
def test_text_is_kept_clean_or_not_at_all(text: str, most: int) -> None:
    words = rules.clean(text, most)
    if words is not None:
        assert len(words) <= most
        assert words.isprintable()
        assert words == words.strip()
        words.encode()


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "x" * 161, "a\x1b[31m", "‮gnp.exe"])
def test_signs_that_nobody_types_are_refused(text: str) -> None:
    assert rules.clean(text, 160) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("138 0000-1111", "13800001111"),
        ("+55 (51) 99999.0000", "+5551999990000"),
        ("1234", None),
        ("phone", None),
        ("1" * 16, None),
        ("１３８００００１１１１", None),
        ("\x0013800001111", None),
        ("", None),
    ],
)
def test_phones(text: str, number: str | None) -> None:
    assert rules.clean_phone(text) == number


@given(st.text())
def test_any_text_is_a_phone_or_not(text: str) -> None:
    number = rules.clean_phone(text)
    assert number is None or number.lstrip("+").isascii()


@given(st.floats(), st.floats())
def test_a_place_is_on_earth(lat: float, lon: float) -> None:
    assert rules.is_place(lat, lon) == (abs(lat) <= 90 and abs(lon) <= 180)


@given(st.sets(st.integers(0, 2**30 - 1), max_size=200))
def test_numbers_of_orders_are_short_and_differ(sequence: set[int]) -> None:
    numbers = {rules.number_of(value) for value in sequence}
    assert len(numbers) == len(sequence)
    assert all(len(number) == 6 for number in numbers)


def test_a_thousand_orders_in_a_row_look_unlike() -> None:
    numbers = [rules.number_of(value) for value in range(1000)]
    assert len(set(numbers)) == 1000
    assert all(first[:2] != second[:2] for first, second in pairwise(numbers))


@given(times, times, times, st.none() | ids, st.text(max_size=20))
def test_an_offer_survives_its_quote(
    start: datetime, end: datetime, ready: datetime, slot: UUID | None, why: str
) -> None:
    offer = PromiseOffer(start, end, ready, 95, {"ride": 7}, slot, why)
    assert PromiseOffer.from_json(offer.to_json()) == offer


def test_a_promise_may_slip_by_the_grace_and_no_more() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert rules.still_wanted(at, at + rules.REROUTE_GRACE, rules.REROUTE_GRACE)
    assert not rules.still_wanted(at, at + rules.REROUTE_GRACE + timedelta(seconds=1), rules.REROUTE_GRACE)


def test_a_window_is_told_while_the_promise_is_still_its_own() -> None:
    five, six = datetime(2026, 1, 1, 17, tzinfo=UTC), datetime(2026, 1, 1, 18, tzinfo=UTC)
    assert rules.kept_slot(five.isoformat(), "delivery", five, six) == five
    assert rules.kept_slot(six.isoformat(), "pickup", five, six) == six
    for slot, mode in ((None, "delivery"), ("", "pickup"), (six.isoformat(), "delivery"), (five.isoformat(), "pickup")):
        assert rules.kept_slot(slot, mode, five, six) is None


@pytest.mark.parametrize(
    ("axes", "status"),
    [
        (Axes(None), "pending"),
        (Axes("pending"), "confirmed"),
        (Axes("rejected"), "confirmed"),
        (Axes("delivered"), "completed"),
        (Axes(None, "expired"), "expired"),
        (Axes("picking", "customer"), "cancelled"),
        (Axes("delivered", "customer"), "completed"),
    ],
)
def test_the_status_is_derived(axes: Axes, status: str) -> None:
    assert derive(axes) == status


def test_the_machines_end_where_they_should() -> None:
    assert ORDER.finals() == {"completed", "cancelled"}
    assert ORDER.states() == {"pending", "confirmed", "completed", "cancelled", "expired"}
    assert "unpaid" not in PAYMENT.table.values()
