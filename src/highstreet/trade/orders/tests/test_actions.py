"""Quotes, checkout, who sees what: what is refused, in words, with nothing held."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from highstreet.kernel import clock, idempotency, ids
from highstreet.kernel.policy import NOBODY, THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.kernel.states import move
from highstreet.people.accounts.actions import create_user
from highstreet.supply.catalog.models import Listing
from highstreet.supply.stores.actions import pause
from highstreet.trade.cart import actions as carts
from highstreet.trade.cart import reads as cart_reads
from highstreet.trade.orders import actions, reads
from highstreet.trade.orders.models import Order, Quote
from highstreet.trade.orders.states import ORDER, PAYMENT

from .support import PHONE, Town, capacity, later, pay, view


def checkout(town: Town, key: str, quote_id: UUID, actor: Actor = NOBODY, **wishes: Any) -> actions.Placed:
    return actions.checkout(actor=actor, quote_id=quote_id, cart_key=key, **({"phone": PHONE} | wishes))


# Quotes


def test_a_quote_is_priced_and_promised_and_holds_nothing(town: Town) -> None:
    quote = town.quote(town.cart(2, 1), store=town.stores[1])
    assert (quote.store.id, quote.goods_total, quote.delivery_fee, quote.total) == (town.stores[1], 2470, 500, 2970)
    assert quote.expires_at > clock.now() + timedelta(minutes=9)
    assert quote.to_free_delivery == 4900 - 2470
    assert town.level(0, 1).held == 0


def test_delivery_is_free_above_and_pickup_always(town: Town) -> None:
    assert town.quote(town.cart(0, 0, 0, 2)).delivery_fee == 0
    assert town.quote(town.cart(1), "pickup").delivery_fee == 0


def test_an_empty_cart_is_not_quoted(town: Town) -> None:
    with pytest.raises(Refused, match="empty_cart"):
        town.quote(town.cart())


def test_another_store_serves_what_the_preferred_one_lacks(town: Town) -> None:
    town.order(20, store=town.stores[0])
    assert town.quote(town.cart(1), store=town.stores[0]).store.id == town.stores[1]


def test_what_is_sold_out_is_named(town: Town) -> None:
    for store in town.stores:
        town.order(20, store=store)
    with pytest.raises(Refused, match="sold_out") as refused:
        town.quote(town.cart(1, 1))
    assert "0" in refused.value.facts["name"]
    assert refused.value.facts["variants"] == [ids.public("var", town.variants[0])]


def test_out_of_range_closed_and_no_capacity_say_so(town: Town) -> None:
    key = town.cart(1)
    with pytest.raises(Refused, match="out_of_range"):
        actions.quote(actor=NOBODY, cart_key=key, mode="delivery", lat=48.1, lon=11.5)
    with later(12 * 60), pytest.raises(Refused, match="closed") as refused:
        town.quote(key)
    assert refused.value.facts["opens"] == "07:00"
    town.promise.none_at.update(town.stores)
    with pytest.raises(Refused, match="no_capacity"):
        town.quote(key)


def test_a_paused_store_is_passed_over(town: Town) -> None:
    manager = replace(town.worker(), permissions=frozenset({"store.manage"}))
    pause(actor=manager, store_id=town.stores[0], minutes=30)
    assert town.quote(town.cart(1), store=town.stores[0]).store.id != town.stores[0]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("lat", 91.0, "bad_place"),
        ("lat", float("nan"), "bad_place"),
        ("lon", float("inf"), "bad_place"),
        ("mode", "drone", "bad_choice"),
        ("address", "\x00", "bad_text"),
        ("address", "a" * 161, "bad_text"),
        ("unit", "\ud800", "bad_text"),
        ("cart_key", "\x00", "not_found"),
        ("cart_key", "0" * 32, "not_found"),
    ],
)
def test_bad_quotes_are_refused_in_words(town: Town, field: str, value: object, code: str) -> None:
    wish: dict[str, object] = {"cart_key": town.cart(1), "mode": "delivery", "lat": town.lat, "lon": town.lon}
    with pytest.raises(Refused, match=code) as refused:
        actions.quote(actor=NOBODY, **{**wish, field: value})  # type: ignore[arg-type]
    assert refused.value.words


# Checkout


def test_a_cart_that_changed_is_refused_and_nothing_is_held(town: Town) -> None:
    key = town.cart(1)
    quote = town.quote(key)
    carts.set_quantity(actor=NOBODY, cart_key=key, variant_id=town.variants[1], quantity=1)
    with pytest.raises(Refused, match="cart_changed"):
        checkout(town, key, quote.id)
    assert (Order.objects.count(), town.level(0).held) == (0, 0)
    assert Quote.objects.get(pk=quote.id).used_at is None


def test_a_quote_expires(town: Town) -> None:
    key = town.cart(1)
    quote = town.quote(key)
    with later(10.1), pytest.raises(Refused, match="quote_expired") as refused:
        checkout(town, key, quote.id)
    assert refused.value.facts["until"] == "12:10"


def test_a_quote_is_used_once(town: Town) -> None:
    key = town.cart(1)
    quote = town.quote(key)
    checkout(town, key, quote.id)
    with pytest.raises(Refused, match="quote_used"):
        checkout(town, key, quote.id)
    assert (Order.objects.count(), town.level(0).held) == (1, 1)
    assert cart_reads.contents(key).lines == ()


def test_the_same_key_twice_is_one_order(town: Town) -> None:
    key = town.cart(1)
    quote = town.quote(key)

    def work() -> tuple[int, object]:
        placed = checkout(town, key, quote.id)
        return 201, {"order": str(placed.order_id)}

    answers = [
        idempotency.once(subject=f"guest:{key}", endpoint="POST /orders", key="k1", body=b"{}", work=work)
        for _ in range(3)
    ]
    assert answers[0] == answers[1] == answers[2]
    assert Order.objects.count() == 1


def test_what_sold_out_meanwhile_takes_nothing_at_all(town: Town) -> None:
    key = town.cart(2, 2)
    quote = town.quote(key, store=town.stores[0])
    town.order(0, 19, store=town.stores[0])
    before = capacity(town)
    with pytest.raises(Refused, match="sold_out") as refused:
        checkout(town, key, quote.id)
    assert "1" in refused.value.facts["name"]
    assert (town.level(0).held, capacity(town)) == (0, before)
    assert cart_reads.contents(key).lines
    assert Order.objects.count() == 1


def test_capacity_that_is_gone_takes_nothing_at_all(town: Town) -> None:
    key = town.cart(1)
    quote = town.quote(key)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE promise_capacityslot SET capacity = 0")
    with pytest.raises(Refused) as refused:
        checkout(town, key, quote.id)
    assert refused.value.reason.status == 409
    assert town.level(0).held == 0


def test_two_units_of_the_last_one_cannot_be_had(town: Town) -> None:
    town.order(19, store=town.stores[0])
    keys = [town.cart(1) for _ in range(2)]
    quotes = [town.quote(key, store=town.stores[0]) for key in keys]
    checkout(town, keys[0], quotes[0].id)
    with pytest.raises(Refused, match="sold_out"):
        checkout(town, keys[1], quotes[1].id)
    assert town.level(0).free == 0


def test_another_carts_quote_is_not_found(town: Town) -> None:
    quote = town.quote(town.cart(1))
    for key in (town.cart(1), "", "\x00", "0" * 32):
        with pytest.raises(Refused, match="not_found"):
            checkout(town, key, quote.id)
    with pytest.raises(Refused, match="not_found"):
        checkout(town, town.cart(1), ids.new_id())


def customer(town: Town, name: str) -> Actor:
    from highstreet.people.accounts.reads import actor_of_user

    user = create_user(actor=THE_SYSTEM, username=name, password="x")
    actor = actor_of_user(user)
    if actor.customer_id is None:
        placed = town.order(0, 0, 1, actor=actor)
        actions.cancel(actor=THE_SYSTEM, order_id=placed.order_id)
    return actor_of_user(user)


def test_another_customers_cart_is_not_found(town: Town) -> None:
    mine, other = customer(town, "mine"), customer(town, "other")
    key = town.cart(1, actor=mine)
    quote = town.quote(key, actor=mine)
    with pytest.raises(Refused, match="not_found"):
        checkout(town, key, quote.id, actor=other)
    with pytest.raises(Refused, match="not_found"):
        carts.set_quantity(actor=other, cart_key=key, variant_id=town.variants[0], quantity=5)
    assert checkout(town, key, quote.id, actor=mine).status == "pending"


def test_orders_are_seen_by_who_may(town: Town) -> None:
    mine, other = customer(town, "mine"), customer(town, "other")
    placed = town.order(1, actor=mine)
    assert reads.order(mine, placed.order_id).key == placed.key
    assert reads.order(town.worker(), placed.order_id).key == ""
    assert reads.by_key(placed.key).id == placed.order_id
    holder = replace(NOBODY, order_keys=frozenset({placed.key}))
    assert reads.order(holder, placed.order_id).mine
    for stranger in (NOBODY, other, town.worker(1)):
        with pytest.raises(Refused, match="not_found"):
            reads.order(stranger, placed.order_id)
        with pytest.raises(Refused, match="not_found"):
            actions.cancel(actor=stranger, order_id=placed.order_id)
        with pytest.raises(Refused, match="not_found"):
            actions.reorder(actor=stranger, cart_key=town.cart(), order_id=placed.order_id)
    with pytest.raises(Refused, match="not_found"):
        reads.by_key("\x00")
    assert reads.orders_of(mine)[0].id == placed.order_id
    assert placed.order_id not in [card.id for card in reads.orders_of(other)]


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"phone": "12"}, "bad_phone"),
        ({"phone": "\x00"}, "bad_phone"),
        ({"payment_method": "gold"}, "bad_choice"),
        ({"payment_method": "at_pickup"}, "pay_at_pickup_only"),
        ({"substitution": "x"}, "bad_choice"),
        ({"note": "n" * 201}, "bad_text"),
        ({"note": "\ud800"}, "bad_text"),
        ({"unit": "a\x00"}, "bad_text"),
    ],
)
def test_bad_wishes_are_refused_and_the_quote_is_still_good(town: Town, wish: dict[str, Any], code: str) -> None:
    key = town.cart(1)
    quote = town.quote(key)
    with pytest.raises(Refused, match=code) as refused:
        checkout(town, key, quote.id, **wish)
    assert refused.value.words
    assert checkout(town, key, quote.id).status == "pending"


def test_a_price_that_changes_after_the_quote_changes_nothing(town: Town) -> None:
    key = town.cart(1)
    quote = town.quote(key)
    Listing.objects.update(price=99999)
    assert view(checkout(town, key, quote.id)).total == 590 + 500


def test_checkout_asks_the_database_as_often_for_many_lines_as_for_few(town: Town) -> None:
    def statements(*quantities: int) -> int:
        key = town.cart(*quantities)
        quote = town.quote(key)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            checkout(town, key, quote.id)
        return len([query for query in queries if "SAVEPOINT" not in query["sql"]])

    statements(1)
    assert statements(1) == statements(1, 1, 1, 1, 1) <= 10


def test_an_order_can_be_had_again(town: Town) -> None:
    placed = town.order(2, 0, 3)
    holder = replace(NOBODY, order_keys=frozenset({placed.key}))
    key = town.cart(98)
    actions.reorder(actor=holder, cart_key=key, order_id=placed.order_id)
    assert dict(cart_reads.contents(key).lines) == {town.variants[0]: 99, town.variants[2]: 3}


def test_only_who_ordered_pays_and_only_in_time(town: Town) -> None:
    placed = town.order(1)
    holder = replace(NOBODY, order_keys=frozenset({placed.key}))
    with pytest.raises(Refused, match="not_found"):
        actions.open_intent(actor=NOBODY, order_id=placed.order_id)
    with pytest.raises(Refused, match="not_found"):
        actions.open_intent(actor=town.worker(), order_id=placed.order_id)
    assert actions.open_intent(actor=holder, order_id=placed.order_id) == placed.intent_id
    with later(10), pytest.raises(Refused, match="not_payable"):
        actions.open_intent(actor=holder, order_id=placed.order_id)
    pay(placed)
    with pytest.raises(Refused, match="not_payable"):
        actions.open_intent(actor=holder, order_id=placed.order_id)


@pytest.mark.parametrize("machine", [ORDER, PAYMENT])
def test_every_state_and_event_that_the_table_lacks_is_refused(town: Town, machine: object) -> None:
    from highstreet.kernel.states import Machine

    assert isinstance(machine, Machine)
    placed = town.order(1)
    row = Order.objects.get(pk=placed.order_id)
    events = {event for _, event in machine.table}
    for state in sorted(machine.states()):
        for event in sorted(events):
            if (state, event) in machine.table:
                continue
            Order.objects.filter(pk=row.pk).update(**{machine.column: state})
            row.refresh_from_db()
            with pytest.raises(Refused, match="wrong_state"):
                move(machine, row, event, actor="test")
            row.refresh_from_db()
            assert getattr(row, machine.column) == state
    Order.objects.filter(pk=row.pk).update(status="pending", payment_status="unpaid")


def test_staff_find_orders_of_their_stores(town: Town) -> None:
    placed = town.order(1)
    number = view(placed).number
    for text in (number, number.lower(), "1111", ""):
        assert [card.id for card in reads.search(town.worker(), text)] == [placed.order_id]
        assert reads.search(town.worker(1), text) == []
    for text in ("\x00", "'; DROP TABLE", "%", "订单"):
        assert reads.search(town.worker(), text) == []
    assert reads.counts(town.worker())["pending"] == 1
    assert reads.counts(town.worker(1))["pending"] == 0
