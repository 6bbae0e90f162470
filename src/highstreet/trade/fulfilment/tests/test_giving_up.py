"""What nobody does in time ends by itself, and whoever does it in the same moment is first or too late."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Barrier
from uuid import UUID

import pytest
from django.db import connections, transaction

from highstreet.kernel import clock
from highstreet.kernel.models import StateChange
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.kernel.refusal import Refused
from highstreet.supply.stores import actions as stores
from highstreet.trade.fulfilment import actions, jobs, rules
from highstreet.trade.fulfilment.models import Fulfilment
from highstreet.trade.fulfilment.steps import stop

from . import support
from .support import assert_clean, told
from .test_picking import refusal

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 8


@pytest.fixture
def place() -> support.Shop:
    return support.shop(units=100)


def status(row: Fulfilment) -> str:
    return Fulfilment.objects.values_list("status", flat=True).get(pk=row.pk)


def test_a_store_that_does_not_answer_has_said_no(place: support.Shop) -> None:
    silent, answered = support.order(place), support.order(place)
    actions.accept(actor=place.staff(), fulfilment_id=answered.pk)
    with clock.advanced(timedelta(minutes=9)):
        assert actions.give_up_unanswered(actor=THE_SYSTEM) == 0
    with clock.advanced(timedelta(minutes=11)):
        jobs.sweep(0)
        assert actions.give_up_unanswered(actor=THE_SYSTEM) == 0
        refused = refusal(actions.accept, actor=place.staff(), fulfilment_id=silent.pk)
        assert refused.reason.code == "wrong_state"
    silent.refresh_from_db()
    assert (silent.status, silent.reject_reason, status(answered)) == ("rejected", "no_answer", "accepted")
    assert [event["reason"] for event in told("FulfilmentRejected")] == ["no_answer"]
    assert place.stock("milk") == (100, 0, 2), "its holds are the order's to move"


def test_a_store_answers_until_it_has_begun_paused_or_not(place: support.Shop) -> None:
    later, now = support.order(place), clock.now()
    Fulfilment.objects.filter(pk=later.pk).update(start_at=now + timedelta(minutes=40))
    stores.pause(actor=THE_SYSTEM, store_id=place.store.pk, minutes=60)
    support.order(place)
    with clock.frozen(now + timedelta(minutes=49)):
        assert actions.give_up_unanswered(actor=THE_SYSTEM) == 1
    assert status(later) == "pending"
    with clock.frozen(now + timedelta(minutes=51)):
        assert actions.give_up_unanswered(actor=THE_SYSTEM) == 1
    assert status(later) == "rejected"


def test_no_store_may_say_that_it_did_not_answer(place: support.Shop) -> None:
    row = support.order(place)
    refused = refusal(actions.reject, actor=place.staff(), fulfilment_id=row.pk, reason=rules.NO_ANSWER)
    assert refused.reason.code == "bad_reason"


@pytest.mark.parametrize("mode", ["delivery", "pickup"])
@pytest.mark.parametrize("picking", [False, True])
def test_what_is_never_packed_ends_two_hours_after_its_promise(place: support.Shop, mode: str, picking: bool) -> None:
    row, packed = support.order(place, mode=mode), support.order(place, mode=mode)
    support.ready(packed, place.staff())
    actions.accept(actor=place.staff(), fulfilment_id=row.pk)
    if picking:
        actions.scan(actor=place.staff(), fulfilment_id=row.pk, code="SKU-2")
    with clock.frozen(row.promised_to + timedelta(minutes=119)):
        assert actions.give_up_unpacked(actor=THE_SYSTEM) == 0
    with clock.frozen(row.promised_to + timedelta(minutes=121)):
        jobs.sweep(0)
    assert (status(row), status(packed)) == ("cancelled", "ready")
    assert [event["reason"] for event in told("FulfilmentCancelled")] == ["not_packed"]
    assert place.stock("broccoli") == (98, 0, 0), "only what was packed is gone, and nothing is held"
    assert_clean()


def lost(rows: list[Fulfilment], event: str, work: Callable[[UUID], object], sweep: Callable[[], object]) -> list[UUID]:
    """While the sweep comes by twice, `work` is done to each order at once. Those to which `event` happened by it and
    which have ended all the same; nothing may come of one but the two."""
    barrier = Barrier(len(rows) + 2)

    def one(act: Callable[[], object]) -> None:
        try:
            barrier.wait(10)
            with suppress(Refused):
                act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(rows) + 2) as pool:
        list(pool.map(one, [*(partial(work, row.pk) for row in rows), sweep, sweep]))
    done = set(StateChange.objects.filter(event=event).values_list("subject", flat=True))
    ended = {row.pk for row in rows if status(row) in ("rejected", "cancelled")}
    assert done | ended == {row.pk for row in rows}
    return sorted(done & ended)


def unanswered(place: support.Shop, sweep: Callable[[], object]) -> list[UUID]:
    rows, staff = [support.order(place) for _ in range(AT_ONCE)], place.staff()
    return lost(rows, "accept", lambda key: actions.accept(actor=staff, fulfilment_id=key), sweep)


def unpacked(place: support.Shop, sweep: Callable[[], object]) -> list[UUID]:
    rows, staff = [support.order(place) for _ in range(AT_ONCE)], place.staff()
    for row in rows:
        actions.accept(actor=staff, fulfilment_id=row.pk)
        support.pick_all(row, staff)
    return lost(rows, "pack", lambda key: actions.pack(actor=staff, fulfilment_id=key), sweep)


def test_who_accepts_in_that_moment_has_the_order_or_not(place: support.Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "ANSWER_SECONDS", 0)
    monkeypatch.setattr(rules, "ANSWER_WALL_SECONDS", 0)
    assert unanswered(place, lambda: actions.give_up_unanswered(actor=THE_SYSTEM)) == []
    assert_clean()


def test_a_no_that_only_looks_takes_an_order_from_who_accepted_it(place: support.Shop) -> None:
    """The negative control: what was pending a moment ago is rejected."""

    def careless() -> None:
        pending = list(Fulfilment.objects.filter(status="pending").values_list("pk", flat=True))
        time.sleep(0.3)
        Fulfilment.objects.filter(pk__in=pending).update(status="rejected")

    assert unanswered(place, careless) != []


def test_who_packs_in_that_moment_has_packed_or_not(place: support.Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "PACK_WITHIN", timedelta(hours=-1))
    assert unpacked(place, lambda: actions.give_up_unpacked(actor=THE_SYSTEM)) == []
    assert_clean()


def test_an_end_that_does_not_look_again_throws_away_what_was_packed(place: support.Shop) -> None:
    """The negative control: whatever was not packed a moment ago is cancelled, as it may be until it leaves."""

    def careless() -> None:
        found = list(Fulfilment.objects.select_related("store__city").filter(status="picking"))
        time.sleep(0.3)
        for row in found:
            with suppress(Refused), transaction.atomic():
                stop(THE_SYSTEM, row, "not_packed")

    assert unpacked(place, careless) != []
