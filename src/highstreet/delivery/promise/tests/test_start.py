"""When a shop begins with an order whose courier will be late: so that goods and courier meet."""

from __future__ import annotations

from datetime import datetime, timedelta
from unittest.mock import patch

import pytest

from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON
from highstreet.kernel import clock, holds, ids
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.trade.fulfilment import events
from highstreet.trade.orders import ports
from highstreet.trade.orders.ports import PromiseOffer

from .. import actions, handlers, reads, rules
from ..models import Promise
from ..reads import offers, paces

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
MINUTE = timedelta(minutes=1)
HALF = 30 * MINUTE
PACKED = timedelta(minutes=7, seconds=10.5)


def offer(place: support.Town, mode: str = "delivery") -> PromiseOffer:
    lat, lon = support.point(600, 0)
    found = ports.promises().offer(store=place.store, lat=lat, lon=lon, units=3, mode=mode, at=NOON)
    assert found is not None
    return found


def courier_in(place: support.Town, minutes: float) -> None:
    """What dispatch told of the shop."""
    actions.expect_couriers(actor=THE_SYSTEM, city_id=place.city_id, seconds={place.store.id: 60 * minutes})


def at_once(place: support.Town) -> PromiseOffer:
    """What would be promised if every shop began at once."""
    with patch.object(offers, "_begins", return_value=None):
        return offer(place)


def kept(place: support.Town, found: PromiseOffer) -> None:
    ports.promises().keep(
        order_id=ids.new_id(), city_id=place.city_id, store_id=place.store.id, mode="delivery", offer=found
    )


@pytest.fixture
def place() -> support.Town:
    """A town whose shop packs three units in five minutes, nine of ten times in seven and a bit."""
    made = support.town()
    for number in range(4):
        support.courier(made, 40 * number)
    return made


def test_a_courier_who_is_late_has_the_shop_begin_late(place: support.Town) -> None:
    courier_in(place, 25)
    found = offer(place)
    # One minute to react, three and three times twenty seconds to pick; two minutes more, nine of ten times.
    assert found.start_at == NOON + 17 * MINUTE
    assert found.ready_by == found.start_at + PACKED and NOON + 24 * MINUTE < found.ready_by <= NOON + 25 * MINUTE
    assert found.basis["start_at"] == found.start_at.isoformat() and found.slot is None
    assert PromiseOffer.from_json(found.to_json()) == found


def test_the_promise_is_no_later_for_it(place: support.Town) -> None:
    for minutes in (3, 9, 14, 25, 45):
        courier_in(place, minutes)
        now, then = at_once(place), offer(place)
        assert (then.promised_from, then.promised_to) == (now.promised_from, now.promised_to)
        assert then.capacity_slot_id == now.capacity_slot_id and then.ready_by >= now.ready_by


def test_a_courier_who_is_there_in_time_does_not(place: support.Town) -> None:
    for minutes in (0, 5, 12):
        courier_in(place, minutes)
        found = offer(place)
        assert found.start_at is None and found.ready_by == NOON + 5 * MINUTE and "start_at" not in found.basis


def test_nor_does_who_picks_up(place: support.Town) -> None:
    courier_in(place, 45)
    assert offer(place, "pickup").start_at is None


def test_a_later_quarter_has_the_shop_begin_later(place: support.Town) -> None:
    courier_in(place, 3)
    for _ in range(2 * rules.capacity(4)):
        holds.take(ids.new_id(), ports.promises().claims(offer(place)), NOON + 10 * MINUTE)
    found = offer(place)
    assert found.reason_if_later == "no_capacity" and found.start_at is not None
    leaves = rules.in_hand(datetime.fromisoformat(found.basis["expected"]), found.basis["travel_seconds"])
    assert leaves - MINUTE < found.ready_by <= leaves and found.ready_by - found.start_at == PACKED


def test_it_is_packed_before_the_shop_closes() -> None:
    place = support.town(closes=735)  # 12:15 local
    support.courier(place, 0)
    courier_in(place, 40)
    found = offer(place)
    assert found.start_at == NOON + 7 * MINUTE and found.ready_by == found.start_at + PACKED < NOON + 15 * MINUTE


def test_what_begins_later_is_load_when_it_is_near(place: support.Town) -> None:
    courier_in(place, 25)
    kept(place, offer(place))
    row = Promise.objects.get()
    assert row.begins_at is None and row.start_at == NOON + 17 * MINUTE

    def load(at: datetime) -> tuple[int, int]:
        found = offers.situation(place.city_id, at).loads[place.store.id]
        return found.orders, found.units

    assert load(NOON) == (0, 0) and load(NOON + 6 * MINUTE) == (0, 0)
    assert load(NOON + 7 * MINUTE) == load(NOON + 20 * MINUTE) == (1, 3)
    # It is on its way for all that: couriers are as scarce.
    assert offers.situation(place.city_id, NOON).zone(place.store.id).courier_minutes == rules.courier_minutes(1, 4)


def test_it_is_load_at_once_when_it_is_begun_sooner(place: support.Town) -> None:
    courier_in(place, 25)
    kept(place, offer(place))
    row = Promise.objects.get()
    for at, stays in ((NOON + MINUTE, NOON + MINUTE), (NOON + 9 * MINUTE, NOON + MINUTE)):
        handlers.start_moved(events.StartMoved(ids.new_id(), row.order_id, row.store_id, at.isoformat()))
        row.refresh_from_db()
        assert row.start_at == stays
    assert offer(place).basis["load_orders"] == 1


def test_a_long_queue_is_joined_at_once(place: support.Town) -> None:
    """Who would begin when the queue is still there takes a place in it; who begins after it has nothing before it."""
    for number in range(9):
        courier_in(place, 5)
        kept(place, offer(place))
        assert Promise.objects.count() == number + 1
    courier_in(place, 20)
    found = offer(place)
    assert found.start_at is None and found.basis["prep_minutes"] == pytest.approx(17, abs=0.1)
    courier_in(place, 30)
    found = offer(place)
    assert found.start_at == NOON + 22 * MINUTE and found.ready_by == found.start_at + PACKED


def test_a_shop_that_waited_is_not_a_slow_shop_and_a_slow_one_is(place: support.Town) -> None:
    courier_in(place, 25)
    found = offer(place)
    assert found.start_at is not None and found.basis["prep_usual"] == 5.0
    for took, start_at, pace in ((5, found.start_at, 1.0), (10, found.start_at, 2.0), (5, None, rules.MOST_PACE)):
        Promise.objects.all().delete()
        for _ in range(200):
            kept(place, found)
        Promise.objects.update(ready_at=found.start_at + took * MINUTE, start_at=start_at)
        reads.forget()
        assert paces.paces(place.city_id, NOON + HALF)[place.store.id] == pytest.approx(pace, rel=0.05)


def test_a_shop_answers_for_its_own_time_only(place: support.Town) -> None:
    """What a first shop wasted before another one got the order is not the other's pace."""
    found = offer(place)
    for _ in range(200):
        kept(place, found)
    with clock.frozen(NOON + 20 * MINUTE):
        for order_id in Promise.objects.values_list("order_id", flat=True):
            actions.moved(actor=THE_SYSTEM, order_id=order_id, store_id=place.store.id)
    Promise.objects.update(ready_at=NOON + 25 * MINUTE)
    reads.forget()
    assert paces.paces(place.city_id, NOON + HALF)[place.store.id] == pytest.approx(1.0, rel=0.05)
