"""Couriers who say no, who have had enough, or whose planned shift ends; shops that are late; cities that fail."""

from __future__ import annotations

from datetime import datetime, timedelta
from unittest.mock import patch
from uuid import UUID

import numpy as np
import pytest

from highstreet.delivery.couriers import actions as couriers
from highstreet.delivery.couriers import reads as courier_reads
from highstreet.delivery.couriers.models import EarningRule, RosterShift
from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON
from highstreet.kernel import clock, heartbeat
from highstreet.kernel.models import StateChange
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores.models import Store

from .. import actions, loop, reads, rules, snapshot
from ..models import Delivery
from .test_actions import begin, given, plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
MINUTE = timedelta(minutes=1)


def planned(place: support.Town, rider: Actor, starts: datetime, ends: datetime) -> None:
    RosterShift.objects.create(
        city_id=place.city_id, courier_id=rider.courier_id, status="taken", starts_at=starts, ends_at=ends
    )


def until(rider: Actor) -> datetime | None:
    assert rider.courier_id is not None
    found = courier_reads.courier(rider.courier_id)
    assert found is not None
    return found.orders_until


def test_who_wants_no_more_brings_what_is_in_hand_and_gets_nothing_new() -> None:
    place = support.town()
    rider, first = given(place)
    couriers.no_more_orders(actor=rider)
    said = until(rider)
    couriers.no_more_orders(actor=rider)
    assert until(rider) == said
    begin(support.fulfilment(place, status="ready", ready_in=1))
    assert plan(place).assigned == 0
    actions.pick_up(actor=rider, delivery_id=first.pk)
    actions.deliver(actor=rider, delivery_id=first.pk, proof_kind="code", proof="4711")
    assert plan(place).assigned == 0
    couriers.take_orders(actor=rider)
    assert plan(place).assigned == 1


def test_a_break_ends_in_orders() -> None:
    place = support.town()
    rider = support.courier(place, 100)
    couriers.no_more_orders(actor=rider)
    couriers.start_break(actor=rider)
    couriers.end_break(actor=rider)
    assert until(rider) is None
    begin(support.fulfilment(place, status="ready", ready_in=1))
    assert plan(place).assigned == 1


def test_orders_end_with_the_planned_shift_and_not_before() -> None:
    place = support.town()
    rider = support.courier(place)
    planned(place, rider, NOON + 30 * MINUTE, NOON + 90 * MINUTE)
    planned(place, rider, NOON + 300 * MINUTE, NOON + 400 * MINUTE)
    couriers.start_shift(actor=rider)
    assert until(rider) == NOON + 90 * MINUTE
    with clock.frozen(NOON + 89 * MINUTE):
        couriers.report_position(actor=rider, lat=place.store.lat, lon=place.store.lon)
        begin(support.fulfilment(place, status="ready", ready_in=1, at=NOON + 85 * MINUTE))
        assert plan(place).assigned == 1
        actions.decline(actor=rider, delivery_id=Delivery.objects.get().pk)
    with clock.frozen(NOON + 90 * MINUTE):
        assert plan(place).assigned == 0
        couriers.take_orders(actor=rider)
        assert until(rider) is None
        assert plan(place).assigned == 1


def test_nobody_is_promised_after_their_last_order() -> None:
    place = support.town()
    rider = support.courier(place, 1000)
    seen = snapshot.take(place.city_id, NOON, everywhere=True)
    assert list(snapshot.couriers_in(seen, place.city_id, NOON)) == [place.store.id]
    couriers.no_more_orders(actor=rider)
    seen = snapshot.take(place.city_id, NOON + MINUTE, everywhere=True)
    assert snapshot.couriers_in(seen, place.city_id, NOON + MINUTE) == {}


def test_what_is_declined_goes_to_somebody_else_at_once() -> None:
    place = support.town()
    near, far = support.courier(place, 100), support.courier(place, 900)
    row = begin(support.fulfilment(place, status="ready", ready_in=1))
    plan(place)
    row.refresh_from_db()
    assert row.courier_id == near.courier_id
    actions.decline(actor=near, delivery_id=row.pk)
    assert StateChange.objects.filter(subject=row.pk).order_by("-id").values_list("event", "note")[0] == (
        "lapse",
        "declined",
    )
    with pytest.raises(Refused, match="not_found"):
        actions.decline(actor=near, delivery_id=row.pk)
    plan(place)
    row.refresh_from_db()
    assert row.courier_id == far.courier_id
    actions.accept(actor=far, delivery_id=row.pk)
    with pytest.raises(Refused, match="wrong_state"):
        actions.decline(actor=far, delivery_id=row.pk)


