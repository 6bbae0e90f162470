"""The same callback fifty times at once: one inbox row, one effect; without its guard each test would fail."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from highstreet.delivery.couriers.tests import support as places
from highstreet.delivery.dispatch.models import Delivery
from highstreet.kernel import ids
from highstreet.kernel.models import OutboxEvent, StateChange
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.supply.organisations.reads import forget

from .. import actions
from ..actions import callbacks
from ..dialects import reading
from ..models import Fleet, FleetEvent, FleetOrder
from .support import meituan_callback
from .test_sequences import a_delivery, a_fleet

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 50
WORKERS = 10


@pytest.fixture
def scene() -> Iterator[tuple[Fleet, Delivery, FleetOrder]]:
    place = places.town()
    fleet = a_fleet(place, "meituan")
    yield (fleet, *a_delivery(place))
    forget()


def at_once(work: Callable[[int], Any], count: int = MANY) -> list[Any]:
    """`work` of 0 … count-1 from ten threads that start together. What each came to."""
    start = threading.Barrier(WORKERS)
    results: list[Any] = [None] * count

    def worker(first: int) -> None:
        try:
            start.wait(20)
            for number in range(first, count, WORKERS):
                try:
                    results[number] = work(number)
                except Exception as error:
                    results[number] = type(error).__name__
        finally:
            connections.close_all()

    threads = [threading.Thread(target=worker, args=(first,)) for first in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def knock(fleet: Fleet, number: str, code: str) -> Callable[[int], int]:
    called = meituan_callback(number, code)
    address = f"/api/v1/fleets/{ids.public('flt', fleet.pk)}/notify"
    assert Client().get(address).status_code == 401, "what is loaded with the first request is loaded"

    def send(_: int) -> int:
        form = "application/x-www-form-urlencoded"
        return Client(raise_request_exception=False).generic("POST", address, called.body, form).status_code

    return send


def apply_all(events: list[Any]) -> Counter[str]:
    """Each event by its job, all at once."""
    return Counter(at_once(lambda n: actions.apply_event(actor=THE_SYSTEM, event_id=events[n]), len(events)))


def delivered(delivery: Delivery) -> tuple[int, int]:
    """How often it was delivered: in its history, and as the order heard it."""
    told = OutboxEvent.objects.filter(name="FulfilmentDelivered", payload__order_id=str(delivery.order_id)).count()
    return StateChange.objects.filter(subject=delivery.pk, event="deliver").count(), told


def test_fifty_identical_callbacks_are_one(scene: tuple[Fleet, Delivery, FleetOrder]) -> None:
    fleet, delivery, order = scene
    assert Counter(at_once(knock(fleet, order.number, "50"))) == {200: MANY}
    events = list(FleetEvent.objects.values_list("pk", flat=True))
    assert len(events) == 1
    assert apply_all(events * MANY) == {"moved": MANY}, "all hear what came of the one"
    assert delivered(delivery) == (1, 1)


def test_without_the_words_as_their_name_each_is_kept(
    scene: tuple[Fleet, Delivery, FleetOrder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: every message has a name of its own."""
    fleet, _, order = scene
    monkeypatch.setattr(reading, "fingerprint", lambda *facts: ids.random_token(20))
    at_once(knock(fleet, order.number, "50"))
    assert FleetEvent.objects.count() == MANY


def many_events(fleet: Fleet, order: FleetOrder, code: str) -> list[Any]:
    """Fifty messages that say the same at different times, so that each is kept."""
    for number in range(MANY):
        called = meituan_callback(order.number, code, at=1_772_636_400 + number)
        actions.receive_callback(actor=THE_SYSTEM, fleet_id=fleet.pk, called=called)
    return list(FleetEvent.objects.order_by("pk").values_list("pk", flat=True))


def test_fifty_repetitions_have_one_effect(scene: tuple[Fleet, Delivery, FleetOrder]) -> None:
    fleet, delivery, order = scene
    assert apply_all(many_events(fleet, order, "30")) == {"moved": 1, "repeated": MANY - 1}
    assert StateChange.objects.filter(subject=delivery.pk, event="pick_up").count() == 1


def test_fifty_cancellations_are_one_new_try(scene: tuple[Fleet, Delivery, FleetOrder]) -> None:
    fleet, delivery, order = scene
    assert apply_all(many_events(fleet, order, "99")) == {"lost": 1, "over": MANY - 1}
    assert FleetOrder.objects.filter(delivery_id=delivery.pk).count() == 2


def test_without_the_lock_repetitions_are_news(
    scene: tuple[Fleet, Delivery, FleetOrder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the order at the fleet is read without being locked, and everybody looks before anybody
    writes."""
    fleet, _, order = scene
    events = many_events(fleet, order, "30")
    looked = threading.Barrier(WORKERS)

    def unlocked(key: Any) -> FleetOrder:
        row = FleetOrder.objects.select_related("fleet").get(pk=key)
        looked.wait(20)
        return row

    monkeypatch.setattr(callbacks, "locked", unlocked)
    outcomes = apply_all(events[:WORKERS])
    assert outcomes != {"moved": 1, "repeated": WORKERS - 1}
