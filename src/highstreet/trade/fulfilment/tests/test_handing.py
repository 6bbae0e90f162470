from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from highstreet.kernel import clock, ids
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.supply.stores import reads as stores
from highstreet.trade.fulfilment import actions, ports, reads
from highstreet.trade.fulfilment.models import Fulfilment, PickupCode

from . import support
from .support import assert_clean, line, told
from .test_picking import refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> support.Shop:
    return support.shop()


class FakeTill:
    def __init__(self) -> None:
        self.taken: list[tuple[UUID, int]] = []

    def take(self, *, actor: Actor, payable: UUID, amount: int) -> None:
        self.taken.append((payable, amount))


@pytest.fixture
def till(monkeypatch: pytest.MonkeyPatch) -> FakeTill:
    fake = FakeTill()
    monkeypatch.setattr(ports.counter, "_filled", fake)
    return fake


def code_of(row: Fulfilment) -> str:
    return PickupCode.objects.get(fulfilment=row).code


def test_a_pickup_code_is_redeemed_once_by_its_store(place: support.Shop) -> None:
    other, staff = support.shop("other"), place.staff()
    row = support.ready(support.order(place, mode="pickup"), staff)
    code = code_of(row)
    assert len(code) == 8 and code.isdigit() and reads.pickup_code(row.order_id) == code
    found = reads.by_code(staff, place.store.pk, f" {code[:4]} {code[4:]} ")
    assert found is not None and found.id == row.pk
    assert reads.by_code(other.staff(), place.store.pk, code) is None
    assert (
        refusal(actions.collect, actor=other.staff(), store_id=place.store.pk, code=code).reason.code
        == "pickup_code_unknown"
    )
    assert (
        refusal(actions.collect, actor=other.staff(), store_id=other.store.pk, code=code).reason.code
        == "pickup_code_unknown"
    )
    assert actions.collect(actor=staff, store_id=place.store.pk, code=code) == row.pk
    used = refusal(actions.collect, actor=staff, store_id=place.store.pk, code=code)
    assert used.reason.code == "pickup_code_used"
    row.refresh_from_db()
    assert row.status == "delivered" and len(told("FulfilmentCollected")) == 1
    assert reads.pickup_code(row.order_id) == "" and told("FulfilmentDelivered") == []
    assert_clean()


def test_cash_is_due_before_the_bag_is_given(place: support.Shop, till: FakeTill) -> None:
    staff = place.staff()
    row = support.ready(support.order(place, mode="pickup", collect_due=2400), staff)
    where: dict[str, Any] = {"actor": staff, "store_id": place.store.pk, "code": code_of(row)}
    assert refusal(actions.collect, **where).words == "Take ¥24.00 first"
    assert refusal(actions.collect, **where, cash_received=2399).reason.code == "cash_due"
    assert refusal(actions.collect, **where, cash_received=-1).reason.code == "invalid"
    assert till.taken == []
    actions.collect(**where, cash_received=5000)
    assert till.taken == [(row.order_id, 2400)]
    assert_clean()


def test_a_cancelled_order_is_not_given_out(place: support.Shop) -> None:
    staff = place.staff()
    row = support.ready(support.order(place, mode="pickup"), staff)
    actions.cancel(actor=THE_SYSTEM, fulfilment_id=row.pk, reason="customer")
    refused = refusal(actions.collect, actor=staff, store_id=place.store.pk, code=code_of(row))
    assert refused.reason.code == "wrong_state"
    assert PickupCode.objects.get(fulfilment=row).redeemed_at is None
    assert place.stock("broccoli") == (10, 0, 0) and place.stock("milk") == (10, 0, 0)
    assert_clean()


def test_a_delivery_has_no_pickup_code_and_a_pickup_no_courier(place: support.Shop) -> None:
    staff = place.staff()
    row = support.ready(support.order(place), staff)
    assert reads.pickup_code(row.order_id) == "" and len(row.handover_code) == 4
    waiting = support.ready(support.order(place, mode="pickup"), staff)
    assert refusal(actions.hand_over, actor=staff, fulfilment_id=waiting.pk).reason.code == "wrong_state"


def test_store_and_courier_may_both_say_it_left(place: support.Shop) -> None:
    staff = place.staff()
    row = support.ready(support.order(place), staff)
    assert refusal(actions.hand_over, actor=staff, fulfilment_id=row.pk, code="nope").reason.code == "other_order"
    actions.hand_over(actor=staff, fulfilment_id=row.pk, code=row.order_number)
    actions.hand_over(actor=THE_SYSTEM, fulfilment_id=row.pk)
    actions.depart(actor=THE_SYSTEM, fulfilment_id=row.pk)
    actions.depart(actor=THE_SYSTEM, fulfilment_id=row.pk)
    actions.hand_over(actor=staff, fulfilment_id=row.pk)
    actions.deliver(actor=THE_SYSTEM, fulfilment_id=row.pk)
    actions.deliver(actor=THE_SYSTEM, fulfilment_id=row.pk)
    assert len(told("FulfilmentHandedOver")) == len(told("FulfilmentDelivered")) == 1
    assert refusal(actions.deliver, actor=staff, fulfilment_id=row.pk).reason.code == "forbidden"
    assert_clean()


