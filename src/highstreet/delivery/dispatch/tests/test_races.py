"""Many at once: two dispatchers, couriers who tap three times, a shift that ends while work is given."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection, transaction

from highstreet.delivery.couriers import actions as courier_actions
from highstreet.delivery.couriers.tests import support
from highstreet.kernel import clock
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused

from .. import actions, loop
from ..models import Delivery
from ..states import BEFORE_PICK_UP, LIVE
from .test_override import desk

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(works: list[Callable[[], object]]) -> list[object]:
    """Run all from a barrier, each on a connection of its own; refusals are results, errors are raised."""
    barrier, results = threading.Barrier(len(works)), [None] * len(works)

    def run(number: int) -> None:
        barrier.wait()
        try:
            results[number] = works[number]()  # type: ignore[call-overload]
        except Refused as refused:
            results[number] = refused.reason.code  # type: ignore[call-overload]
        except Exception as error:
            results[number] = error  # type: ignore[call-overload]
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, Exception):
            raise result
    return list(results)


def waiting(place: support.Town, count: int) -> None:
    now = clock.now()
    for number in range(count):
        row = support.fulfilment(place, 300 + 15 * number, at=now, status="ready", minutes=60)
        actions.create(
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
        actions.mark_ready(actor=THE_SYSTEM, fulfilment_id=row.pk, at=now)


def test_two_dispatchers_at_once_give_everything_once_and_nobody_too_much() -> None:
    place = support.town()
    riders = [support.courier(place, 40 * number, capacity=2) for number in range(6)]
    waiting(place, 24)
    for _ in range(4):
        at_once([lambda: actions.plan(actor=THE_SYSTEM, city_id=place.city_id)] * 4)
    rows = Delivery.objects.filter(status__in=LIVE)
    for rider in riders:
        mine = [row for row in rows if row.courier_id == rider.courier_id]
        assert len(mine) <= 2 and len({row.seat for row in mine}) == len(mine)
    assert rows.count() >= 6
    assert support.broken() == []


def test_all_accept_three_times_at_once_while_the_dispatcher_takes_back() -> None:
    place = support.town()
    riders = [support.courier(place, 40 * number, capacity=1) for number in range(8)]
    waiting(place, 8)
    for _ in range(3):
        actions.plan(actor=THE_SYSTEM, city_id=place.city_id)
    given = {row.courier_id: row.pk for row in Delivery.objects.filter(status="assigned")}
    assert len(given) == 8

    def tap(rider: Actor) -> Callable[[], object]:
        return lambda: actions.accept(actor=rider, delivery_id=given[rider.courier_id])

    with clock.advanced(timedelta(minutes=3)):
        at_once([*[tap(rider) for rider in riders] * 3, lambda: actions.plan(actor=THE_SYSTEM, city_id=place.city_id)])
    live = Delivery.objects.filter(status__in=LIVE)
    assert live.values("courier").distinct().count() == live.count()
    for row in live.filter(status="accepted"):
        assert row.accepted_at is not None
    assert [words for words in support.broken() if "history" not in words[0]] == []


def test_nobody_leaves_with_work_given_in_the_same_moment() -> None:
    place = support.town()
    riders = [support.courier(place, 40 * number) for number in range(6)]
    waiting(place, 6)

    def leave(rider: Actor) -> Callable[[], object]:
        return lambda: courier_actions.end_shift(actor=rider)

    results = at_once(
        [*(leave(rider) for rider in riders), lambda: actions.plan(actor=THE_SYSTEM, city_id=place.city_id)]
    )
    stayed = {rider.courier_id for rider, result in zip(riders, results[:-1], strict=True) if result == "tasks_in_hand"}
    assert {row.courier_id for row in Delivery.objects.filter(status__in=LIVE)} <= stayed
    assert support.broken() == []


def decide(row: Delivery, rider: Actor | None, place: support.Town) -> Callable[[], object]:
    courier = None if rider is None else rider.courier_id
    return lambda: actions.override(actor=desk(place), delivery_id=row.pk, courier_id=courier, why="late")


def careless(row: Delivery, rider: Actor) -> Callable[[], object]:
    """The negative control: looks, thinks, writes."""

    def work() -> str:
        found = Delivery.objects.get(pk=row.pk)
        if found.status not in BEFORE_PICK_UP:
            return "wrong_state"
        time.sleep(0.05)
        Delivery.objects.filter(pk=row.pk).update(status="assigned", courier_id=rider.courier_id, seat=row.seat)
        return "done"

    return work


def taken_from_the_bag(work: Callable[[Delivery, Actor, support.Town], Callable[[], object]]) -> list[str]:
    """Eight packages are picked up while somebody decides about them by hand; those that left a courier's bag."""
    place = support.town()
    riders = [support.courier(place, 40 * number, capacity=1) for number in range(8)]
    other = support.courier(place, 2000, capacity=8)
    waiting(place, 8)
    actions.plan(actor=THE_SYSTEM, city_id=place.city_id)
    given = {row.courier_id: row for row in Delivery.objects.filter(status="assigned", city_id=place.city_id)}
    mine = [(rider, given[rider.courier_id]) for rider in riders if rider.courier_id in given]
    assert len(mine) >= 6
    for number, (_, row) in enumerate(mine):
        row.seat = number

    def pick(rider: Actor, row: Delivery) -> Callable[[], object]:
        return lambda: actions.pick_up(actor=rider, delivery_id=row.pk)

    results = at_once([*(pick(*one) for one in mine), *(work(row, other, place) for _, row in mine)])
    lost = []
    for (rider, row), picked in zip(mine, results[: len(mine)], strict=True):
        row.refresh_from_db()
        if picked is None and (row.status, row.courier_id) != ("picked_up", rider.courier_id):
            lost.append(f"{row.pk}: {row.status}")
    return lost


