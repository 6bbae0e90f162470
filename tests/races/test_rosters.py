"""Forty couriers take one open shift at once; two of one courier's shifts at once; many wishes of one courier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from highstreet.delivery.couriers import actions, held, rules
from highstreet.delivery.couriers.actions import roster
from highstreet.delivery.couriers.models import RosterShift, Wish
from highstreet.delivery.couriers.reads import MOST_WISHES
from highstreet.delivery.couriers.tests import support
from highstreet.kernel import clock, rows, states
from highstreet.kernel.models import StateChange
from highstreet.kernel.policy import Actor
from tests.conftest import Add
from tests.support import crowd

RIDERS = 40


@pytest.fixture
def place(transactional_db: None) -> Iterator[support.Town]:
    yield support.town()


def an_open_shift(place: support.Town, hours: float = 24.0) -> UUID:
    starts = clock.now() + timedelta(hours=hours)
    row = RosterShift.objects.create(
        city_id=place.city_id, status="open", starts_at=starts, ends_at=starts + timedelta(hours=4)
    )
    return row.pk


def takers(riders: list[Actor], shift_id: UUID) -> list[Any]:
    return [partial(actions.take, actor=rider, shift_id=shift_id) for rider in riders]


def taken(shift_id: UUID) -> int:
    return StateChange.objects.filter(subject=shift_id, event="take").count()


def test_forty_couriers_take_one_shift_and_one_has_it(place: support.Town, row: Add) -> None:
    riders = [support.courier(place) for _ in range(RIDERS)]
    one = an_open_shift(place)
    results = crowd.at_once(takers(riders, one), hands=RIDERS)
    assert results == {"done": 1, "shift_gone": RIDERS - 1}
    assert taken(one) == 1
    assert support.broken() == []
    row("S6", f"{RIDERS} couriers take one shift", n=RIDERS, accepted=1, refused=RIDERS - 1)


def test_an_offer_is_taken_once_or_kept(place: support.Town) -> None:
    owner, *riders = [support.courier(place) for _ in range(12)]
    one = an_open_shift(place)
    actions.take(actor=owner, shift_id=one)
    actions.offer(actor=owner, shift_id=one)
    results = crowd.at_once([*takers(riders, one), partial(actions.keep, actor=owner, shift_id=one)], hands=12)
    assert crowd.errors(results) == {}
    assert RosterShift.objects.get(pk=one).status == "taken"
    changes = StateChange.objects.filter(subject=one, event__in=["take", "keep"]).count()
    # Taken at first by its owner, then taken by one of the others or kept: one of the two.
    assert changes == 2
    assert support.broken() == []


def test_one_courier_does_not_take_two_shifts_that_overlap(place: support.Town) -> None:
    rider = support.courier(place)
    shifts = [an_open_shift(place, 24 + number / 2) for number in range(6)]
    results = crowd.at_once([partial(actions.take, actor=rider, shift_id=one) for one in shifts], hands=6)
    assert results == {"done": 1, "too_much_work": 5}
    assert support.broken() == []


def test_looking_first_and_writing_then_gives_one_shift_to_many(
    place: support.Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the status is looked at and then written, not in one statement."""
    riders = [support.courier(place) for _ in range(RIDERS)]
    one = an_open_shift(place)
    monkeypatch.setattr(roster, "move", _looked_then_written)
    results = crowd.at_once(takers(riders, one), hands=RIDERS)
    assert results["done"] > 1
    assert taken(one) > 1


def _looked_then_written(machine: states.Machine, row: Any, event: str, *, actor: str, **columns: Any) -> str:
    target = machine.table[(row.status, event)]
    type(row).objects.filter(pk=row.pk).update(status=target, **columns)
    rows.put([states._change(machine, row, event, row.status, target, actor, "")])
    return target


def test_without_the_couriers_lock_two_overlapping_shifts_are_stopped_by_the_database(
    place: support.Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock is what refuses in words; the constraint is what refuses when nobody locks."""
    rider = support.courier(place)
    shifts = [an_open_shift(place, 24 + number / 2) for number in range(6)]
    monkeypatch.setattr(roster, "_allowed", lambda *_: None)
    results = crowd.at_once([partial(actions.take, actor=rider, shift_id=one) for one in shifts], hands=6)
    assert results["done"] == 1
    assert sum(count for name, count in results.items() if "roster_shift_no_overlap" in name) == 5


def said_at_once(rider: Actor) -> Counter[str]:
    """Twenty times more than may be said."""
    ones = [rules.Wish("want", number, 600, weekday=1) for number in range(MOST_WISHES + 20)]
    return crowd.at_once([partial(actions.wish, actor=rider, said=one) for one in ones], hands=30)


def test_of_many_wishes_at_once_no_more_are_kept_than_may_be(place: support.Town) -> None:
    rider = support.courier(place)
    assert said_at_once(rider) == {"done": MOST_WISHES, "too_many_wishes": 20}
    assert Wish.objects.count() == MOST_WISHES


def test_without_the_couriers_row_held_more_are_kept(place: support.Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: each counts before the others have written."""
    rider = support.courier(place)
    held_by_nobody = partial(held.courier, lock=False)
    monkeypatch.setattr(held, "courier", held_by_nobody)
    assert said_at_once(rider)["done"] > MOST_WISHES
