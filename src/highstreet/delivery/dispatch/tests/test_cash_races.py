"""Two tills at once, and a price that falls while the cash is taken."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from unittest.mock import patch
from uuid import UUID

import pytest

from highstreet.delivery.couriers import actions as couriers
from highstreet.delivery.couriers import held
from highstreet.delivery.couriers.models import CashHandIn, Courier
from highstreet.delivery.couriers.tests import support
from highstreet.kernel import ledger
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.trade.fulfilment import actions as fulfilments
from highstreet.trade.fulfilment.models import Fulfilment
from highstreet.trade.payments.models import PaymentIntent

from .cash import at_the_till, earn, hand_out, in_hand, no_orders, owing, to_the_door
from .test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with support.ticking(), no_orders():
        yield


def till(place: support.Town, rider: Actor, store: int, amount: int, key: str) -> Callable[[], object]:
    worker = at_the_till(place, store)
    where = place.stores[store].id
    assert rider.courier_id is not None
    courier_id = rider.courier_id

    def take() -> int:
        done = couriers.take_cash(actor=worker, store_id=where, courier_id=courier_id, amount=amount, key=key)
        return done.left

    return take


def both_look_first() -> Callable[[AccountRef], int]:
    """The balance, told when both have asked for it, or when it is plain that the second has to wait."""
    barrier, balance = threading.Barrier(2), ledger.balance

    def look(ref: AccountRef) -> int:
        found = balance(ref)
        with suppress(threading.BrokenBarrierError):
            barrier.wait(timeout=0.5)
        return found

    return look


def careless(city_id: UUID, courier_id: UUID) -> Courier:
    """What `held.of_city` must not be: a look without a lock."""
    return Courier.objects.get(pk=courier_id, city_id=city_id)


def test_two_tills_at_once_take_it_once() -> None:
    place = support.town(2)
    rider = support.courier(place, 100)
    earn(place, rider, 1680)
    with patch.object(ledger, "balance", both_look_first()):
        done = at_once([till(place, rider, store, 1680, f"k{store}") for store in range(2)])
    assert sorted(map(str, done)) == ["0", "not_so_much_in_hand"]
    assert (CashHandIn.objects.count(), in_hand(rider)) == (1, 0)
    assert support.broken() == []


def test_tills_that_do_not_lock_are_found_out() -> None:
    place = support.town(2)
    rider = support.courier(place, 100)
    earn(place, rider, 1680)
    with patch.object(ledger, "balance", both_look_first()), patch.object(held, "of_city", careless):
        done = at_once([till(place, rider, store, 1680, f"k{store}") for store in range(2)])
    assert done == [0, 0] and in_hand(rider) == -1680
    assert any("cash in hand" in words for words, _ in support.broken())


def test_one_form_sent_many_times_at_once_is_one_hand_in() -> None:
    place = support.town()
    rider = support.courier(place, 100)
    earn(place, rider, 1680, 1680)
    done = at_once([till(place, rider, 0, 1000, "k")] * 6)
    assert done == [2360] * 6
    assert (CashHandIn.objects.count(), in_hand(rider)) == (1, 2360)
    assert support.broken() == []


def test_one_key_for_two_couriers_at_once_is_one_hand_in() -> None:
    """They wait for no common lock: the key decides."""
    place = support.town()
    riders = []
    for apart in (100, 20):
        riders.append(support.courier(place, apart))  # the nearest gets the order
        earn(place, riders[-1], 1680)
    worker, where = at_the_till(place, 0), place.stores[0].id

    def take(rider: Actor) -> int:
        assert rider.courier_id is not None
        one = {"store_id": where, "courier_id": rider.courier_id}
        return couriers.take_cash(actor=worker, amount=1680, key="k", **one).left

    with patch.object(ledger, "balance", both_look_first()):
        done = at_once([lambda: take(riders[0]), lambda: take(riders[1])])
    assert sorted(map(str, done)) == ["0", "key_reused"]
    assert CashHandIn.objects.count() == 1 and sum(in_hand(rider) for rider in riders) == 1680
    assert support.broken() == []


def test_a_courier_who_taps_six_times_has_taken_it_once() -> None:
    place = support.town()
    rider = support.courier(place, 100)
    row = owing(place, 1680)
    to_the_door(place, rider, row)
    done = at_once([lambda: hand_out(rider, row, 1680)] * 6)
    assert len(set(done)) == 1 and in_hand(rider) == 1680
    assert PaymentIntent.objects.get().captured == 1680


def test_what_falls_in_price_at_the_door_is_taken_at_one_price() -> None:
    place = support.town()
    rider = support.courier(place, 100)
    for _ in range(4):
        row = owing(place, 1680)
        to_the_door(place, rider, row)
        before = in_hand(rider)

        def cheaper(order_id: UUID = row.order_id) -> None:
            fulfilments.collect_now(actor=THE_SYSTEM, order_id=order_id, due=1090)

        at_once([lambda row=row: hand_out(rider, row, 1680), cheaper])  # type: ignore[misc]
        box = Fulfilment.objects.get(pk=row.fulfilment_id)
        if box.status != "delivered":
            assert (box.collect_due, in_hand(rider)) == (1090, before)
            hand_out(rider, row, 1090)
        box.refresh_from_db()
        assert in_hand(rider) - before == box.collect_due
    assert support.broken() == []
