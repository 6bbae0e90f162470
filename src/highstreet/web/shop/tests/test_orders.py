"""From checkout to the door, through the pages alone; no JavaScript anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from highstreet.kernel import ids, outbox
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.people.accounts.models import User
from highstreet.supply.inventory.models import StockLevel
from highstreet.trade.fulfilment import actions as fulfilment
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.orders import actions as orders
from highstreet.trade.orders.models import Order
from highstreet.trade.orders.tests import support as life
from highstreet.trade.orders.tests.support import Town
from highstreet.trade.payments.actions.capturing import book
from highstreet.trade.payments.models import PaymentIntent
from highstreet.trade.payments.reads import view_of

from .support import add, be_at, form_of, order, page, text

pytestmark = pytest.mark.django_db
CODE = "weixin://wxpay/bizpayurl?pr=abc"


@pytest.fixture(autouse=True)
def provider(town: Town, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    """The provider answers at once with a native code. The books are audited when the test ends."""
    settings.WALLET_URL = "http://wallet.test"

    def started(*, actor: Any, order_id: Any) -> Any:
        intent = PaymentIntent.objects.filter(payable=order_id).latest("created_at")
        return replace(view_of(intent), code_url=CODE)

    monkeypatch.setattr(orders, "pay", started)
    yield
    life.clean_audit()


def captured(row: Order) -> None:
    intent = PaymentIntent.objects.get(payable=row.pk)
    assert book(THE_SYSTEM, intent, intent.amount, f"wx-{intent.pk}")
    outbox.drain()


def placed(row: Order) -> Any:
    return type("Placed", (), {"order_id": row.pk})


def test_a_guest_orders_with_two_fields(town: Town, guest: Client) -> None:
    row = order(guest, town.variants[3], address="Public Market")
    assert row.phone == "13800001234" and row.address == "Public Market"
    html = page(guest, f"/o/{row.key}/pay")
    assert "<svg" in html and "http://wallet.test/wallet/native?pr=abc" in html
    captured(row)
    assert guest.get(f"/o/{row.key}/pay")["Location"] == f"/o/{row.key}"
    tracking = page(guest, f"/o/{row.key}")
    assert row.number in tracking and "OpenStreetMap" in tracking and 'id="overlay"' in tracking
    assert row.number in page(guest, "/orders")
    assert 'id="reorder"' in page(guest, "/")


def test_what_was_remembered_is_folded(town: Town, reader: Client) -> None:
    row = order(reader, town.variants[3], address="Public Market")
    add(reader, town.variants[0])
    html = page(reader, "/checkout")
    assert f'value="{row.phone}"' in html and 'class="panel folded" >' in html


def test_an_unknown_address_and_no_phone_come_back_with_what_was_typed(town: Town, guest: Client) -> None:
    add(guest, town.variants[0])
    form = form_of(page(guest, "/checkout"), address="Nowhere 1", phone="")
    html = text(guest.post("/checkout", form), 422)
    assert 'value="Nowhere 1"' in html and 'id="form-errors"' in html and 'aria-invalid="true"' in html
    html = text(guest.post("/checkout", form | {"address": "Public Market", "phone": "12"}), 422)
    assert 'value="12"' in html and Order.objects.count() == 0


def test_a_later_promise_is_asked_about_again(town: Town, reader: Client) -> None:
    add(reader, town.variants[0])
    be_at(reader)
    form = form_of(page(reader, "/checkout"), phone="13800001234")
    with life.later(11):
        html = text(reader.post("/checkout", form), 409)
        assert "Order as shown" in html and Order.objects.count() == 0
        again = form_of(html, phone="13800001234")
        assert again["quote"] != form["quote"]
        assert reader.post("/checkout", again).status_code == 303


def test_requote_tells_the_typed_address(town: Town, reader: Client) -> None:
    add(reader, town.variants[0])
    form = form_of(page(reader, "/checkout"), address="Public Market")
    html = text(reader.post("/checkout/quote", form, headers={"HX-Request": "true"}))
    assert 'id="quoted"' in html and "With you by" in html and 'hx-target="#dock"' in html
    wrong = form | {"address": "Nowhere 1"}
    assert "Open the map" in text(reader.post("/checkout/quote", wrong, headers={"HX-Request": "true"}), 422)


def test_sold_out_at_checkout_leads_to_the_cart(town: Town, reader: Client) -> None:
    add(reader, town.variants[0])
    be_at(reader)
    form = form_of(page(reader, "/checkout"), phone="13800001234")
    StockLevel.objects.filter(variant_id=town.variants[0]).update(on_hand=0)
    assert "Change the cart" in text(reader.post("/checkout", form), 409)
    assert "short here" in page(reader, "/cart")
    StockLevel.objects.filter(variant_id=town.variants[0]).update(on_hand=20)


def test_an_empty_cart_has_no_checkout(town: Town, reader: Client) -> None:
    assert reader.get("/checkout")["Location"] == "/cart"


def test_pickup_is_paid_at_the_counter_and_shows_its_code(town: Town, guest: Client) -> None:
    guest.get("/?mode=pickup")
    row = order(guest, town.variants[0], payment="at_pickup")
    assert row.mode == "pickup" and row.status == "confirmed"
    outbox.drain()
    life.pick(town, placed(row))
    code = fulfilments.pickup_code(row.pk)
    html = page(guest, f"/o/{row.key}")
    assert "segno" in html and " ".join(code) in html
    work = town.worker()
    fulfilment.collect(actor=work, store_id=row.store_id, code=code, cash_received=row.total)
    outbox.drain()
    html = page(guest, f"/o/{row.key}")
    assert 'id="rate"' in html
    assert guest.post(f"/o/{row.key}/rate", {"stars": "5", "text": "good"}).status_code == 303
    assert "good" in page(guest, f"/o/{row.key}")
    assert guest.post(f"/o/{row.key}/rate", {"stars": "4"}).status_code == 409


def test_a_substitute_is_asked_about_and_answered(town: Town, guest: Client) -> None:
    row = order(guest, town.variants[0], address="Public Market", substitution="ask")
    captured(row)
    work = town.worker([*town.stores].index(row.store_id))
    box = fulfilments.of_order(row.pk)
    assert box is not None
    fulfilment.accept(actor=work, fulfilment_id=box.id)
    fulfilment.start_picking(actor=work, fulfilment_id=box.id)
    fulfilment.propose_substitute(actor=work, line_id=box.lines[0].id, variant_id=town.variants[4], units=1)
    html = page(guest, f"/o/{row.key}")
    line = ids.public("lin", box.lines[0].id)
    assert line in html and 'name="agreed"' in html
    assert guest.post(f"/o/{row.key}/answer", {"line": line, "agreed": "1"}).status_code == 303
    assert 'name="agreed"' not in page(guest, f"/o/{row.key}")
    assert guest.post(f"/o/{row.key}/answer", {"line": "lin_x", "agreed": "1"}).status_code == 404


def test_cancel_says_what_goes_back(town: Town, guest: Client) -> None:
    row = order(guest, town.variants[0], address="Public Market")
    captured(row)
    assert "/cancel" in page(guest, f"/o/{row.key}")
    assert guest.post(f"/o/{row.key}/cancel").status_code == 303
    html = page(guest, f"/o/{row.key}")
    assert "已取消" in html or "Cancelled" in html
    assert f"/o/{row.key}/reorder" in html


def test_reorder_is_two_taps(town: Town, reader: Client) -> None:
    row = order(reader, town.variants[0], address="Public Market")
    answer = reader.post(f"/o/{ids.public('ord', row.pk)}/reorder")
    assert answer["Location"] == "/checkout"
    html = page(reader, "/checkout")
    assert reader.post("/checkout", form_of(html)).status_code == 303


def test_expired_says_so_and_offers_another(town: Town, guest: Client) -> None:
    row = order(guest, town.variants[0], address="Public Market")
    with life.later(30):
        html = page(guest, f"/o/{row.key}/pay")
        assert f"/o/{row.key}/reorder" in html and "wallet.test" not in html


def test_the_live_part_is_small_and_moves_the_map(town: Town, reader: Client) -> None:
    row = order(reader, town.variants[0], address="Public Market")
    captured(row)
    html = text(reader.get(f"/o/{row.key}?part=live", headers={"HX-Request": "true"}))
    assert "<html" not in html and 'hx-target="#overlay"' in html and 'class="major"' not in html


def test_nobody_sees_another_guests_order(town: Town, reader: Client) -> None:
    row = order(reader, town.variants[0], address="Public Market")
    other = Client()
    assert page(other, f"/o/{ids.public('ord', row.pk)}", 404)
    assert page(other, "/o/" + "z" * 32, 404)
    assert other.post(f"/o/{ids.public('ord', row.pk)}/cancel").status_code == 404
    assert row.number not in page(other, "/orders")


def test_a_member_finds_orders_and_addresses_anywhere(town: Town) -> None:
    user = User.objects.create(id=ids.new_id(), username="shopper")
    client = Client()
    client.force_login(user)
    row = order(client, town.variants[0], address="Public Market")
    other = Client()
    other.force_login(user)
    assert row.number in page(other, "/orders") and "Public Market" in page(other, "/")
    assert row.number in page(other, f"/o/{ids.public('ord', row.pk)}")
    assert "Public Market" in page(other, "/me")


def test_late_is_said_before_anybody_asks(town: Town, reader: Client) -> None:
    row = order(reader, town.variants[0], address="Public Market")
    captured(row)
    Order.objects.filter(pk=row.pk).update(promised_to=row.placed_at - timedelta(minutes=6))
    assert "late" in page(reader, f"/o/{row.key}")
