"""Holds where the free quantity lies in shares: to the unit, in the right rows, without a wait where none is due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from highstreet.kernel import holds, ids, scarcity
from highstreet.kernel.holds import Claim
from highstreet.kernel.models import Hold
from highstreet.kernel.refusal import Refused
from highstreet.supply.inventory.models import StockLevel, StockShare

from .support import counts, couriers, flash, shares, shelves, take, units

pytestmark = pytest.mark.django_db

UNITS = scarcity._scarce["units"]


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From then on nothing is gathered and nobody waits: what is free in an unlocked share is taken from there."""

    def never(*_: object) -> None:
        raise AssertionError("there was no need to wait")

    def begin() -> None:
        monkeypatch.setattr(holds, "gather", never)
        monkeypatch.setattr(holds, "_take_share", never)

    return begin


def look(*levels: UUID) -> dict[UUID, scarcity.Seen]:
    assert UNITS.shares
    return scarcity.look(UNITS, UNITS.shares, list(levels))


def free(level: UUID) -> list[int]:
    """What is free in each share that has something, the most first."""
    return sorted((free for _, free in look(level)[level].shares), reverse=True)


@pytest.mark.parametrize("on_hand", [0, 1, 3, 16, 35])
def test_free_units_are_spread_evenly(on_hand: int) -> None:
    (level,) = shelves(on_hand)
    flash(level)
    assert counts(level) == (on_hand, 0, 0, on_hand)
    least, odd = divmod(on_hand, 16)
    assert Counter(shares(level)) == +Counter({(least + 1, 0, 0): odd, (least, 0, 0): 16 - odd})


def test_only_what_is_asked_for_and_spreads_is_spread() -> None:
    hot, warm, plain = shelves(20, 20, 20)
    flash(hot)
    flash(warm)
    assert UNITS.shares
    holds.gather(UNITS, [warm, hot])
    assert (counts(hot)[3], counts(warm)[3]) == (0, 0)
    holds.spread(UNITS, [hot, plain])
    assert (counts(hot)[3], counts(warm)[3], counts(plain)[3]) == (20, 0, 0)
    assert sum(one[0] for one in shares(hot)) == 20
    assert sum(one[0] for one in shares(warm)) == 0


def test_what_is_spread_again_comes_on_top() -> None:
    (level,) = shelves(16)
    flash(level)
    StockLevel.objects.filter(pk=level).update(on_hand=18)
    holds.spread(UNITS, [level])
    assert counts(level) == (18, 0, 0, 18)
    assert Counter(shares(level)) == Counter({(2, 0, 0): 2, (1, 0, 0): 14})


def test_only_what_is_asked_for_and_free_is_gathered() -> None:
    hot, warm = shelves(32, 32)
    flash(hot)
    flash(warm)
    take(ids.new_id(), units(hot, 2))
    take(ids.new_id(), units(hot, 1), confirmed=True)
    holds.gather(UNITS, [hot])
    assert counts(hot) == (32, 0, 0, 3)
    assert Counter(shares(hot)) == Counter({(0, 0, 0): 14, (2, 2, 0): 1, (1, 0, 1): 1})
    assert counts(warm) == (32, 0, 0, 32)
    assert Counter(shares(warm)) == Counter({(2, 0, 0): 16})


def test_what_has_no_shares_is_not_gathered() -> None:
    couriers(3)
    capacity = scarcity._scarce["courier_capacity"]
    for verb in (holds.gather, holds.spread):
        with pytest.raises(ValueError, match="no shares"):
            verb(capacity, [])


def test_a_glance_tells_what_is_free_and_where() -> None:
    hot, plain = shelves(3, 5)
    flash(hot)
    take(ids.new_id(), units(plain, 2))
    seen = look(hot, plain)
    owned = set(StockShare.objects.filter(level=hot, units__gt=0).values_list("id", "units"))
    assert (seen[hot].spread, seen[hot].free, set(seen[hot].shares)) == (True, 3, owned)
    assert len(seen[hot].shares) == 3
    assert (seen[plain].spread, seen[plain].free, seen[plain].shares) == (False, 3, [])
    assert look(ids.new_id()) == {}
    assert set(look(plain)) == {plain}