@pytest.mark.parametrize(("overdue", "more"), [(-3, 3), (0, 0), (4, 2), (20, 10), (90, 15)])
def test_what_should_be_packed_and_is_not_needs_longer_the_later_it_is(overdue: int, more: int) -> None:
    ready_by = NOON - overdue * MINUTE
    assert rules.in_hand(None, ready_by, None, NOON) == NOON + more * MINUTE
    assert rules.in_hand(ready_by, ready_by, None, NOON) == ready_by


def test_a_courier_goes_to_the_packed_order_not_to_the_slow_shop() -> None:
    place = support.town(2)
    late = begin(support.fulfilment(place, ready_in=-30, minutes=20))
    packed = begin(support.fulfilment(place, status="ready", store=1, ready_in=1))
    Delivery.objects.filter(pk=packed.pk).update(ready_at=NOON - 3 * MINUTE)
    rider = support.courier(place, 0, 400)
    plan(place)
    late.refresh_from_db()
    packed.refresh_from_db()
    assert (late.courier_id, packed.courier_id) == (None, rider.courier_id)


def test_doors_are_as_far_apart_as_the_hour_makes_all_ways() -> None:
    place = support.town()
    support.courier(place, 100)
    for north in (300.0, 600.0):
        begin(support.fulfilment(place, north, status="ready", ready_in=1))
    streets = snapshot.legs(place.city_id)
    plain = snapshot.take(place.city_id, NOON).problem
    with patch.dict(streets.factors, {"bike": np.full(24, 2.0)}):
        slow = snapshot.take(place.city_id, NOON).problem
    assert np.allclose(slow.between, 2.0 * plain.between) and slow.between.max() > 0
    assert np.allclose(slow.drop, 2.0 * plain.drop)


def test_who_is_behind_the_guaranteed_pay_is_preferred() -> None:
    place = support.town()
    ahead, behind = support.courier(place, 100), support.courier(place, 110)
    assert ahead.courier_id and behind.courier_id
    EarningRule.objects.create(
        city_id=place.city_id, starts_at=NOON - MINUTE, per_order=600, per_km=0, guarantee_hour=2400
    )
    organisations.forget()
    done = begin(support.fulfilment(place, status="ready", ready_in=1))
    Delivery.objects.filter(pk=done.pk).update(
        status="delivered", courier_id=ahead.courier_id, ended_at=NOON + MINUTE, pay=3000
    )
    later = NOON + 30 * MINUTE
    with clock.frozen(later):
        for rider in (ahead, behind):
            couriers.report_position(actor=rider, lat=place.store.lat, lon=place.store.lon)
        seen = snapshot.take(place.city_id, later)
        spare = dict(zip([one.id for one in seen.couriers], seen.problem.spare.tolist(), strict=True))
        assert spare[ahead.courier_id] == pytest.approx(-3, abs=0.01)
        assert spare[behind.courier_id] == pytest.approx(2, abs=0.01)
        row = begin(support.fulfilment(place, status="ready", ready_in=1, at=later))
        plan(place)
    row.refresh_from_db()
    assert row.courier_id == behind.courier_id


def test_what_a_closed_down_store_still_has_is_fetched() -> None:
    place = support.town(2)
    rider = support.courier(place, 100)
    row = begin(support.fulfilment(place, status="ready", ready_in=1))
    Store.objects.filter(pk=place.store.id).update(active=False)
    assert plan(place).assigned == 1
    row.refresh_from_db()
    assert row.courier_id == rider.courier_id
    assert next(stop.name for stop in reads.tasks(rider)) == place.store.name


def test_one_city_that_fails_stops_no_other() -> None:
    bad, good = support.town(), support.town()
    support.courier(good, 100)
    row = begin(support.fulfilment(good, status="ready", ready_in=1))
    whole = actions.plan

    def breaks(*, actor: Actor, city_id: UUID) -> actions.Epoch:
        if city_id == bad.city_id:
            raise ZeroDivisionError
        return whole(actor=actor, city_id=city_id)

    with patch.object(actions, "plan", breaks):
        went = [loop._in_turn(one, str(one)[:8], with_capacity=False) for one in (bad.city_id, good.city_id)]
    assert went == [False, True] and [beat.name for beat in heartbeat.last("dispatch")] == [
        f"dispatch {str(good.city_id)[:8]}"
    ]
    row.refresh_from_db()
    assert row.status == "assigned"
    assert actions.plan(actor=THE_SYSTEM, city_id=bad.city_id).assigned == 0
