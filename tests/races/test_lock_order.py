"""Whoever locks several rows locks them in one order, and whoever gives back or uses up is alone with the hold.

An order is seen, not hoped for: another transaction has the row that must come last; while the work waits for it, the
row that must come first is locked. The rows lie in their tables the other way round and the plan may not go by an
index, so that no order comes about by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from highstreet.kernel import clock, holds, ids, scarcity
from highstreet.kernel.holds import Claim
from highstreet.kernel.models import Hold
from highstreet.kernel.refusal import Refused
from highstreet.kernel.tests.support import counts, couriers, flash, shares, shelves, take, units
from highstreet.supply.inventory.models import StockShare
from tests.support import crowd

pytestmark = pytest.mark.django_db(transaction=True)

Row = tuple[str, UUID]
LEVELS, SHARES, SLOTS, HOLDS = "inventory_stocklevel", "inventory_stockshare", "promise_capacityslot", "kernel_hold"
UNITS = scarcity._scarce["units"]


def locked(row: Row, *, wait: bool) -> bool:
    """Lock a row in this transaction; without `wait`, whether another has it."""
    with connection.cursor() as cursor:
        skip = "" if wait else " SKIP LOCKED"
        cursor.execute(f"SELECT 1 FROM {row[0]} WHERE id = %s FOR NO KEY UPDATE{skip}", [row[1]])  # noqa: S608
        return cursor.fetchone() is None


def first_of(first: Row, last: Row, work: Callable[[], object]) -> bool:
    """Whether `work`, which is undone, has locked `first` when it comes to wait for `last`."""
    has_last, seen = threading.Event(), []

    def other() -> None:
        with transaction.atomic():
            locked(last, wait=True)
            has_last.set()
            crowd.until_somebody_waits()
            seen.append(locked(first, wait=False))

    def worker() -> None:
        assert has_last.wait(10)
        with connection.cursor() as cursor:
            for plan in ("indexscan", "bitmapscan", "indexonlyscan"):
                cursor.execute(f"SET enable_{plan} = off")
        with transaction.atomic():
            work()
            transaction.set_rollback(True)

    results = crowd.at_once([other, worker])
    assert results == {"done": 2}, results
    return seen == [True]


@pytest.fixture
def levels() -> list[UUID]:
    """Two plain shelves, in the order of their ids."""
    return shelves(20, 20)


@pytest.fixture
def hot(levels: list[UUID]) -> list[UUID]:
    """The shelves as flash sales, one unit or two in each share."""
    for level in levels:
        flash(level)
    return levels


def holding(*claims: Claim, confirmed: bool = False) -> UUID:
    """A group that holds all of `claims`, the last one's hold written first."""
    group = ids.new_id()
    for claim in reversed(claims):
        with transaction.atomic():
            take(group, claim, confirmed=confirmed)
    return group


def held(group: UUID) -> list[Row]:
    found = Hold.objects.filter(group=group).order_by("kind", "resource")
    return [(HOLDS, hold) for hold in found.values_list("id", flat=True)]


