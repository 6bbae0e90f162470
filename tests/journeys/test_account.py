"""The second factor, set up by hand on a phone: what must be kept is copied with one tap."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from highstreet.people.accounts.tests.support import code_with_time_left

from .chrome import Chrome, View, confirm
from .town import Town

WHO = "shopper3"


@pytest.mark.timeout(120)
def test_a_second_factor_is_set_up_and_its_codes_are_copied(town: Town, chrome: Chrome) -> None:
    page = chrome.page(View("zh-hans", 360), user=WHO)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=town.url)
    confirm(page, town.url)
    page.goto(f"{town.url}/accounts/2fa/totp/activate/")
    secret = _copied(page, "secret")
    assert secret == page.locator("#secret").inner_text()
    page.fill("#id_code", code_with_time_left(secret))
    page.click("main form button.pay")
    page.wait_for_url("**/recovery-codes/")
    codes = _copied(page, "codes").split("\n")
    assert codes == page.locator("#codes li").all_inner_texts()
    assert len(set(codes)) == 10
    page.reload()
    expect(page.locator("#codes")).to_have_count(0)


def test_without_scripts_nothing_promises_to_copy(town: Town, chrome: Chrome) -> None:
    page = chrome.page(View("zh-hans", 360), user="shopper4", script=False)
    confirm(page, town.url)
    page.goto(f"{town.url}/accounts/2fa/totp/activate/")
    expect(page.locator("#secret")).to_be_visible()
    expect(page.locator("[data-copy]")).to_be_hidden()


def _copied(page: Page, what: str) -> str:
    """Tap once; what the clipboard has then. The button says so, and is tall enough for a thumb."""
    button = page.locator(f"[data-copy={what}]")
    box = button.bounding_box()
    assert box and box["height"] >= 44, box
    button.click()
    expect(button).to_have_text("已复制")
    return str(page.evaluate("navigator.clipboard.readText()"))
