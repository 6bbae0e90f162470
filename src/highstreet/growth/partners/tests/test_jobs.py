"""The jobs, run by a real worker of the queue: from the event to the receiver, with no transaction open meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from highstreet.growth.partners import actions, jobs
from highstreet.growth.partners.models import Sending
from highstreet.growth.partners.tests.support import Receiver, open_at, receiving
from highstreet.growth.partners.tests.test_webhooks import types
from highstreet.kernel import clock, ids, outbox
from highstreet.kernel.outward import Answer, Outward
from highstreet.kernel.tests.worker import work
from highstreet.people.accounts.reads import actor_of_user
from highstreet.supply.organisations.reads import forget
from highstreet.trade.orders.events import OrderConfirmed, OrderPaid
from highstreet.web.console.tests.support import a_scene, an_order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.DEV = True
    with receiving() as made:
        yield made
    forget()


def test_a_worker_sends_tries_again_and_goes_on(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    scene, within = a_scene(ids.random_token(6)), []
    plain = Outward.post

    def watched(self: Outward, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        within.append(connection.in_atomic_block)
        return plain(self, url, body, headers)

    monkeypatch.setattr(Outward, "post", watched)
    boss, events = actor_of_user(scene.owner.pk), ["order.paid", "order.confirmed"]
    actions.add_endpoint(actor=boss, place=open_at(receiver.url), events=events)
    order, receiver.answers = an_order(scene), [(503, b"", {})]
    with transaction.atomic():
        outbox.emit(OrderPaid(order.pk, 100))
        outbox.emit(OrderConfirmed(order.pk, scene.stores[0].pk, "delivery"))
    work()
    assert types(receiver) == ["order.paid"]
    jobs.sweep(timestamp=0)
    work()
    assert types(receiver) == ["order.paid"]
    with clock.advanced(timedelta(seconds=7)):
        jobs.sweep(timestamp=0)
        work()
    assert types(receiver) == ["order.paid", "order.paid", "order.confirmed"]
    assert within == [False, False, False]
    assert set(Sending.objects.values_list("status", flat=True)) == {"sent"}
