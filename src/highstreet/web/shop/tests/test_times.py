"""A time that is chosen at checkout: listed, quoted anew, seen before it is ordered, told as a window."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from highstreet.delivery.promise.models import CapacitySlot
from highstreet.kernel import clock, outbox
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.supply.inventory.models import StockLevel
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.models import Organisation
from highstreet.trade.fulfilment.models import Fulfilment
from highstreet.trade.orders import ports
from highstreet.trade.orders.models import Order, Quote
from highstreet.trade.orders.tests import support as life
from highstreet.trade.orders.tests.support import Town
from highstreet.trade.payments.actions.capturing import book
from highstreet.trade.payments.models import PaymentIntent

from .support import add, be_at, form_of, page, text

pytestmark = pytest.mark.django_db
FIVE = life.NOON + timedelta(hours=5)
TEN_TOMORROW = FIVE + timedelta(hours=17)
HTMX = {"HX-Request": "true"}


@pytest.fixture
def steady(town: Town) -> Town:
    """The town whose promise never changes and has one hour to choose: today at five."""
    ports.promises.fill(town.promise)
    return town


def basket(client: Client, town: Town, mode: str = "delivery") -> str:
    """A cart at a known place; the checkout page."""
    add(client, town.variants[0])
    be_at(client)
    return page(client, f"/checkout?mode={mode}")


def options(html: str) -> dict[str, str]:
    """Value -> what the list of times says of it: its words, and whether it is disabled or selected."""
    chooser = re.search(r'<select name="slot".*?</select>', html, re.S)
    assert chooser, html[:2000]
    found = re.findall(r'<option value="([^"]*)"([^>]*)>([^<]*)<', chooser[0])
    return {value: f"{words}|{flags.split()[-1] if flags else ''}" for value, flags, words in found}


def at(moment: datetime) -> str:
    return moment.isoformat()


def requote(client: Client, form: dict[str, str], status: int = 200) -> str:
    return text(client.post("/checkout/quote", form, headers=HTMX), status)


def chosen(client: Client, html: str, moment: datetime = FIVE) -> dict[str, str]:
    """The form after its time was changed with JavaScript."""
    form = form_of(html, phone="13800001234", slot=at(moment))
    return form | {"quote": form_of(requote(client, form))["quote"]}


def ordered(client: Client, form: dict[str, str]) -> Order:
    answer = client.post("/checkout", form)
    assert answer.status_code == 303, answer.content.decode()[:3000]
    return Order.objects.latest("placed_at")


def captured(row: Order) -> None:
    intent = PaymentIntent.objects.get(payable=row.pk)
    assert book(THE_SYSTEM, intent, intent.amount, f"wx-{intent.pk}")
    outbox.drain()


def test_the_hours_of_two_days_stand_in_one_list(town: Town, reader: Client) -> None:
    html = basket(reader, town)
    assert '<label for="slot">When</label>' in html
    assert re.search(r'<optgroup label="Today">.*<optgroup label="Tomorrow">', html, re.S)
    known = options(html)
    assert re.fullmatch(r"As soon as possible, by \d\d:\d\d\|selected", known[""])
    assert known[at(FIVE)] == "17:00–18:00|" and at(FIVE + timedelta(days=1)) in known
    assert at(life.NOON) not in known
    assert 'hx-post="/checkout/quote"' in html[html.index("<select") : html.index("</select>")]


def test_a_full_hour_is_listed_and_cannot_be_taken(town: Town, reader: Client) -> None:
    for quarter in range(4):
        starts_at = FIVE + timedelta(minutes=15 * quarter)
        CapacitySlot.objects.update_or_create(city_id=town.city, starts_at=starts_at, defaults={"capacity": 0})
    html = basket(reader, town)
    assert options(html)[at(FIVE)] == "17:00–18:00, full|disabled"
    assert options(html)[at(FIVE + timedelta(hours=1))] == "18:00–19:00|"
    told = requote(reader, form_of(html, slot=at(FIVE)))
    assert "That time is taken" in told and 'role="alert"' in told and 'id="promise"' not in told
    assert options(told)[""] == "As soon as possible|" and "Another address" not in told
    assert "disabled selected>Choose a time" in told and at(FIVE + timedelta(hours=1)) in options(told)


@pytest.mark.parametrize(
    ("language", "mode", "banner", "dock"),
    [
        ("en", "delivery", "With you today 17:00–18:00", "Today 17:00–18:00"),
        ("zh-hans", "delivery", "今天 17:00–18:00 送到", "今天 17:00–18:00"),
        ("en", "pickup", "Ready for you by 17:00", "Ready by 17:00"),
        ("zh-hans", "pickup", "今天 17:00前给你备好", "今天 17:00前备好"),
    ],
)
def test_choosing_quotes_the_window_in_words(town: Town, language: str, mode: str, banner: str, dock: str) -> None:
    client = Client()
    client.cookies["lang"] = language
    html = requote(client, form_of(basket(client, town, mode), slot=at(FIVE)))
    assert f'class="say">{banner}<' in html and f'<span class="strong">{dock}</span>' in html
    assert options(html)[at(FIVE)] == ("Today" if language == "en" else "今天") + " 17:00–18:00|selected"
    assert Quote.objects.latest("created_at").promise["slot"] == at(FIVE)


@pytest.mark.parametrize(
    ("language", "words"), [("en", "With you tomorrow 10:00–11:00"), ("zh-hans", "明天 10:00–11:00 送到")]
)
def test_tomorrow_is_said(steady: Town, language: str, words: str) -> None:
    client = Client()
    client.cookies["lang"] = language
    steady.promise.chosen = TEN_TOMORROW
    html = requote(client, form_of(basket(client, steady), slot=at(steady.promise.chosen)))
    assert words in html and ("Tomorrow" in html or "明天" in html)


def test_a_pick_up_of_tomorrow_says_the_hour_first(town: Town, reader: Client) -> None:
    html = requote(reader, form_of(basket(reader, town, "pickup"), slot=at(TEN_TOMORROW)))
    assert "Ready for you by 10:00 tomorrow" in html


def test_a_chosen_window_is_not_blamed_on_couriers(steady: Town, reader: Client, monkeypatch: Any) -> None:
    html = basket(reader, steady)
    quoted = form_of(requote(reader, form_of(html, slot=at(FIVE))))["quote"]
    row = Quote.objects.latest("created_at")
    row.promise = row.promise | {"reason_if_later": "no_capacity"}
    row.save()
    assert "couriers are busy" not in text(reader.post("/checkout", form_of(html, quote=quoted, slot=at(FIVE))), 422)
    row.promise = row.promise | {"slot": None}
    row.save()
    assert "couriers are busy" in text(reader.post("/checkout", form_of(html, quote=quoted)), 422)


def test_what_was_chosen_and_seen_is_ordered_at_once(steady: Town, reader: Client) -> None:
    row = ordered(reader, chosen(reader, basket(reader, steady)))
    assert row.promised_from == FIVE and row.promised_to == FIVE + timedelta(hours=1)
    assert Quote.objects.count() == 2


def test_another_time_than_seen_is_shown_before_it_is_ordered(steady: Town, reader: Client) -> None:
    form = form_of(basket(reader, steady), phone="13800001234", slot=at(FIVE))
    html = text(reader.post("/checkout", form), 409)
    assert "You changed the time" in html and "With you today 17:00–18:00" in html and "Order as shown" in html
    assert Order.objects.count() == 0 and options(html)[at(FIVE)].endswith("|selected")
    assert ordered(reader, form | form_of(html, phone="13800001234")).promised_from == FIVE


def test_sooner_than_seen_is_shown_too(steady: Town, reader: Client) -> None:
    form = chosen(reader, basket(reader, steady)) | {"slot": ""}
    html = text(reader.post("/checkout", form), 409)
    assert "You changed the time" in html and "With you by" in html and Order.objects.count() == 0


def test_a_chosen_time_stays_through_a_mistake(steady: Town, reader: Client) -> None:
    form = form_of(basket(reader, steady), phone="", slot=at(FIVE))
    html = text(reader.post("/checkout", form), 422)
    assert "With you today 17:00–18:00" in html and options(html)[at(FIVE)].endswith("|selected")
    html = text(reader.post("/checkout", form_of(html, phone="12", slot=at(FIVE))), 422)
    assert "With you today 17:00–18:00" in html and options(html)[at(FIVE)].endswith("|selected")
    assert ordered(reader, form_of(html, phone="13800001234", slot=at(FIVE))).promised_from == FIVE


def test_a_chosen_time_outlives_an_unknown_address(steady: Town, reader: Client) -> None:
    form = form_of(basket(reader, steady), address="Nowhere 1", slot=at(FIVE))
    html = requote(reader, form, 422)
    assert "<select" not in html and f'<input type="hidden" name="slot" value="{at(FIVE)}">' in html


def test_a_quoted_hour_stays_in_the_list_past_its_cut_off(steady: Town, reader: Client) -> None:
    form = chosen(reader, basket(reader, steady)) | {"phone": ""}
    with life.later(299):
        steady.promise.chosen = FIVE + timedelta(hours=1)
        html = text(reader.post("/checkout", form), 422)
        assert options(html)[at(FIVE)] == "Today 17:00–18:00|selected"


def test_times_may_be_looked_at_before_an_address_is_typed(steady: Town, reader: Client) -> None:
    add(reader, steady.variants[0])
    html = requote(reader, form_of(page(reader, "/checkout"), slot=at(FIVE)))
    assert "With you today 17:00–18:00" in html
    form = form_of(html, phone="13800001234", address="", slot=at(FIVE))
    assert "Type the street and number" in text(reader.post("/checkout", form), 422) and Order.objects.count() == 0


@pytest.mark.parametrize("mode", ["delivery", "pickup"])
def test_closed_shops_still_take_orders_for_a_time(town: Town, reader: Client, mode: str) -> None:
    with life.running_from(life.NOON + timedelta(hours=11)):  # 23:00
        html = basket(reader, town, mode)
        known = options(html)
        assert "The shops near you are closed" in html and "disabled selected>Choose a time" in html
        assert "As soon as possible" not in html and "Tomorrow" in html
        nine = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
        assert known[at(nine)] == "09:00–10:00|"
        told = requote(reader, form_of(html, slot=at(nine)))
        assert ("With you tomorrow 09:00–10:00" if mode == "delivery" else "Ready for you by 09:00 tomorrow") in told
        assert options(told)[""] == "As soon as possible|"


def test_no_courier_now_still_offers_a_time(steady: Town, reader: Client, monkeypatch: Any) -> None:
    offer = steady.promise.offer
    monkeypatch.setattr(steady.promise, "offer", lambda **asked: offer(**asked) if asked["slot"] else None)
    html = basket(reader, steady)
    assert "All couriers are taken right now" in html and "disabled selected>Choose a time" in html
    assert "With you today 17:00–18:00" in requote(reader, form_of(html, slot=at(FIVE)))


def test_an_hour_that_nobody_can_keep_is_full_whatever_was_listed(
    steady: Town, reader: Client, monkeypatch: Any
) -> None:
    form = form_of(basket(reader, steady), slot=at(FIVE))
    monkeypatch.setattr(steady.promise, "offer", lambda **asked: None)
    assert options(requote(reader, form))[at(FIVE)] == "17:00–18:00, full|disabled"


def test_hours_are_asked_for_all_that_is_in_the_cart(steady: Town, reader: Client, monkeypatch: Any) -> None:
    units, slots = [], steady.promise.slots

    def counted(**asked: Any) -> Any:
        units.append(asked["units"])
        return slots(**asked)

    monkeypatch.setattr(steady.promise, "slots", counted)
    add(reader, steady.variants[1], 2)
    basket(reader, steady)
    monkeypatch.setattr(steady.promise, "offer", lambda **asked: None)
    page(reader, "/checkout")
    assert units == [3, 3]


def test_without_times_there_is_no_list(steady: Town, reader: Client) -> None:
    with life.later(301):
        assert "<select" not in basket(reader, steady)
        html = requote(reader, form_of(page(reader, "/checkout"), slot=at(FIVE)))
        assert "That time is taken" in html and 'name="slot"' not in html and "Look again" in html


def test_out_of_range_and_sold_out_have_no_list(steady: Town, reader: Client) -> None:
    basket(reader, steady)
    StockLevel.objects.filter(variant_id=steady.variants[0]).update(on_hand=0)
    assert "<select" not in page(reader, "/checkout")
    be_at(reader, "Far Hill")
    assert "<select" not in page(reader, "/checkout")


@pytest.mark.parametrize(
    "bad",
    ["soon", "2026-03-04T20:00:00", "17:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2" * 999],
)
def test_what_is_no_moment_means_soon(steady: Town, reader: Client, bad: str) -> None:
    html = basket(reader, steady)
    told = requote(reader, form_of(html, slot=bad))
    assert "With you by" in told and options(told)[at(FIVE)] == "17:00–18:00|"
    assert ordered(reader, form_of(html, phone="13800001234", slot=bad)).promised_from < FIVE


def test_an_hour_that_nobody_offers_is_refused(steady: Town, reader: Client) -> None:
    form = form_of(basket(reader, steady), phone="13800001234", slot=at(FIVE + timedelta(hours=9)))
    html = text(reader.post("/checkout", form), 409)
    assert "That time is taken" in html and options(html)[at(FIVE)] == "17:00–18:00|" and Order.objects.count() == 0


@pytest.mark.parametrize(
    ("language", "big", "starts", "promised"),
    [
        ("en", "Today 17:00–18:00", "The store starts picking at 16:25.", "Promised: today 17:00–18:00."),
        ("zh-hans", "今天 17:00–18:00", "门店 16:25 开始拣货。", "承诺今天 17:00–18:00 送到。"),
    ],
)
def test_the_order_tells_its_window(steady: Town, language: str, big: str, starts: str, promised: str) -> None:
    client = Client()
    client.cookies["lang"] = language
    row = ordered(client, chosen(client, basket(client, steady)))
    captured(row)
    html = page(client, f"/o/{row.key}")
    assert f'class="eta">{big}<' in html and starts in html and promised in html
    assert ("Chosen time" if language == "en" else "你选的时间") in html
    with life.later(280):
        html = page(client, f"/o/{row.key}")
        assert starts not in html and f'class="eta">{big}<' in html and "你选的时间" not in html
        assert "starts in a moment" in html or "马上开始拣货" in html


def test_a_chosen_pick_up_tells_when_it_is_ready(town: Town, reader: Client) -> None:
    form = chosen(reader, basket(reader, town, "pickup"), TEN_TOMORROW)
    row = ordered(reader, form | {"payment": "at_pickup"})
    outbox.drain()
    html = page(reader, f"/o/{row.key}")
    assert re.search(r"The store starts picking at 09:\d\d\.", html) and 'class="eta">Ready by 10:00 tomorrow<' in html
    assert "Promised: ready by 10:00 tomorrow." in html and "Ready by 10:00 tomorrow" in page(reader, "/orders")


def test_an_order_as_soon_as_possible_is_still_told_by_its_end(steady: Town, reader: Client) -> None:
    row = ordered(reader, form_of(basket(reader, steady), phone="13800001234"))
    captured(row)
    html = page(reader, f"/o/{row.key}")
    assert (
        "Promised: by 12:" in html and "Chosen time" not in html and "–" not in html[html.index('class="eta"') :][:40]
    )


@pytest.mark.parametrize(
    ("language", "window", "soon"), [("en", "Today 17:00–18:00", "By 12:"), ("zh-hans", "今天 17:00–18:00", "12:")]
)
def test_my_orders_tell_the_window_that_was_chosen(steady: Town, language: str, window: str, soon: str) -> None:
    client = Client()
    client.cookies["lang"] = language
    captured(ordered(client, chosen(client, basket(client, steady))))
    assert window in page(client, "/orders") and "18:00前" not in page(client, "/orders")
    other = Client()
    other.cookies["lang"] = language
    captured(ordered(other, form_of(basket(other, steady), phone="13800001234")))
    html = page(other, "/orders")
    assert soon in html and "–" not in html[html.index("badge") :][:200]


def test_an_order_whose_courier_is_late_tells_when_it_is_begun_and_of_no_chosen_time(
    steady: Town, reader: Client
) -> None:
    row = ordered(reader, form_of(basket(reader, steady), phone="13800001234"))
    captured(row)
    begins = clock.now() + timedelta(minutes=8)
    assert Fulfilment.objects.filter(order_id=row.pk).update(start_at=begins) == 1
    html = page(reader, f"/o/{row.key}")
    assert f"The store starts picking at {timezone.localtime(begins):%H:%M}." in html and "Chosen time" not in html
    assert "On time" in html


def test_more_hours_are_not_more_queries(town: Town, reader: Client) -> None:
    basket(reader, town)
    counts, hours = [], []
    for minutes in (60, 15):
        Organisation.objects.filter(pk=town.retailer).update(policy={"slot_minutes": minutes})
        organisations.forget()
        page(reader, "/checkout")
        with CaptureQueriesContext(connection) as found:
            hours.append(len(options(page(reader, "/checkout"))))
        counts.append(len(found))
    assert hours[1] > 3 * hours[0] and counts[0] == counts[1]
