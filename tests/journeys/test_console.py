"""The retailer's console: what happened, why, and whether the books hold."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .chrome import Chrome, View, sign_in
from .town import Town

VIEWS = [
    View("zh-hans", 360),
    View("en", 1280),
    pytest.param(View("zh-hans", 1280), marks=pytest.mark.long),
    pytest.param(View("en", 360), marks=pytest.mark.long),
]


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_from_sign_in_to_a_clean_audit(town: Town, chrome: Chrome, view: View) -> None:
    placed = town.order(kinds=2)
    page = chrome.page(view)
    page.goto(f"{town.url}/console/")
    assert "/accounts/login" in page.url
    sign_in(page, town.url, "owner", after="/console/")
    expect(page.locator("#board")).to_be_visible()
    expect(page.locator("main")).to_contain_text(placed.number)
    # Ctrl-K finds the order by its number.
    page.keyboard.press("Control+k")
    page.fill("#jump-q", placed.number)
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/orders/*")
    expect(page.locator("h1")).to_contain_text(placed.number)
    page.locator("main table a").first.click()
    page.wait_for_url("**/console/stock/**")
    # The order's hold is no move of goods yet; the stock's beginning is.
    expect(page.locator("main table tbody tr").first).to_be_visible()
    page.goto(f"{town.url}/console/audit")
    page.locator(".page-head button").click()
    page.wait_for_url("**run=1**")
    expect(page.locator("section.verdict").first).to_be_visible()
    expect(page.locator("section.verdict.bad, .banner.bad")).to_have_count(0)
    watch = chrome.watch(page)
    assert not watch.errors and not watch.strangers, (watch.errors, watch.strangers)
