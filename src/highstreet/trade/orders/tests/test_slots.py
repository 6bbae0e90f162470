"""An order for a time that the shopper chose: quoted, held, told to the store, and kept to when things go wrong."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from highstreet.kernel import ids, outbox
from highstreet.kernel.policy import NOBODY, Actor
from highstreet.kernel.refusal import Refused
from highstreet.trade.fulfilment import actions as fulfilment
from highstreet.trade.orders import actions, reads
from highstreet.trade.orders.actions import Placed
from highstreet.trade.orders.api.shapes import OrderCardOut, card_out
from highstreet.trade.orders.models import Order

from .support import NOON, PHONE, Town, capacity, later, package, pay, view
from .test_api import Shopper

FIVE = NOON + timedelta(hours=5)
HOUR = timedelta(hours=1)


def chosen(town: Town, mode: str = "delivery") -> Placed:
    """An order for five o'clock, not paid."""
    key = town.cart(2, 1)
    quote = actions.quote(
        actor=NOBODY,
        cart_key=key,
        mode=mode,
        lat=town.lat,
        lon=town.lon,
        address="Rua da Praia 1",
        store_id=town.stores[0],
        slot=FIVE,
    )
    assert (quote.slot, quote.promised_from, quote.promised_to) == (FIVE, FIVE, FIVE + HOUR)
    return actions.checkout(actor=NOBODY, quote_id=quote.id, cart_key=key, phone=PHONE, payment_method="wechat")


def test_a_chosen_time_is_held_and_the_store_told_when_to_begin(town: Town) -> None:
    placed = chosen(town)
    assert capacity(town) == (1, 0)
    pay(placed)
    box = package(placed)
    assert (box.promised_from, box.promised_to, box.not_before) == (FIVE, FIVE + HOUR, FIVE)
    assert box.start_at == FIVE - timedelta(minutes=35) and box.ready_by == FIVE - timedelta(minutes=20)
    assert capacity(town) == (0, 1)


def test_as_soon_as_possible_says_neither(town: Town) -> None:
    box = package(town.paid(1))
    assert (box.start_at, box.not_before) == (None, None)


def test_a_pickup_has_no_door_to_be_early_at(town: Town) -> None:
    placed = chosen(town, "pickup")
    pay(placed)
    box = package(placed)
    assert box.start_at is not None and box.not_before is None


def test_a_time_that_is_none_is_refused_and_nothing_is_left(town: Town) -> None:
    key = town.cart(1)
    with pytest.raises(Refused, match="slot_gone"):
        actions.quote(
            actor=NOBODY, cart_key=key, mode="delivery", lat=town.lat, lon=town.lon, slot=FIVE + timedelta(minutes=1)
        )
    assert not Order.objects.exists() and capacity(town) == (0, 0)


def test_a_closed_shop_takes_orders_for_when_it_is_open(town: Town) -> None:
    with later(-9 * 60):
        key = town.cart(1)
        with pytest.raises(Refused, match="closed"):
            town.quote(key)
        found = actions.quote(actor=NOBODY, cart_key=key, mode="delivery", lat=town.lat, lon=town.lon, slot=FIVE)
        assert found.slot == FIVE


def test_a_rejected_one_keeps_its_window_at_the_next_store(town: Town) -> None:
    placed = chosen(town)
    pay(placed)
    with later(4 * 60 + 45):
        fulfilment.reject(actor=town.worker(), fulfilment_id=package(placed).id, reason="too_busy")
        outbox.drain()
        order, box = view(placed), package(placed)
    assert (order.status, order.store.id) == ("confirmed", town.stores[1])
    assert (box.not_before, box.promised_to, order.promised_to) == (FIVE, FIVE + HOUR, FIVE + HOUR)


def test_where_nobody_has_the_window_whoever_comes_sooner_waits_for_it(town: Town) -> None:
    placed = chosen(town)
    pay(placed)
    town.promise.chosen = FIVE + timedelta(days=1)
    fulfilment.reject(actor=town.worker(), fulfilment_id=package(placed).id, reason="too_busy")
    outbox.drain()
    box = package(placed)
    assert box.store_id == town.stores[1]
    assert (box.not_before, box.promised_to) == (FIVE, FIVE + HOUR)


def test_a_late_payment_gets_the_same_window(town: Town) -> None:
    placed = chosen(town)
    with later(30):
        pay(placed)
        order, box = view(placed), package(placed)
    assert (order.status, order.promised_to, box.not_before) == ("confirmed", FIVE + HOUR, FIVE)


def test_over_http(town: Town) -> None:
    shopper = Shopper(town)
    store = ids.public("str", town.stores[0])
    answer = shopper.get(f"/stores/{store}/slots?lat={town.lat}&lon={town.lon}")
    assert answer.status_code == 200
    (slot,) = answer.json()["items"]
    assert slot["free"] is True
    wish = shopper.wish(shopper.cart(1)) | {"slot": slot["starts_at"]}
    quote = shopper.send("POST", "/quotes", wish).json()
    assert quote["slot"] == quote["promised_from"] and quote["promised_to"].startswith("2026")
    for bad, code in (("five", "invalid"), ("2026-11-23T17:00", "invalid"), ("2026-11-23T17:30:00-03:00", "slot_gone")):
        refused = shopper.send("POST", "/quotes", wish | {"slot": bad})
        assert refused.json()["type"] == code and refused.status_code in (409, 422)
    ordered = shopper.send(
        "POST",
        "/checkout",
        {
            "lines": [{"variant": ids.public("var", town.variants[0]), "quantity": 1}],
            "mode": "delivery",
            "phone": PHONE,
            "most_total": 100_000,
            "latest": slot["ends_at"],
            "lat": town.lat,
            "lon": town.lon,
            "address": "Rua 1",
            "slot": slot["starts_at"],
        },
    )
    assert ordered.status_code == 201, ordered.content
    assert ordered.json()["promised_to"] == slot["ends_at"]
    made = ordered.json()
    assert shopper.get(f"/orders/{made['id']}?key={made['key']}").json()["slot"] == slot["starts_at"]
    (card,) = reads.page_of(Actor(order_keys=frozenset({made["key"]})))[0]
    told = OrderCardOut(**card_out(card))
    assert told.slot == told.promised_from == datetime.fromisoformat(slot["starts_at"])


def test_slots_are_refused_where_the_store_does_not_deliver(town: Town) -> None:
    shopper = Shopper(town)
    store = ids.public("str", town.stores[0])
    for query, code in (("lat=-30.5&lon=-51.2", "out_of_range"), ("mode=delivery", "bad_place")):
        assert shopper.get(f"/stores/{store}/slots?{query}").json()["type"] == code
    assert shopper.get(f"/stores/{store}/slots?mode=pickup").status_code == 200
    assert shopper.get(f"/stores/{ids.public('str', ids.new_id())}/slots?mode=pickup").status_code == 404
    with pytest.raises(Refused, match="bad_place"):
        reads.slots(town.stores[0], "delivery", None, None, 3)