VERBS: dict[str, Callable[[UUID], object]] = {
    "confirm": holds.confirm,
    "release": holds.release,
    "consume": lambda group: holds.consume(group, "units"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_holds_then_rows_in_the_order_of_their_ids(levels: list[UUID], verb: str) -> None:
    group = holding(units(levels[0]), units(levels[1]), confirmed=verb == "consume")
    rows = [*held(group), (LEVELS, levels[0]), (LEVELS, levels[1])]
    for first, last in pairwise(rows):
        assert first_of(first, last, lambda: VERBS[verb](group)), (first, last)


def test_rows_are_taken_in_the_order_of_their_ids(levels: list[UUID]) -> None:
    claims = [units(level) for level in reversed(levels)]
    assert first_of((LEVELS, levels[0]), (LEVELS, levels[1]), lambda: take(ids.new_id(), *claims))


@pytest.mark.parametrize("verb", ["confirm", "release"])
def test_kinds_by_name_and_their_rows_by_rank(levels: list[UUID], verb: str) -> None:
    slot = couriers(5)
    group = holding(Claim("courier_capacity", slot, 1), units(levels[0]))
    for first, last in pairwise([*held(group), (SLOTS, slot), (LEVELS, levels[0])]):
        assert first_of(first, last, lambda: VERBS[verb](group)), (first, last)


def test_whoever_gathers_locks_row_by_row_and_share_by_share(hot: list[UUID]) -> None:
    rows: list[Row] = []
    for level in hot:
        found = list(StockShare.objects.filter(level=level).order_by("id").values_list("id", flat=True))
        for number, share in reversed(list(enumerate(found))):
            StockShare.objects.filter(pk=share).update(number=100 + number)
        rows += [(LEVELS, level), (SHARES, found[0]), (SHARES, found[15])]
    for first, last in pairwise(rows):
        assert first_of(first, last, lambda: holds.gather(UNITS, hot[::-1])), (first, last)


def shares_held() -> list[Row]:
    """The shares of which something is held or confirmed, in the order of their rows."""
    found = StockShare.objects.exclude(held=0, allocated=0).order_by("level", "id")
    return [(SHARES, share) for share in found.values_list("id", flat=True)]


@pytest.mark.parametrize("verb", ["confirm", "release"])
def test_rows_and_their_shares_by_turns(hot: list[UUID], verb: str) -> None:
    """A hold in a share of each row, and one in each row itself from before its sale."""
    for level in hot:
        flash(level, on=False)
    group = holding(*[units(level) for level in hot])
    for level in hot:
        flash(level)
    for level in hot[::-1]:
        with transaction.atomic():
            take(group, units(level))
    first, second = shares_held()
    for one, other in pairwise([(LEVELS, hot[0]), first, (LEVELS, hot[1]), second]):
        assert first_of(one, other, lambda: VERBS[verb](group)), (one, other)


def test_what_is_used_up_of_a_share_is_locked_from_the_hold_to_the_share(hot: list[UUID]) -> None:
    group = holding(units(hot[0]), units(hot[0]), confirmed=True)
    (used, other), share = held(group), shares_held()[0]
    for first, last in pairwise([used, other, (LEVELS, hot[0]), share]):
        assert first_of(first, last, lambda: holds.consume(group, "units", hot[0])), (first, last)


def second_of(first: Callable[[], object], second: Callable[[], object]) -> list[object]:
    """What two works say of which the second begins when the first is done and not committed."""
    done, said = threading.Event(), []

    def early() -> None:
        with transaction.atomic():
            said.append(first())
            done.set()
            crowd.until_somebody_waits()

    def late() -> None:
        assert done.wait(10)
        with transaction.atomic():
            said.append(second())

    results = crowd.at_once([early, late])
    assert results == {"done": 2}, results
    return said


@pytest.mark.parametrize("shared", [False, True], ids=["row", "share"])
@pytest.mark.parametrize(
    ("verbs", "said"),
    [
        (("release", "release"), [1, 0]),
        (("confirm", "release"), [True, 1]),
        (("release", "confirm"), [1, False]),
        (("confirm", "confirm"), [True, False]),
    ],
)
def test_a_hold_is_given_back_or_kept_once(
    levels: list[UUID], verbs: tuple[str, str], said: list[object], shared: bool
) -> None:
    if shared:
        flash(levels[0])
    group = holding(units(levels[0]))
    assert second_of(*[partial(VERBS[verb], group) for verb in verbs]) == said
    kept = 0 if "release" in verbs else 1
    on_row, on_share = counts(levels[0])[2], sum(one[2] for one in shares(levels[0]))
    assert (on_row, on_share) == ((0, kept) if shared else (kept, 0))
    assert crowd.broken() == []


@pytest.mark.parametrize("shared", [False, True], ids=["row", "share"])
@pytest.mark.parametrize("verb", ["consume", "release"])
def test_a_hold_is_used_up_once(levels: list[UUID], shared: bool, verb: str) -> None:
    if shared:
        flash(levels[0])
    group = holding(units(levels[0]), confirmed=True)

    def use() -> object:
        return holds.consume(group, "units", levels[0])

    assert second_of(use, use if verb == "consume" else partial(holds.release, group)) == [1, 0]
    assert counts(levels[0])[2] == sum(one[2] for one in shares(levels[0])) == 0
    assert Hold.objects.get(group=group).state == "consumed"


def test_a_share_that_another_has_is_passed_over(hot: list[UUID]) -> None:
    """The fullest share is locked: whoever comes takes from another, and waits for nobody."""
    fullest = StockShare.objects.filter(level=hot[0], units=2).order_by("id").values_list("id", flat=True)
    taken = threading.Event()

    def other() -> None:
        with transaction.atomic():
            for share in fullest:
                locked((SHARES, share), wait=True)
            taken.set()
            assert bought.wait(20)

    bought = threading.Event()

    def buyer() -> None:
        assert taken.wait(10)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '1s'")
            take(ids.new_id(), units(hot[0]))
        bought.set()

    results = crowd.at_once([other, buyer])
    assert results == {"done": 2}, results
    assert shares_held()[0][1] not in fullest


def lock_all(level: UUID) -> None:
    for share in StockShare.objects.filter(level=level).order_by("id").values_list("id", flat=True):
        locked((SHARES, share), wait=True)


def test_a_buyer_who_waits_for_a_share_takes_it_and_gathers_nothing(
    levels: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All shares are locked, and one alone has enough: it is waited for, whoever the buyer is."""
    flash(levels[0])
    enough = StockShare.objects.filter(level=levels[0]).order_by("id").values_list("id", flat=True)[9]
    StockShare.objects.filter(level=levels[0]).update(units=1)
    StockShare.objects.filter(pk=enough).update(units=5)

    def never(*_: object) -> None:
        raise AssertionError("there was no need to gather")

    monkeypatch.setattr(holds, "gather", never)

    def buy(group: UUID) -> None:
        take(group, units(levels[0], 5))
        assert Hold.objects.get(group=group).resource == enough
        transaction.set_rollback(True)

    for number in range(4):
        assert second_of(partial(lock_all, levels[0]), partial(buy, UUID(int=number))) == [None, None]


def test_a_basket_that_finds_all_shares_locked_gets_all_it_wants(hot: list[UUID]) -> None:
    group = ids.new_id()
    claims = [units(level) for level in hot]
    assert second_of(partial(lock_all, hot[0]), lambda: take(group, *claims)) == [None, None]
    assert [counts(level) for level in hot] == [(20, 1, 0, 19)] * 2
    assert Hold.objects.filter(group=group, kind="units").count() == 2


def test_who_misses_a_share_keeps_no_lock(hot: list[UUID]) -> None:
    share = StockShare.objects.filter(level=hot[0]).values_list("id", flat=True)[0]
    with transaction.atomic():
        taking = holds.Taking(ids.new_id(), clock.now() + timedelta(minutes=1), False)
        assert not holds._take_share(scarcity._scarce["unit_shares"], taking, Claim("unit_shares", share, 3))
        seen: list[bool] = []

        def other() -> None:
            with transaction.atomic():
                seen.append(locked((SHARES, share), wait=False))

        assert crowd.at_once([other]) == {"done": 1}
    assert seen == [False]


def test_what_goes_between_the_glance_and_the_lock_is_gone(levels: list[UUID], monkeypatch: pytest.MonkeyPatch) -> None:
    """A basket of a flash sale and a plain shelf whose units another buys just then: refused, and holds nothing."""
    flash(levels[0])
    glance = scarcity.look

    def meanwhile(*asked: Any) -> Any:
        seen = glance(*asked)
        if not Hold.objects.exists():
            assert crowd.at_once([partial(holding, units(levels[1], 20))]) == {"done": 1}
        return seen

    monkeypatch.setattr(holds, "look", meanwhile)
    group = ids.new_id()
    with pytest.raises(Refused) as refused, transaction.atomic():
        take(group, units(levels[0], name="hot"), units(levels[1], name="plain"))
    assert refused.value.facts["name"] == "plain"
    assert not Hold.objects.filter(group=group).exists()
    assert (counts(levels[0]), counts(levels[1])) == ((20, 0, 0, 20), (20, 20, 0, 0))