def test_what_comes_back_returns_to_the_shelf_unless_it_was_cold(place: support.Shop) -> None:
    staff = place.staff()
    row = support.ready(support.order(place), staff)
    actions.hand_over(actor=staff, fulfilment_id=row.pk)
    actions.depart(actor=THE_SYSTEM, fulfilment_id=row.pk)
    actions.fail(actor=THE_SYSTEM, fulfilment_id=row.pk, reason="nobody_home")
    actions.turn_back(actor=THE_SYSTEM, fulfilment_id=row.pk)
    actions.return_(actor=THE_SYSTEM, fulfilment_id=row.pk)
    actions.return_(actor=THE_SYSTEM, fulfilment_id=row.pk)
    assert place.stock("broccoli") == (10, 0, 0)
    assert place.stock("milk") == (9, 0, 0)
    assert len(told("FulfilmentFailed")) == len(told("FulfilmentReturned")) == 1
    assert_clean()


def test_cancelled_while_picking_frees_the_holds_and_the_substitute(place: support.Shop) -> None:
    row, staff = support.order(place, {"toast": 2, "milk": 1}), place.staff()
    actions.accept(actor=staff, fulfilment_id=row.pk)
    actions.scan(actor=staff, fulfilment_id=row.pk, code="SKU-1")
    actions.propose_substitute(
        actor=staff, line_id=line(row, place, "toast").pk, variant_id=place.variants["wholemeal"].pk, units=1
    )
    actions.cancel(actor=THE_SYSTEM, fulfilment_id=row.pk)
    assert [place.stock(name) for name in ("toast", "milk", "wholemeal")] == [(10, 0, 0)] * 3
    assert_clean()


def test_an_order_that_left_cannot_be_cancelled(place: support.Shop) -> None:
    staff = place.staff()
    row = support.ready(support.order(place), staff)
    actions.hand_over(actor=staff, fulfilment_id=row.pk)
    assert refusal(actions.cancel, actor=THE_SYSTEM, fulfilment_id=row.pk).reason.code == "wrong_state"
    assert place.stock("broccoli") == (8, 0, 0)
    assert_clean()


def test_what_nobody_collects_ends(place: support.Shop) -> None:
    staff = place.staff()
    row = support.ready(support.order(place, mode="pickup"), staff)
    with clock.advanced(timedelta(hours=4)):
        assert actions.give_up_uncollected(actor=THE_SYSTEM) == 0
    with clock.advanced(timedelta(hours=5)):
        assert actions.give_up_uncollected(actor=THE_SYSTEM) == 1
        assert actions.give_up_uncollected(actor=THE_SYSTEM) == 0
    row.refresh_from_db()
    assert row.status == "cancelled" and place.stock("milk") == (10, 0, 0)
    assert [event["reason"] for event in told("FulfilmentCancelled")] == ["not_collected"]
    assert_clean()


def test_the_queue_is_the_own_stores_by_urgency(place: support.Shop) -> None:
    other, staff = support.shop("other"), place.staff()
    late, soon = support.order(place), support.order(place)
    support.order(other)
    Fulfilment.objects.filter(pk=soon.pk).update(ready_by=soon.ready_by - timedelta(minutes=5))
    cards = reads.queue(staff, place.store.pk)
    assert [card.id for card in cards] == [soon.pk, late.pk]
    assert (cards[0].units, cards[0].line_count, cards[0].picked, cards[0].asked) == (3, 2, 0, 0)
    assert refusal(reads.queue, actor=staff, store_id=other.store.pk).reason.code == "not_found"
    owner = Actor(
        kind="staff",
        user_id=ids.new_id(),
        organisation_id=place.organisation.pk,
        store_ids=None,
        permissions=staff.permissions,
    )
    stranger = Actor(
        kind="staff", user_id=ids.new_id(), organisation_id=ids.new_id(), store_ids=None, permissions=staff.permissions
    )
    assert len(reads.queue(owner, other.store.pk)) == 1
    assert refusal(reads.queue, actor=stranger, store_id=place.store.pk).reason.code == "not_found"
    assert refusal(reads.detail, actor=stranger, fulfilment_id=late.pk).reason.code == "not_found"


def test_the_days_figures(place: support.Shop) -> None:
    staff = place.staff("store_manager")
    support.ready(support.order(place), staff)
    short = support.order(place, {"milk": 2})
    actions.accept(actor=staff, fulfilment_id=short.pk)
    actions.mark_short(actor=staff, line_id=line(short, place, "milk").pk, units=1)
    actions.reject(actor=staff, fulfilment_id=support.order(place).pk, reason="other")
    today = clock.now().astimezone(stores.store(place.store.pk).zone).date()
    day = reads.figures(staff, place.store.pk, today)
    assert (day.orders, day.open, day.ready, day.on_time, day.rejected) == (3, 2, 1, 1, 1)
    assert (day.units, day.short) == (8, 1)
    assert day.accept_minutes is not None and day.pick_minutes is not None
    assert reads.figures(staff, place.store.pk, today - timedelta(days=1)).orders == 0