def test_what_is_picked_up_is_not_given_to_another_in_the_same_moment() -> None:
    assert taken_from_the_bag(lambda row, other, place: decide(row, other, place)) == []
    assert [words for words in support.broken() if words[0] == "a state's history is a path"] == []


def test_an_override_that_does_not_lock_is_found_out() -> None:
    assert taken_from_the_bag(lambda row, other, place: careless(row, other)) != []


def test_people_and_dispatcher_decide_at_once_and_nobody_has_too_much() -> None:
    place = support.town()
    riders = [support.courier(place, 40 * number, capacity=2) for number in range(4)]
    waiting(place, 10)
    rows = list(Delivery.objects.filter(city_id=place.city_id).order_by("pk"))
    by_hand = [decide(row, riders[number % 4], place) for number, row in enumerate(rows[:6])]
    epochs = [lambda: actions.plan(actor=THE_SYSTEM, city_id=place.city_id)] * 3
    results = at_once([*by_hand, *epochs, decide(rows[6], None, place)])
    held = Delivery.objects.get(pk=rows[6].pk)
    # Whoever was last decided: kept for a person, or given before that and taken back.
    assert (held.status, held.pinned) == ("waiting", True)
    for row, done in zip(rows[:6], results[:6], strict=True):
        row.refresh_from_db()
        if isinstance(done, actions.Overridden):
            assert (row.courier_id, row.pinned) == (done.courier_id, True)
    assert support.broken() == []


def test_an_epoch_and_a_person_who_hold_what_the_other_wants_both_end() -> None:
    place = support.town()
    rider = support.courier(place, 40)
    waiting(place, 1)
    row, holds = Delivery.objects.get(city_id=place.city_id), threading.Event()
    assert rider.courier_id is not None
    wanted = [rider.courier_id]

    def epoch() -> None:
        """Has taken the delivery back, and wants its couriers."""
        with transaction.atomic():
            Delivery.objects.select_for_update(no_key=True).get(pk=row.pk)
            holds.set()
            time.sleep(0.15)
            courier_actions.lock_on_shift(actor=THE_SYSTEM, courier_ids=wanted)

    def person() -> object:
        holds.wait(10)
        return decide(row, rider, place)()

    results = at_once([epoch, person])
    assert isinstance(results[1], actions.Overridden) and results[1].courier_id == rider.courier_id


def test_two_loops_have_one_leader_who_does_the_work_and_both_stop() -> None:
    place = support.town()
    support.courier(place, 40)
    waiting(place, 1)
    stop, calls = threading.Event(), []
    plan = actions.plan

    def counted(**facts: Any) -> actions.Epoch:
        calls.append(threading.get_ident())
        return plan(**facts)

    with patch.object(actions, "plan", counted):
        loops = [threading.Thread(target=loop.run_forever, args=(stop,)) for _ in range(2)]
        for thread in loops:
            thread.start()
        for _ in range(300):
            if Delivery.objects.filter(status="assigned").exists():
                break
            time.sleep(0.1)
        leaders = set(calls)  # when the first stops, the second may still take over
        stop.set()
        for thread in loops:
            thread.join(60)
    assert not any(thread.is_alive() for thread in loops)
    assert len(leaders) == 1
    assert Delivery.objects.filter(status="assigned").count() == 1
