"""Holds on plain rows: what is taken, confirmed, used up, given back and forgotten, and what is left alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from highstreet.delivery.promise.models import CapacitySlot
from highstreet.kernel import clock, holds, ids
from highstreet.kernel.holds import Claim
from highstreet.kernel.models import Hold
from highstreet.kernel.refusal import Refused
from highstreet.supply.inventory.models import StockLevel

from .support import counts, couriers, shelves, take, units

pytestmark = pytest.mark.django_db


def states() -> list[str]:
    """Of all holds, in the order in which they were made."""
    return list(Hold.objects.order_by("id").values_list("state", flat=True))


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_claim_is_positive(quantity: int) -> None:
    (level,) = shelves(10)
    with pytest.raises(ValueError, match="positive"):
        take(ids.new_id(), units(level, 3), units(level, quantity))
    assert counts(level) == (10, 0, 0, 0)


def test_a_hold_is_written_as_it_was_claimed() -> None:
    (level,) = shelves(10)
    group = ids.new_id()
    take(group, units(level, 10))
    hold = Hold.objects.get()
    assert (hold.group, hold.kind, hold.resource) == (group, "units", level)
    assert (hold.quantity, hold.consumed, hold.state) == (10, 0, "held")
    assert hold.at < hold.expires_at


def test_the_first_that_is_not_there_is_named() -> None:
    enough, short, none = shelves(3, 2, 0)
    with pytest.raises(Refused) as refused, transaction.atomic():
        take(ids.new_id(), units(none, 1, "none"), units(short, 3, "short"), units(enough, 3, "enough"))
    assert refused.value.facts["name"] == "short"
    assert states() == []


def test_kinds_are_taken_in_the_order_of_their_ranks() -> None:
    """Couriers before units, the hottest last, however the basket lies; given back the same way."""
    (level,), slot = shelves(10), couriers(5)
    group = ids.new_id()
    for work in (
        lambda: take(group, units(level, 2), Claim("courier_capacity", slot, 1), units(level, 1)),
        lambda: holds.confirm(group),
        lambda: holds.release(group),
    ):
        with CaptureQueriesContext(connection) as told:
            work()
        tables = [
            table
            for query in told.captured_queries
            for table in ("promise_capacityslot", "inventory_stocklevel")
            if f"UPDATE {table}" in query["sql"]
        ]
        assert tables == ["promise_capacityslot", "inventory_stocklevel"]
    assert counts(level) == (10, 0, 0, 0)
    row = CapacitySlot.objects.get()
    assert (row.held, row.taken) == (0, 0)


def test_what_was_used_up_is_not_given_back() -> None:
    first, second = shelves(10, 10)
    group = ids.new_id()
    take(group, units(first, 2), units(second, 3), confirmed=True)
    assert holds.consume(group, "units", first) == 2
    assert holds.release(group) == 1
    assert states() == ["consumed", "released"]
    assert counts(first) == counts(second) == (10, 0, 0, 0)
    assert holds.release(group) == 0


def test_held_and_confirmed_are_given_back_from_where_they_were_counted() -> None:
    first, second = shelves(10, 10)
    group = ids.new_id()
    take(group, units(first, 2), confirmed=True)
    take(group, units(second, 3))
    assert (counts(first), counts(second)) == ((10, 0, 2, 0), (10, 3, 0, 0))
    assert holds.release(group) == 2
    assert counts(first) == counts(second) == (10, 0, 0, 0)


def test_a_group_is_confirmed_whole_or_not_at_all() -> None:
    first, second = shelves(10, 10)
    group = ids.new_id()
    assert not holds.confirm(group)
    take(group, units(first, 2))
    with clock.advanced(-timedelta(minutes=5)):
        take(group, units(second, 3))
    with clock.advanced(timedelta(minutes=6)):
        assert not holds.confirm(group)
    assert states() == ["held", "held"]
    assert holds.confirm(group)
    assert states() == ["confirmed", "confirmed"]


def test_a_hold_ends_at_its_moment() -> None:
    (level,) = shelves(10)
    group, now = ids.new_id(), clock.now()
    with clock.frozen(now):
        holds.take(group, [units(level)], now)
        assert not holds.confirm(group)


def test_only_the_ended_holds_of_a_group_are_forgotten() -> None:
    first, second, third = shelves(10, 10, 10)
    group, other = ids.new_id(), ids.new_id()
    for of, level, state in (
        (group, first, "released"),
        (other, first, "released"),
        (group, second, "expired"),
        (other, second, "expired"),
    ):
        take(of, units(level))
        Hold.objects.filter(group=of, resource=level).update(state=state)
    take(group, units(third))
    holds.forget(group)
    assert list(Hold.objects.order_by("id").values_list("group", "resource")) == [
        (other, first),
        (other, second),
        (group, third),
    ]
    take(group, units(first), units(second))


def test_using_up_is_of_one_group_kind_and_resource() -> None:
    (first, second), slot = shelves(10, 10), couriers(5)
    group, other = ids.new_id(), ids.new_id()
    for of in (group, other):
        take(of, units(first, 2), units(second, 3), Claim("courier_capacity", slot, 1), confirmed=True)
    assert holds.consume(group, "units", second, 2) == 2
    assert holds.consume(group, "units", second, 2) == 0
    assert holds.consume(group, "units") == 2
    assert (counts(first), counts(second)) == ((10, 0, 2, 0), (10, 0, 3, 0))
    assert CapacitySlot.objects.get().taken == 2
    used = Hold.objects.filter(group=group).order_by("id").values_list("kind", "consumed", "state")
    assert list(used) == [("courier_capacity", 0, "confirmed"), ("units", 2, "consumed"), ("units", 2, "consumed")]
    assert set(Hold.objects.filter(group=other).values_list("state", flat=True)) == {"confirmed"}


def test_what_is_only_held_is_not_used_up() -> None:
    (level,) = shelves(10)
    group = ids.new_id()
    take(group, units(level, 2))
    assert holds.consume(group, "units", level) == 0
    assert counts(level) == (10, 2, 0, 0)


def test_no_more_is_used_up_than_is_held() -> None:
    (level,) = shelves(10)
    group = ids.new_id()
    take(group, units(level, 2), confirmed=True)
    assert holds.consume(group, "units", level, 5) == 2
    assert Hold.objects.get().consumed == 2


def test_a_row_that_is_gone_is_no_small_matter() -> None:
    first, second = shelves(10, 10)
    group = ids.new_id()
    take(group, units(first), units(second))
    StockLevel.objects.filter(pk=first).delete()
    with pytest.raises(RuntimeError), transaction.atomic():
        holds.release(group)
    assert states() == ["held", "held"]


def test_scarce_things_are_told_in_the_order_of_their_names() -> None:
    kinds = [thing.kind for thing in holds.registered()]
    assert kinds == sorted(kinds)
    assert {"courier_capacity", "unit_shares", "units"} <= set(kinds)


def test_what_is_declared_and_claimed_is_fixed() -> None:
    thing = holds.registered()[-1]
    assert thing.shares
    for fixed in (thing, thing.shares, Claim("units", ids.new_id(), 1)):
        with pytest.raises(AttributeError):
            fixed.kind = "another"  # type: ignore[misc]
