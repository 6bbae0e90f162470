"""Many at once: two dispatchers, couriers who tap three times, a shift that ends while work is given."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection

from highstreet.delivery.couriers import actions as courier_actions
from highstreet.delivery.couriers.tests import support
from highstreet.kernel import clock
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused

from .. import actions, loop
from ..models import Delivery
from ..states import LIVE

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
