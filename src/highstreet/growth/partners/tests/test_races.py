"""Many workers at once: each message once, each order's messages in order; without its guard each test would fail."""

from __future__ import annotations

import itertools
import json
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections, transaction

from highstreet.growth.partners import actions
from highstreet.growth.partners.actions import endpoints, keys, sending
from highstreet.growth.partners.models import ApiKey, Endpoint, Sending
from highstreet.growth.partners.sealing import unseal
from highstreet.growth.partners.tests.support import Receiver, open_at, receiving
from highstreet.growth.partners.tests.test_api import Caller
from highstreet.growth.partners.tests.test_webhooks import told
from highstreet.kernel import failpoints, ids, outbox
from highstreet.kernel.outward import Barred, Outward, Target, target
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.kernel.refusal import Refused
from highstreet.kernel.transactions import Again
from highstreet.people.accounts.reads import actor_of_user
from highstreet.supply.organisations.reads import forget
from highstreet.trade.orders.events import OrderPaid
from highstreet.web.console.tests.support import Scene, a_scene, an_order

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS, ORDERS, EVENTS = 8, 6, 5


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.DEV = True
    with receiving() as made:
        yield made
    forget()


def many(scene: Scene, receiver: Receiver) -> list[UUID]:
    """Events of several orders for one endpoint; `amount` counts up within each order."""
    actions.add_endpoint(actor=actor_of_user(scene.owner.pk), place=open_at(receiver.url), events=["order.paid"])
    orders = [an_order(scene).pk for _ in range(ORDERS)]
    for number in range(EVENTS):
        for order in orders:
            with transaction.atomic():
                outbox.emit(OrderPaid(order, number))
    told()
    return list(Sending.objects.values_list("pk", flat=True))


def at_once(tasks: Iterable[Callable[[], object]]) -> None:
    """All begin in the same moment, each with its own connection."""
    todo = list(tasks)
    start = threading.Barrier(len(todo))

    def run(task: Callable[[], object]) -> None:
        try:
            start.wait()
            task()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(task,)) for task in todo]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def work(waiting: list[UUID], rounds: int) -> None:
    """Workers that each try everything, in an order of their own."""

    def worker(seed: int) -> None:
        mine = random.Random(seed)
        for _ in range(rounds):
            for pk in mine.sample(waiting, len(waiting)):
                actions.send(actor=THE_SYSTEM, sending_id=pk)

    at_once(partial(worker, seed) for seed in range(WORKERS))


def heard(receiver: Receiver) -> dict[str, list[int]]:
    by_order: dict[str, list[int]] = defaultdict(list)
    for one in receiver.heard:
        told_of = json.loads(one.body)["data"]
        by_order[told_of["order"]].append(told_of["amount"])
    return by_order


def test_each_once_and_each_order_in_order(receiver: Receiver) -> None:
    work(many(a_scene(ids.random_token(6)), receiver), rounds=6)
    assert list(heard(receiver).values()) == [list(range(EVENTS))] * ORDERS


