"""Every page in both languages, and every state in which it must say what to do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from highstreet.delivery.couriers.models import Shift
from highstreet.kernel import ids
from highstreet.supply.catalog.models import Product, Variant
from highstreet.supply.inventory.models import StockLevel
from highstreet.trade.orders.tests import support as life
from highstreet.trade.orders.tests.support import Town

from .support import MARKET, add, be_at, page, text

pytestmark = pytest.mark.django_db


PAGES = [
    "/",
    "/browse",
    "/c/fresh",
    "/c/fruit",
    "/search?q=fruit",
    "/search",
    "/place",
    "/cart",
    "/orders",
    "/me",
    "/me/data",
    "/me/data/erased",
    "/search?q=%ED%A0%80",
    "/search?q=%25_",
    "/search?q=" + "x" * 500,
]


def test_every_page_opens_in_both_languages(town: Town, guest: Client) -> None:
    for url in PAGES:
        html = page(guest, url)
        assert "<script>" not in html and "style=" not in html and "onclick" not in html
        assert html.count("<h1") == 1, url


def test_a_nul_is_refused_in_words(town: Town, reader: Client) -> None:
    assert "Check" in page(reader, "/search?q=%00", 422)


def test_home_says_the_promise_and_sells(town: Town, guest: Client) -> None:
    html = page(guest, "/")
    assert 'class="banner ok"' in html and html.count('<article class="card') == 5
    chinese = guest.cookies["lang"].value == "zh-hans"
    assert ("现在下单" in html and "晚到赔 ¥5" in html) if chinese else ("Order now, by" in html and "Late?" in html)


def test_adding_works_without_javascript_and_shows_the_dock(town: Town, guest: Client) -> None:
    assert add(guest, town.variants[0], 2).status_code == 303
    html = page(guest, "/")
    assert 'class="dock narrow"' in html and "¥16.80" in html and 'class="count"' in html
    assert guest.cookies["cart"]["httponly"]


def test_htmx_gets_only_what_changed(town: Town, reader: Client) -> None:
    variant = ids.public("var", town.variants[0])
    answer = reader.post("/cart/lines", {"variant": variant, "add": 1, "next": "/"}, headers={"HX-Request": "true"})
    html = text(answer)
    assert "<html" not in html and f'hx-target="#card-{variant}"' in html and 'hx-target="#dock"' in html


def test_a_bad_quantity_is_refused_and_nothing_is_lost(town: Town, reader: Client) -> None:
    add(reader, town.variants[0])
    variant = ids.public("var", town.variants[0])
    for qty in ("-1", "1.5", "100", "1000000000000000000", "x", ""):
        assert reader.post("/cart/lines", {"variant": variant, "qty": qty}).status_code == 422
    assert "Fruit 0" in page(reader, "/cart")


def test_taking_out_can_be_undone(town: Town, reader: Client) -> None:
    add(reader, town.variants[0], 3)
    variant = ids.public("var", town.variants[0])
    answer = reader.post("/cart/lines", {"variant": variant, "qty": 0})
    assert answer["Location"] == f"/cart?removed={variant}&was=3"
    assert "Undo" in page(reader, answer["Location"])
    reader.post("/cart/lines", {"variant": variant, "qty": 3})
    assert "¥17.70" in page(reader, "/cart")


def test_search_that_finds_nothing_suggests(town: Town, guest: Client) -> None:
    Product.objects.update(search_text="avocado 牛油果")
    html = page(guest, "/search?q=avocadoo")
    assert "/browse" in html and "/search?q=" in html
    assert "没有找到" in html or "Nothing for" in html


def test_product_says_each_store_and_the_promise(town: Town, guest: Client) -> None:
    product = Variant.objects.get(pk=town.variants[0]).product_id
    html = page(guest, f"/p/{ids.public('prd', product)}")
    assert html.count('class="end"') == 3 and 'class="banner ok"' in html
    assert page(guest, "/p/prd_00000000000000000000000000", 404)
    assert page(guest, "/p/nothing", 404)


def test_sold_out_points_to_what_is_like_it(town: Town, reader: Client) -> None:
    StockLevel.objects.filter(variant_id=town.variants[0]).update(on_hand=0)
    product = Variant.objects.get(pk=town.variants[0]).product_id
    html = page(reader, f"/p/{ids.public('prd', product)}")
    assert "Sold out near you" in html and "Like it" in html


def test_closed_says_when_it_opens(town: Town, guest: Client) -> None:
    with life.running_from(life.NOON + timedelta(hours=14)):
        html = page(guest, "/")
        assert "已打烊，07:00 开门" in html or "Closed, opens 07:00" in html
        add(guest, town.variants[0])
        be_at(guest)
        assert page(guest, "/checkout").count("/checkout?mode=pickup")


def test_no_courier_offers_pickup(town: Town, reader: Client) -> None:
    Shift.objects.update(ends_at=life.NOON)
    html = page(reader, "/")
    assert "All couriers are busy" in html and "?mode=pickup" in html
    assert "Ready for you by" in page(reader, "/?mode=pickup")


def test_out_of_range_offers_pickup_and_another_address(town: Town, reader: Client) -> None:
    be_at(reader, "Far Hill")
    html = page(reader, "/")
    assert "No store delivers here yet" in html and "/place" in html
    add(reader, town.variants[0])
    assert "Another address" in page(reader, "/checkout")


def test_a_place_is_typed_listed_or_pointed_at(town: Town, reader: Client) -> None:
    be_at(reader, MARKET)
    assert MARKET in page(reader, "/")
    html = text(reader.post("/place", {"address": "Nowhere at all"}), 422)
    assert "We cannot find" in html and 'value="Nowhere at all"' in html
    fields = {"zoom": "2", "clat": str(town.lat), "clon": str(town.lon), "s.x": "128", "s.y": "120"}
    assert reader.post("/place", fields).status_code == 303
    assert "Near Public Market" in page(reader, "/")
    assert text(reader.post("/place", {"lat": "52.5", "lon": "13.4"}), 422)
    assert text(reader.post("/place", {"lat": "nan", "lon": "x"}), 422)
    assert reader.get("/place/map.svg?size=s&zoom=2")["Content-Type"] == "image/svg+xml"


def test_a_forged_place_is_not_believed(town: Town, reader: Client) -> None:
    reader.cookies["place"] = "WzEsMiwiaGVyZSJd:forged:x"
    assert "Porto Alegre" in page(reader, "/")


def test_language_is_switched_by_a_post(town: Town) -> None:
    client = Client()
    answer = client.post("/lang", {"language": "en", "next": "/browse"})
    assert answer["Location"] == "/browse" and client.cookies["lang"].value == "en"
    assert client.post("/lang", {"language": "xx", "next": "//evil.example/"})["Location"] == "/"


def test_me_offers_sign_in_and_home_leads_on(town: Town, reader: Client) -> None:
    assert "/accounts/login/" in page(reader, "/me")
    assert reader.get("/home/")["Location"] == "/"
