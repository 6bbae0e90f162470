from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from highstreet.delivery.dispatch import actions as dispatch
from highstreet.delivery.dispatch import snapshot
from highstreet.delivery.dispatch.models import Delivery
from highstreet.kernel import clock, ids, ledger
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.models import Journal, OutboxEvent, Posting
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.supply.organisations import reads as organisations

from .. import actions, reads
from ..models import Break, EarningRule, RosterShift, ShiftPay
from . import support

pytestmark = pytest.mark.django_db
NOON = support.NOON


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.frozen(NOON):
        yield


def waiting(place: support.Town) -> Delivery:
    row = support.fulfilment(place, status="ready")
    dispatch.create(
        actor=THE_SYSTEM,
        fulfilment_id=row.pk,
        order_id=row.order_id,
        order_number=row.order_number,
        store_id=row.store_id,
        lat=row.lat,
        lon=row.lon,
        promised_to=row.promised_to,
        ready_by=row.ready_by,
    )
    dispatch.mark_ready(actor=THE_SYSTEM, fulfilment_id=row.pk, at=NOON)
    return Delivery.objects.get(fulfilment_id=row.pk)


def rule(place: support.Town, **terms: int) -> None:
    EarningRule.objects.create(
        city_id=place.city_id, starts_at=NOON - timedelta(days=1), **{"per_order": 600, "per_km": 100, **terms}
    )
    organisations.forget()


def rostered(place: support.Town, rider: Actor, hours: float = 4.0) -> None:
    RosterShift.objects.create(
        city_id=place.city_id,
        courier_id=rider.courier_id,
        status="taken",
        starts_at=NOON,
        ends_at=NOON + timedelta(hours=hours),
    )


def earned(place: support.Town, rider: Actor, amount: int) -> None:
    """One delivery's pay, now."""
    assert rider.courier_id is not None
    ledger.post(
        key=f"delivery:{ids.new_id()}:pay",
        kind="courier_pay",
        cause=ids.new_id(),
        actor=THE_SYSTEM,
        lines=[
            (AccountRef(place.retailer_id, "courier_pay", "CNY"), amount),
            (AccountRef(rider.courier_id, "courier_payable", "CNY"), -amount),
        ],
    )


def test_a_courier_on_a_break_gets_no_order() -> None:
    place = support.town()
    rider = support.courier(place, 0)
    row = waiting(place)
    actions.start_break(actor=rider)
    actions.start_break(actor=rider)
    assert Break.objects.count() == OutboxEvent.objects.filter(name="BreakStarted").count() == 1
    assert reads.me(rider).on_break and reads.me(rider).on_shift
    assert reads.count_on_shift(place.city_id) == 0
    assert [one.id for one in reads.on_shift(place.city_id)] == [rider.courier_id]
    assert snapshot.take(place.city_id, NOON).couriers == []
    assert dispatch.plan(actor=THE_SYSTEM, city_id=place.city_id).assigned == 0
    actions.end_break(actor=rider)
    actions.end_break(actor=rider)
    assert OutboxEvent.objects.filter(name="BreakEnded").count() == 1
    assert dispatch.plan(actor=THE_SYSTEM, city_id=place.city_id).assigned == 1
    row.refresh_from_db()
    assert row.courier_id == rider.courier_id
    assert support.broken() == []


def test_a_break_that_began_after_the_snapshot_is_seen_under_the_lock() -> None:
    place = support.town()
    rider = support.courier(place, 0)
    assert rider.courier_id is not None
    assert actions.lock_on_shift(actor=THE_SYSTEM, courier_ids=[rider.courier_id]) == {rider.courier_id}
    actions.start_break(actor=rider)
    assert actions.lock_on_shift(actor=THE_SYSTEM, courier_ids=[rider.courier_id]) == set()


def test_no_break_with_an_order_in_hand_and_none_off_shift() -> None:
    place = support.town()
    rider = support.courier(place, 0)
    waiting(place)
    dispatch.plan(actor=THE_SYSTEM, city_id=place.city_id)
    with pytest.raises(Refused, match="no_break_now"):
        actions.start_break(actor=rider)
    assert not Break.objects.exists()
    off = support.courier(place)
    for act in (actions.start_break, actions.end_break):
        with pytest.raises(Refused, match="off_shift"):
            act(actor=off)


def test_a_shift_that_ends_ends_its_break() -> None:
    place = support.town()
    rider = support.courier(place, 0)
    actions.start_break(actor=rider)
    with clock.advanced(timedelta(minutes=10)):
        actions.end_shift(actor=rider)
        assert not Break.objects.filter(ends_at=None).exists()
        actions.start_shift(actor=rider)
        assert not reads.me(rider).on_break


