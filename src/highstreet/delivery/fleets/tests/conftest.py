from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation

from highstreet.delivery.promise import reads as promise_reads
from highstreet.delivery.promise.actions import Promises
from highstreet.kernel import outbox
from highstreet.supply.organisations import reads as organisations
from highstreet.trade.orders import ports
from highstreet.trade.orders.tests import support as shop

from .support import Scripted, restored, scripted


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def town(db: None) -> Iterator[shop.Town]:
    """The orders' town with the real promise, and no couriers."""
    with shop.running_from(shop.NOON):
        made = shop.build()
        organisations.forget()
        promise_reads.forget()
        ports.promises.fill(Promises())
        yield made
        outbox.drain()
        shop.clean_audit()
    organisations.forget()


@pytest.fixture
def provider() -> Iterator[Scripted]:
    yield scripted()
    restored()
