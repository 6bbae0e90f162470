"""What the next hours hold: who stays until then, who is planned to come, and who can be sent at all."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from highstreet.delivery.couriers import actions as shifts
from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.couriers.models import Courier, RosterShift, Shift
from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON
from highstreet.kernel import clock
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.trade.orders import ports

from .. import actions
from ..models import CapacitySlot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
MINUTE = timedelta(minutes=1)


def planned(place: support.Town, rider: Actor, starts: int, ends: int) -> None:
    """Minutes from noon."""
    RosterShift.objects.create(
        city_id=place.city_id,
        courier_id=rider.courier_id,
        status="taken",
        starts_at=NOON + starts * MINUTE,
        ends_at=NOON + ends * MINUTE,
    )


def room(place: support.Town, *away: UUID | None) -> dict[int, int]:
    """Minutes from noon: deliveries of that quarter."""
    gone = {one for one in away if one}
    actions.open_slots(actor=THE_SYSTEM, city_id=place.city_id, cycle_minutes=15.0, away=gone)
    rows = CapacitySlot.objects.filter(city_id=place.city_id).values_list("starts_at", "capacity")
    return {round((starts - NOON) / MINUTE): capacity for starts, capacity in rows}


def test_a_quarter_counts_who_is_still_there() -> None:
    place = support.town()
    stays, leaves = support.courier(place, 0), support.courier(place)
    planned(place, leaves, -10, 60)
    shifts.start_shift(actor=leaves)
    shifts.report_position(actor=leaves, lat=support.LAT, lon=support.LON)
    assert {at: count for at, count in room(place).items() if at in (0, 45, 60, 180)} == {0: 2, 45: 2, 60: 1, 180: 1}
    shifts.no_more_orders(actor=stays)
    assert {at: count for at, count in room(place).items() if at in (0, 45, 60)} == {0: 1, 45: 1, 60: 0}


def test_who_has_a_second_shift_counts_again_in_it() -> None:
    place = support.town()
    rider = support.courier(place)
    planned(place, rider, -10, 45)
    planned(place, rider, 90, 400)
    shifts.start_shift(actor=rider)
    shifts.report_position(actor=rider, lat=support.LAT, lon=support.LON)
    assert [at for at, count in sorted(room(place).items()) if count] == [0, 15, 30, 105, 120, 135, 150, 165, 180]


def test_who_is_planned_to_come_counts_a_quarter_later_unless_missed() -> None:
    place = support.town()
    comes, missed = support.courier(place), support.courier(place)
    planned(place, comes, 90, 400)
    planned(place, missed, -20, 400)
    found = room(place)
    assert [at for at, count in sorted(found.items()) if count] == [105, 120, 135, 150, 165, 180]
    with clock.frozen(NOON + 101 * MINUTE):
        assert [at for at, count in room(place).items() if at >= 90 and count] == [], "nobody came"


def test_before_the_first_shift_deliveries_are_promised_for_when_it_runs() -> None:
    place = support.town()
    planned(place, support.courier(place), 60, 400)
    room(place)
    lat, lon = support.point(600, 0)
    found = ports.promises().offer(store=place.store, lat=lat, lon=lon, units=3, mode="delivery", at=NOON)
    assert found is not None and found.promised_from >= NOON + 75 * MINUTE


def test_who_cannot_be_sent_is_not_counted() -> None:
    place = support.town()
    silent, here = support.courier(place), support.courier(place, 0)
    assert silent.courier_id is not None
    shifts.start_shift(actor=silent)
    assert (couriers.count_on_shift(place.city_id), room(place)[15]) == (2, 2), "a first position takes a moment"
    with clock.frozen(NOON + 2 * MINUTE):
        assert (couriers.count_on_shift(place.city_id), room(place)[15]) == (1, 1), "one has told no place"
    shifts.no_more_orders(actor=here)
    Shift.objects.update(starts_at=NOON - 3 * MINUTE)
    assert couriers.count_on_shift(place.city_id) == 0
    Courier.objects.filter(pk=silent.courier_id).update(lat=0.0, lon=0.0)
    assert couriers.count_on_shift(place.city_id) == 1


def test_who_vanished_is_not_counted() -> None:
    place = support.town()
    rider = support.courier(place, 0)
    support.courier(place, 0)
    assert set(room(place).values()) == {2}
    assert set(room(place, rider.courier_id).values()) == {1}


def test_a_quarter_without_a_row_is_opened_for_who_is_there_then() -> None:
    place = support.town()
    leaves = support.courier(place)
    planned(place, leaves, -10, 60)
    shifts.start_shift(actor=leaves)
    shifts.report_position(actor=leaves, lat=support.LAT, lon=support.LON)
    planned(place, support.courier(place), 90, 400)
    for at, count in ((45, 1), (60, 0), (105, 1)):
        starts_at = NOON + at * MINUTE
        row = actions.slot_of(actor=THE_SYSTEM, city_id=place.city_id, zone=None, starts_at=starts_at)
        assert CapacitySlot.objects.get(pk=row).capacity == count
