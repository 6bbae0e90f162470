"""Pickup, paid at the counter: one code, redeemed once."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .chrome import Chrome, View
from .people import Hands, Picker, Shopper
from .test_delivery import known, pick_and_pack
from .town import Town

VIEWS = [
    View("zh-hans", 360),
    pytest.param(View("en", 1280), marks=pytest.mark.long),
    pytest.param(View("zh-hans", 1280), marks=pytest.mark.long),
    pytest.param(View("en", 360), marks=pytest.mark.long),
]


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_the_code_is_redeemed_once(town: Town, chrome: Chrome, view: View) -> None:
    page = chrome.page(view)
    shopper = Shopper(Hands(page), town.url)
    page.goto(f"{town.url}/?mode=pickup")
    shopper.choose()
    shopper.hands.type("#phone", "13900004321")
    page.locator("input[name=payment][value=at_pickup]").check(force=True)
    shopper.hands.tap("#order")
    page.wait_for_url(re.compile(r"/o/[^/]+$"))
    placed = known(town, shopper.number)
    expect(page.locator("p.code")).to_have_count(0)
    pick_and_pack(town, chrome, view, placed)
    # The page is still open: the code comes to it when the goods are ready, and not before.
    code = shopper.code()
    assert len(code) == 8
    counter = chrome.page(view, user=town.login_of_store(placed.store))
    redeem(Picker(Hands(counter), town.url, placed.store), code)
    town.until("orders_order", "number", placed.number, "completed")
    # A second time: refused in words, with nothing given.
    counter.goto(f"{town.url}/store/{placed.store}/collect?code={code}")
    expect(counter.locator("#form-errors")).to_contain_text(code)
    page.reload()
    expect(page.locator("p.code")).to_have_count(0)
    for person in (page, counter):
        watch = chrome.watch(person)
        assert not watch.errors and not watch.strangers, (watch.errors, watch.strangers)


def redeem(picker: Picker, code: str) -> None:
    page = picker.hands.page
    page.goto(f"{picker.url}/store/{picker.store}/collect")
    picker.hands.type("#code", code)
    page.keyboard.press("Enter")
    page.locator("input[name=cash]").check(force=True)
    picker.hands.tap("button.main")
    page.wait_for_load_state()
    expect(page.locator("#form-errors")).to_have_count(0)
