"""A courier of whom nothing is heard: what waits for them goes to somebody else, what they have is made good."""

from __future__ import annotations

from datetime import timedelta

import pytest

from highstreet.delivery.couriers import actions as courier_actions
from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.couriers.models import Courier, Shift
from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON
from highstreet.delivery.promise import rules as promise_rules
from highstreet.delivery.promise.models import CapacitySlot
from highstreet.kernel import clock
from highstreet.kernel.models import Posting, StateChange
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.trade.fulfilment.models import Fulfilment

from .. import actions, loop
from ..models import Delivery
from .test_actions import begin, plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
LATER = NOON + timedelta(minutes=11)


def test_what_is_not_picked_up_goes_to_somebody_else() -> None:
    place = support.town()
    gone = support.courier(place, 0)
    row = begin(support.fulfilment(place, status="ready", minutes=60))
    plan(place)
    actions.accept(actor=gone, delivery_id=row.pk)
    with clock.frozen(LATER):
        other = support.courier(place, 2000)
        assert plan(place).assigned == 1
        row.refresh_from_db()
        assert (row.status, row.courier_id) == ("assigned", other.courier_id)
        assert len(couriers.on_shift(place.city_id)) == 2, "a phone in a pocket ends no shift"
    with clock.frozen(NOON + timedelta(minutes=61)):
        lat, lon = support.point(2000, 0)
        courier_actions.report_position(actor=other, lat=lat, lon=lon)
        plan(place)
        assert [one.id for one in couriers.on_shift(place.city_id)] == [other.courier_id]
        assert courier_actions.start_shift(actor=gone), "who comes back begins anew"
    path = StateChange.objects.filter(subject=row.pk).order_by("id").values_list("event", "note")
    assert list(path)[:3] == [("assign", ""), ("accept", ""), ("let_go", "vanished")]
    support.settle()
    assert support.broken() == []


@pytest.mark.parametrize("sign", ["position", "tap"])
def test_a_sign_of_life_is_enough(sign: str) -> None:
    place = support.town()
    rider = support.courier(place, 0)
    row = begin(support.fulfilment(place, status="ready", minutes=60))
    plan(place)
    with clock.frozen(NOON + timedelta(minutes=9)):
        if sign == "position":
            lat, lon = support.point(0, 0)
            courier_actions.report_position(actor=rider, lat=lat, lon=lon)
        else:
            actions.accept(actor=rider, delivery_id=row.pk)
    if sign == "position":
        Delivery.objects.filter(pk=row.pk).update(status="accepted")
    with clock.frozen(LATER):
        plan(place)
        row.refresh_from_db()
        assert (row.status, row.courier_id) == ("accepted", rider.courier_id)
    with clock.frozen(NOON + timedelta(minutes=20)):
        plan(place)
        row.refresh_from_db()
        assert row.status == "waiting", "and then it is over"


def test_who_has_just_begun_has_not_vanished() -> None:
    place = support.town()
    rider = support.courier(place)
    with clock.frozen(LATER):
        courier_actions.start_shift(actor=rider)
        assert actions.let_go_of_vanished(actor=THE_SYSTEM, city_id=place.city_id) == set()
    with clock.frozen(LATER + timedelta(minutes=11)):
        assert actions.let_go_of_vanished(actor=THE_SYSTEM, city_id=place.city_id) == {rider.courier_id}
        assert len(couriers.on_shift(place.city_id)) == 1
    with clock.frozen(LATER + timedelta(minutes=61)):
        actions.let_go_of_vanished(actor=THE_SYSTEM, city_id=place.city_id)
        assert couriers.on_shift(place.city_id) == []


def test_nothing_new_for_who_has_vanished_with_a_bag() -> None:
    place = support.town()
    gone = support.courier(place, 0)
    row = begin(support.fulfilment(place, status="ready", minutes=60))
    plan(place)
    actions.pick_up(actor=gone, delivery_id=row.pk)
    with clock.frozen(LATER):
        waiting = begin(support.fulfilment(place, status="ready", minutes=60))
        assert plan(place).assigned == 0
        lat, lon = support.point(0, 0)
        courier_actions.report_position(actor=gone, lat=lat, lon=lon)
        assert plan(place).assigned == 1, "back again"
        waiting.refresh_from_db()
        assert waiting.courier_id == gone.courier_id


def test_what_is_in_the_bag_is_given_up_long_after_its_promise() -> None:
    place = support.town()
    gone = support.courier(place, 0)
    row = begin(support.fulfilment(place, status="ready", minutes=40))
    plan(place)
    actions.pick_up(actor=gone, delivery_id=row.pk)
    with clock.frozen(NOON + timedelta(minutes=40 + 44)):
        plan(place)
        row.refresh_from_db()
        assert row.status == "picked_up", "they may only be late"
    with clock.frozen(NOON + timedelta(minutes=40 + 46)):
        plan(place)
        plan(place)
        row.refresh_from_db()
        assert (row.status, row.incident, row.pay) == ("returned", "lost", 0)
    assert Fulfilment.objects.get(pk=row.fulfilment_id).status == "returned"
    assert not Posting.objects.filter(owner=str(gone.courier_id)).exists(), "a ride that never ended is not paid"
    support.settle()
    assert support.broken() == []


def test_who_is_switched_off_on_shift_has_vanished() -> None:
    place = support.town()
    gone = support.courier(place, 0)
    assert gone.courier_id is not None
    carried, waits = (begin(support.fulfilment(place, status="ready", minutes=40)) for _ in range(2))
    plan(place)
    actions.pick_up(actor=gone, delivery_id=carried.pk)
    actions.accept(actor=gone, delivery_id=waits.pk)
    Courier.objects.filter(pk=gone.courier_id).update(active=False)
    with clock.frozen(LATER):
        plan(place)
        waits.refresh_from_db()
        assert (waits.status, waits.courier_id) == ("waiting", None)
    with clock.frozen(NOON + timedelta(minutes=40 + 46)):
        plan(place)
        carried.refresh_from_db()
        assert (carried.status, carried.incident) == ("returned", "lost")
    assert not Shift.objects.filter(courier_id=gone.courier_id, ends_at=None).exists()
    support.settle()
    assert support.broken() == []


def test_the_end_of_a_break_is_a_sign_of_life() -> None:
    place = support.town()
    rider = support.courier(place, 0)
    courier_actions.start_break(actor=rider)
    with clock.frozen(NOON + timedelta(minutes=80)):
        assert actions.let_go_of_vanished(actor=THE_SYSTEM, city_id=place.city_id) == set(), "who rests is not gone"
        courier_actions.end_break(actor=rider)
        assert actions.let_go_of_vanished(actor=THE_SYSTEM, city_id=place.city_id) == set()
        assert len(couriers.on_shift(place.city_id)) == 1
    with clock.frozen(NOON + timedelta(minutes=91)):
        assert actions.let_go_of_vanished(actor=THE_SYSTEM, city_id=place.city_id) == {rider.courier_id}


def test_who_has_vanished_is_promised_to_nobody() -> None:
    place = support.town()
    support.courier(place, 100)
    here = support.courier(place, 200)

    def most() -> set[int]:
        loop.epoch(place.city_id, with_capacity=True)
        rows = CapacitySlot.objects.filter(city_id=place.city_id, starts_at__gte=clock.now())
        return set(rows.values_list("capacity", flat=True))

    assert most() == {promise_rules.capacity(2)}
    with clock.frozen(LATER):
        courier_actions.report_position(actor=here, lat=support.LAT, lon=support.LON)
        assert most() == {promise_rules.capacity(1)}