def test_a_glance_sees_what_lies_in_the_row_and_in_shares() -> None:
    """Of a sale with holds from before it, whose units come back to the row."""
    (level,) = shelves(6)
    before = ids.new_id()
    take(before, units(level, 2))
    flash(level)
    holds.release(before)
    assert (look(level)[level].free, free(level)) == (6, [1, 1, 1, 1])


def test_a_row_has_shares_while_it_is_on_sale_or_they_hold_something() -> None:
    (level,) = shelves(1)
    assert not look(level)[level].spread
    flash(level)
    holds_it = ids.new_id()
    take(holds_it, units(level))
    flash(level, on=False)
    # One unit lies in a share, held.
    assert counts(level) == (1, 0, 0, 1)
    assert look(level)[level].spread
    holds.release(holds_it)
    flash(level, on=False)
    assert counts(level) == (1, 0, 0, 0)
    assert not look(level)[level].spread
    StockLevel.objects.update(on_hand=0)
    flash(level)
    assert counts(level) == (0, 0, 0, 0)
    assert look(level)[level].spread


def test_the_fullest_share_is_taken_from(hurry: Callable[[], None]) -> None:
    (level,) = shelves(35)
    flash(level)
    # Every share has enough; the fullest is neither the first nor the last to be found.
    for number, held in ((range(16), 2), ([7], 5), ([9], 2)):
        StockShare.objects.filter(level=level, number__in=number).update(units=held)
    hurry()
    for left in (3, 2):
        take(ids.new_id(), units(level, 2))
        assert free(level)[0] == left
    assert Hold.objects.values_list("kind", flat=True).distinct().get() == "unit_shares"
    assert sorted(shares(level))[-1] == (5, 4, 0)


def test_who_waits_for_a_share_waits_for_one_that_has_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    (level,) = shelves(18)
    flash(level)
    enough = set(StockShare.objects.filter(level=level, units=2).values_list("id", flat=True))
    monkeypatch.setattr(holds, "_take_unlocked", lambda *_: False)  # as when others have locked every share
    for _ in enough:
        take(ids.new_id(), units(level, 2))
    assert set(Hold.objects.values_list("resource", flat=True)) == enough
    assert Counter(shares(level)) == Counter({(2, 2, 0): 2, (1, 0, 0): 14})


def test_the_last_unit_of_a_share_is_taken(hurry: Callable[[], None]) -> None:
    (level,) = shelves(16)
    flash(level)
    hurry()
    group = ids.new_id()
    take(group, units(level))
    assert Counter(shares(level)) == Counter({(1, 1, 0): 1, (1, 0, 0): 15})
    hold = Hold.objects.get()
    assert (hold.group, hold.kind, hold.quantity, hold.consumed, hold.state) == (group, "unit_shares", 1, 0, "held")
    assert StockShare.objects.get(pk=hold.resource).held == 1
    assert hold.at < hold.expires_at


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_basket_of_a_row_with_shares_and_one_without(confirmed: bool, hurry: Callable[[], None]) -> None:
    hot, plain, warm = shelves(20, 20, 20)
    flash(hot)
    flash(warm)
    hurry()
    take(ids.new_id(), units(hot, 1), units(plain, 2), units(warm, 2), confirmed=confirmed)
    assert Counter(Hold.objects.values_list("kind", "quantity")) == Counter(
        [("unit_shares", 1), ("units", 2), ("unit_shares", 2)]
    )
    column = 2 if confirmed else 1
    assert [sum(one[column] for one in shares(level)) for level in (hot, warm)] == [1, 2]
    assert counts(plain)[column] == 2
    assert counts(hot) == counts(warm) == (20, 0, 0, 20)


def test_more_than_any_share_has_is_taken_from_the_row_and_the_rest_laid_back() -> None:
    hot, plain = shelves(20, 20)
    flash(hot)
    take(ids.new_id(), units(hot, 5), units(plain, 4))
    assert (counts(hot), counts(plain)) == ((20, 5, 0, 15), (20, 4, 0, 0))
    assert Counter(shares(hot)) == Counter({(1, 0, 0): 15, (0, 0, 0): 1})
    take(ids.new_id(), units(hot, 15))
    assert counts(hot) == (20, 20, 0, 0)


