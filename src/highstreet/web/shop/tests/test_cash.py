"""Cash at the door, from the checkout to the order's page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from highstreet.kernel import clock, ids, outbox
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.models import Organisation
from highstreet.supply.stores.models import Store
from highstreet.trade.fulfilment import actions as fulfilment
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.orders.tests import support as life
from highstreet.trade.orders.tests.support import Town

from .support import add, be_at, form_of, order, page, text

pytestmark = pytest.mark.django_db
CASH = 'value="at_door"'
CHOSEN = re.compile(r'<input[^>]*value="at_door"[^>]* checked')


@pytest.fixture(autouse=True)
def audited(town: Town) -> Iterator[None]:
    yield
    life.clean_audit()


def terms(town: Town, **policy: int) -> None:
    Organisation.objects.filter(pk=town.retailer).update(policy=policy)
    organisations.forget()


def placed(row: Any) -> Any:
    return type("Placed", (), {"order_id": row.pk})


def test_a_guest_pays_the_courier(town: Town, reader: Client) -> None:
    row = order(reader, town.variants[3], address="Public Market", payment="at_door")
    assert (row.payment_method, row.status, row.payment_status) == ("at_door", "confirmed", "unpaid")
    due = f"¥{row.total // 100}.{row.total % 100:02d}"
    assert f"Pay {due} to the courier, in cash" in page(reader, f"/o/{row.key}")
    outbox.drain()
    life.pick(town, placed(row))
    box = fulfilments.of_order(row.pk)
    assert box is not None
    fulfilment.hand_over(actor=THE_SYSTEM, fulfilment_id=box.id)
    fulfilment.deliver(actor=THE_SYSTEM, fulfilment_id=box.id, cash=row.total, courier_id=ids.new_id())
    outbox.drain()
    html = page(reader, f"/o/{row.key}")
    assert "to the courier, in cash" not in html and 'id="rate"' in html


def test_what_stands_in_the_way_does_not_change_how_it_is_paid(town: Town, reader: Client) -> None:
    be_at(reader)
    add(reader, town.variants[0])
    form = form_of(page(reader, "/checkout"), phone="13800001234", payment="at_door")
    assert CHOSEN.search(text(reader.post("/checkout", {**form, "address": "Nowhere Street 99999", "quote": ""}), 422))
    Store.objects.update(paused_until=clock.now() + timedelta(days=9))
    assert CHOSEN.search(text(reader.post("/checkout", {**form, "quote": ""}), 409))


def test_it_is_offered_where_and_up_to_what_the_city_says(town: Town, reader: Client) -> None:
    be_at(reader)
    add(reader, town.variants[0])
    html = page(reader, "/checkout")
    assert CASH in html and "up to ¥500" in html and 'value="at_pickup"' not in html
    form = form_of(html, phone="13800001234", payment="at_door")
    terms(town, cash_at_door=100)
    assert CASH not in page(reader, "/checkout")
    assert "Couriers take up to ¥1.00 in cash here" in text(reader.post("/checkout", form), 409)
    terms(town, cash_at_door=0)
    assert CASH not in page(reader, "/checkout")
    assert "Couriers take no cash here" in text(reader.post("/checkout", form), 409)
    assert CASH not in page(reader, "/checkout?mode=pickup")
