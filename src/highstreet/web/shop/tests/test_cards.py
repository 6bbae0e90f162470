"""Cards are kept between pages: what they say must be this page's and of now."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.template import Context, Template
from django.utils import translation

from highstreet.kernel import ids
from highstreet.supply.catalog.reads import CardView
from highstreet.web.shop.pages.front import Tile, tile

SHELF = Template("{% load shop %}{% cards tiles %}")


def shown(tiles: list[Tile], token: str = "abc", after: str = "/c/milk") -> str:
    return SHELF.render(Context({"tiles": tiles, "csrf_token": token, "next": after}))


@pytest.fixture
def milk() -> CardView:
    return CardView(
        ids.new_id(), ids.new_id(), "M1", "牛奶", "Milk", "盒", "carton", "950 ml", "milk", "dairy", 1290, None, 40
    )


def test_each_page_gets_its_own_token_and_way_back(milk: CardView) -> None:
    first = shown([tile(milk, 0, "en")], "token-of-one", "/c/milk")
    other = shown([tile(milk, 0, "en")], "token-of-other", '/search?q="><script>')
    assert 'value="token-of-one"' in first and 'value="/c/milk"' in first
    assert 'value="token-of-other"' in other and "token-of-one" not in other
    assert "<script>" not in other and "&quot;&gt;&lt;script&gt;" in other
    assert not re.search(r"(token|next)-[0-9a-z]{20}", first + other)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"price": 990}, "9.90"), ({"was": 1990}, "19.90"), ({"free": 3}, "Only 3 left"), ({"free": 0}, "Sold out")],
)
def test_what_changed_is_seen_at_once(milk: CardView, change: dict[str, Any], words: str) -> None:
    with translation.override("en"):
        assert words not in shown([tile(milk, 0, "en")])
        assert words in shown([tile(replace(milk, **change), 0, "en")])


def test_language_and_basket_are_the_readers_own(milk: CardView) -> None:
    with translation.override("en"):
        assert "Milk" in shown([tile(milk, 0, "en")]) and "2 in cart" in shown([tile(milk, 2, "en")])
    with translation.override("zh-hans"):
        assert "牛奶" in shown([tile(milk, 0, "zh-hans")]) and "2 in cart" not in shown([tile(milk, 2, "zh-hans")])


def test_only_the_first_pictures_are_loaded_at_once(milk: CardView) -> None:
    page = shown([tile(milk, 0, "en")] * 6)
    assert page.count('loading="lazy"') == 2