def test_what_went_on_sale_since_the_glance_is_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    hot, warm = shelves(6, 16)
    before = ids.new_id()
    take(before, units(hot, 2))
    flash(hot)
    flash(warm)
    holds.release(before)  # two units lie in the row itself, and could be taken past the sale
    real = scarcity.look

    def stale(*asked: Any) -> dict[UUID, scarcity.Seen]:
        seen = real(*asked)
        seen[hot].spread = False
        return seen

    monkeypatch.setattr(holds, "look", stale)
    take(ids.new_id(), units(hot), units(warm))
    assert Counter(Hold.objects.filter(state="held").values_list("kind", flat=True)) == Counter(units=2)
    assert (counts(hot)[1:], counts(warm)[1:]) == ((1, 0, 5), (1, 0, 15))


def test_the_first_that_is_not_there_is_named_with_shares_too() -> None:
    hot, plain, short, none = shelves(20, 20, 2, 0)
    flash(hot)
    flash(none)
    claims = [units(none, 1, "none"), units(short, 3, "short"), units(plain, 20, "plain"), units(hot, 20, "hot")]
    for basket, missing in ((claims, "short"), (claims[:1] + claims[2:], "none"), (claims[1:], "short")):
        with pytest.raises(Refused) as refused, transaction.atomic():
            take(ids.new_id(), *basket)
        assert refused.value.facts["name"] == missing
    with pytest.raises(Refused) as refused, transaction.atomic():
        take(ids.new_id(), units(hot, 1, "hot"), units(ids.new_id(), 1, "unheard of"))
    assert refused.value.facts["name"] == "unheard of"
    assert not Hold.objects.exists()


def test_units_of_a_share_are_used_up_whole_or_in_part() -> None:
    (level,) = shelves(48)
    flash(level)
    whole, part, more = (ids.new_id() for _ in range(3))
    for group in (whole, part, more):
        take(group, units(level, 3), confirmed=True)
    assert holds.consume(whole, "units", level) == 3
    assert holds.consume(part, "units", level, 2) == 2
    assert holds.consume(more, "units", level, 9) == 3
    assert sorted(Hold.objects.values_list("consumed", "state")) == [
        (2, "consumed"),
        (3, "consumed"),
        (3, "consumed"),
    ]
    # Used up is what leaves: on_hand is the inventory's to book.
    assert counts(level)[3] == 40
    assert Counter(shares(level)) == Counter({(3, 0, 0): 13, (0, 0, 0): 2, (1, 0, 0): 1})
    for group in (whole, ids.new_id()):
        assert holds.consume(group, "units", level) == 0


def test_using_up_finds_the_share_of_its_own_row() -> None:
    first, second = shelves(48, 48)
    flash(first)
    flash(second)
    group, other = ids.new_id(), ids.new_id()
    take(group, units(first, 1), units(second, 2), confirmed=True)
    take(other, units(second, 3), confirmed=True)
    assert holds.consume(group, "units", second) == 2
    assert (counts(first)[3], counts(second)[3]) == (48, 46)
    assert sum(one[2] for one in shares(first)) == 1
    assert sum(one[2] for one in shares(second)) == 3


def test_only_what_is_confirmed_in_a_share_is_used_up() -> None:
    (level,) = shelves(16)
    flash(level)
    group = ids.new_id()
    take(group, units(level))
    assert holds.consume(group, "units", level) == 0
    assert holds.confirm(group)
    assert Counter(shares(level)) == Counter({(1, 0, 1): 1, (1, 0, 0): 15})
    assert holds.release(group) == 1
    assert Counter(shares(level)) == Counter({(1, 0, 0): 16})


def test_a_claim_on_a_share_itself_is_as_on_any_row() -> None:
    (level,) = shelves(16)
    flash(level)
    share = StockShare.objects.filter(level=level).values_list("id", flat=True)[0]
    take(ids.new_id(), Claim("unit_shares", share, 1))
    with pytest.raises(Refused), transaction.atomic():
        take(ids.new_id(), Claim("unit_shares", share, 1))
    assert Counter(shares(level)) == Counter({(1, 1, 0): 1, (1, 0, 0): 15})