def test_without_the_order_of_an_entity_they_overtake(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = many(a_scene(ids.random_token(6)), receiver)
    monkeypatch.setattr(sending, "_CLAIM", sending._CLAIM.replace(f"AND {sending._FIRST}", ""))
    work(waiting, rounds=6)
    assert any(amounts != sorted(amounts) for amounts in heard(receiver).values())


def test_without_the_claim_they_are_sent_twice(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = many(a_scene(ids.random_token(6)), receiver)
    free = "AND (s.claimed_until IS NULL OR s.claimed_until < %(now)s)"
    assert free in sending._CLAIM
    monkeypatch.setattr(sending, "_CLAIM", sending._CLAIM.replace(free, ""))
    work(waiting, rounds=1)
    assert any(len(amounts) > len(set(amounts)) for amounts in heard(receiver).values())


def claimed_at_once(waiting: list[UUID]) -> int:
    """How many tries eight workers get for one endpoint in the same moment, each for another order."""
    got: list[bool] = []
    at_once(partial(lambda pk: got.append(sending._claim(pk) is not None), pk) for pk in waiting)
    Sending.objects.update(claimed_until=None)
    return sum(got)


def firsts(receiver: Receiver) -> list[UUID]:
    """The first message of each of eight orders."""
    scene = a_scene(ids.random_token(6))
    actions.add_endpoint(actor=actor_of_user(scene.owner.pk), place=open_at(receiver.url), events=["order.paid"])
    for order in [an_order(scene).pk for _ in range(WORKERS)]:
        with transaction.atomic():
            outbox.emit(OrderPaid(order, 1))
    told()
    return list(Sending.objects.values_list("pk", flat=True))


def test_an_endpoint_gets_four_tries_at_once_and_no_more(receiver: Receiver) -> None:
    waiting = firsts(receiver)
    assert [claimed_at_once(waiting) for _ in range(10)] == [sending.AT_ONCE] * 10


def test_without_the_endpoints_lock_it_gets_more(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = firsts(receiver)
    monkeypatch.setattr(sending, "_LOCK", "SELECT %s::uuid")
    assert any(claimed_at_once(waiting) > sending.AT_ONCE for _ in range(30))


def added_at_once(scene: Scene, url: str) -> int:
    """Endpoints of a retailer that has seven, after eight people add one each."""
    actor = actor_of_user(scene.owner.pk)
    Endpoint.objects.all().delete()

    def add() -> None:
        with suppress(Refused):
            actions.add_endpoint(actor=actor, place=open_at(url), events=["order.paid"])

    for _ in range(7):
        add()
    at_once([add] * WORKERS)
    return Endpoint.objects.count()


def test_ten_endpoints_are_ten_however_many_add_one(receiver: Receiver) -> None:
    scene = a_scene(ids.random_token(6))
    assert [added_at_once(scene, receiver.url) for _ in range(3)] == [10, 10, 10]


def test_without_waiting_for_each_other_they_are_more(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = a_scene(ids.random_token(6))
    monkeypatch.setattr(endpoints, "one_at_a_time", lambda organisation_id: None)
    assert any(added_at_once(scene, receiver.url) > 10 for _ in range(20))


def made_at_once(scene: Scene) -> int:
    """Keys of a retailer that may have three, after eight people make one each."""
    actor = actor_of_user(scene.owner.pk)
    ApiKey.objects.all().delete()

    def make() -> None:
        with suppress(Refused):
            actions.make_key(actor=actor, name="x", scopes=["webhooks.manage"])

    at_once([make] * WORKERS)
    return ApiKey.objects.count()


def test_keys_are_no_more_than_they_may_be(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = a_scene(ids.random_token(6))
    monkeypatch.setattr(keys, "MAX_KEYS", 3)
    assert [made_at_once(scene) for _ in range(3)] == [3, 3, 3]
    monkeypatch.setattr(keys, "one_at_a_time", lambda organisation_id: None)
    assert any(made_at_once(scene) > 3 for _ in range(20))


def test_a_name_is_looked_up_while_nothing_is_locked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does what became of the name since then take a kept answer away."""
    call, body = Caller(a_scene(ids.random_token(6))), {"url": receiver.url, "events": ["order.paid"]}
    locked: list[bool] = []

    def addresses(self: Outward, url: str) -> tuple[Target, list[str]]:
        locked.append(connection.in_atomic_block)
        if len(locked) > 2:
            raise Barred("unknown_host")
        return target(url, dev=True), ["127.0.0.1"]

    monkeypatch.setattr(Outward, "addresses", addresses)
    made = call("post", "", body, "k")
    assert call("patch", f"/{made.json()['id']}", {"url": receiver.url}).status_code == 200
    again = call("post", "", body, "k")
    assert (again.status_code, again.json()) == (201, {**made.json(), "secret": None})
    assert call("post", "", body).json()["type"] == "target_barred"
    assert locked == [False] * 4


def test_the_secret_that_is_told_is_the_one_that_was_kept(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that had to begin anew has made one before."""
    times = itertools.count()

    def reach(name: str, kind: str = "") -> None:
        if name == "idempotency.answered" and next(times) == 0:
            raise Again

    monkeypatch.setattr(failpoints, "reach", reach)
    made = Caller(a_scene(ids.random_token(6)))("post", "", {"url": receiver.url, "events": ["order.paid"]})
    assert next(times) == 2
    assert unseal(Endpoint.objects.get().secret) == made.json()["secret"]