def test_the_guarantee_tops_up_planned_time_on_duty_less_breaks() -> None:
    place = support.town()
    rule(place, guarantee_hour=3000)
    rider = support.courier(place, 0)
    rostered(place, rider, hours=4)
    earned(place, rider, 2000)
    with clock.advanced(timedelta(hours=1)):
        actions.start_break(actor=rider)
    with clock.advanced(timedelta(hours=1, minutes=30)):
        actions.end_break(actor=rider)
    with clock.advanced(timedelta(hours=6)):
        actions.end_shift(actor=rider)
        actions.end_shift(actor=rider)
        row = ShiftPay.objects.get()
        assert (row.minutes, row.orders, row.earned, row.top_up, row.bonus) == (210, 1, 2000, 10500 - 2000, 0)
        assert rider.courier_id is not None
        assert ledger.balance(AccountRef(rider.courier_id, "courier_payable", "CNY")) == -10500
        assert OutboxEvent.objects.filter(name="ShiftPaid").count() == 1
        found = reads.earnings(rider, NOON.date())
        assert (found.total, found.count, [one.top_up for one in found.shifts]) == (10500, 1, [8500])
        support.settle()
        assert support.broken() == []


def test_nobody_is_guaranteed_what_nobody_planned_and_more_earned_is_kept() -> None:
    place = support.town()
    rule(place, guarantee_hour=3000)
    unplanned, busy = support.courier(place, 0), support.courier(place, 10)
    rostered(place, busy, hours=1)
    earned(place, busy, 5000)
    with clock.advanced(timedelta(hours=2)):
        for rider in (unplanned, busy):
            actions.end_shift(actor=rider)
    assert [row.top_up for row in ShiftPay.objects.all()] == [0, 0]
    assert not Journal.objects.filter(kind="courier_shift_pay").exists()
    assert support.broken() == []


def test_the_bonus_is_of_the_day_and_paid_once() -> None:
    place = support.town()
    rule(place, bonus_orders=3, bonus=1500)
    rider = support.courier(place, 0)
    earned(place, rider, 700)
    earned(place, rider, 700)
    for hours, orders in ((1, 0), (2, 1), (3, 4)):
        with clock.advanced(timedelta(hours=hours)):
            for _ in range(orders):
                earned(place, rider, 700)
            actions.end_shift(actor=rider)
        with clock.advanced(timedelta(hours=hours, minutes=10)):
            actions.start_shift(actor=rider)
    assert [(row.orders, row.bonus) for row in ShiftPay.objects.order_by("at")] == [(2, 0), (1, 1500), (4, 0)]
    # The next day counts anew.
    with clock.advanced(timedelta(hours=23)):
        actions.end_shift(actor=rider)
    with clock.advanced(timedelta(hours=23, minutes=10)):
        actions.start_shift(actor=rider)
        for _ in range(3):
            earned(place, rider, 700)
    with clock.advanced(timedelta(hours=24)):
        actions.end_shift(actor=rider)
    assert [row.bonus for row in ShiftPay.objects.order_by("at")] == [0, 1500, 0, 0, 1500]
    assert support.broken() == []


def test_the_rule_in_force_pays_and_another_citys_does_not() -> None:
    place, other = support.town(), support.town()
    rule(other, per_order=9999)
    assert reads.earning_terms(place.city_id, NOON).per_order == 600
    rule(place, per_order=800, per_km=0)
    EarningRule.objects.create(city_id=place.city_id, starts_at=NOON + timedelta(days=1), per_order=900, per_km=0)
    organisations.forget()
    assert reads.earning_terms(place.city_id, NOON).per_order == 800
    assert reads.earning_terms(place.city_id, NOON + timedelta(days=2)).per_order == 900
    rider = support.courier(place, 0)
    row = waiting(place)
    dispatch.plan(actor=THE_SYSTEM, city_id=place.city_id)
    dispatch.accept(actor=rider, delivery_id=row.pk)
    dispatch.pick_up(actor=rider, delivery_id=row.pk)
    assert dispatch.deliver(actor=rider, delivery_id=row.pk, proof_kind="code", proof="4711") == 800
    assert support.broken() == []


@pytest.mark.parametrize("wrong", ["top_up", "bonus", "earned", "posted", "unwritten"])
def test_the_audit_finds_pay_that_is_not_the_rules(wrong: str) -> None:
    place = support.town()
    rule(place, guarantee_hour=3000, bonus_orders=1, bonus=500)
    rider = support.courier(place, 0)
    rostered(place, rider)
    earned(place, rider, 700)
    with clock.advanced(timedelta(hours=1)):
        actions.end_shift(actor=rider)
    assert support.broken() == []
    row = ShiftPay.objects.get()
    if wrong == "posted":
        ledger.post(
            key="twice",
            kind="courier_shift_pay",
            cause=row.shift_id,
            actor=THE_SYSTEM,
            lines=[
                (AccountRef(place.retailer_id, "courier_pay", "CNY"), 1),
                (AccountRef(row.courier_id, "courier_payable", "CNY"), -1),
            ],
        )
    elif wrong == "unwritten":
        row.delete()
    else:
        ShiftPay.objects.update(**{wrong: getattr(row, wrong) + 1})
    assert support.broken() != []
    assert Posting.objects.filter(code="courier_payable").exists()
