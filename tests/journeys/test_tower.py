"""The tower in a browser: the board draws and lists what runs, tells why, and lets a person decide."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from highstreet.kernel import ids

from .chrome import Chrome, View
from .town import Town


def decide(page: Page, form: Locator) -> None:
    """Nobody is to bring it."""
    form.locator("input[value=nobody]").check()
    form.locator("select[name=why]").select_option("other")
    with page.expect_navigation():
        form.locator("button:has-text('Decide')").click()


def test_from_the_board_to_a_decision_by_hand(town: Town, chrome: Chrome) -> None:
    placed = town.order(kinds=1)
    package = town.one("SELECT id FROM fulfilment_fulfilment WHERE order_number = %s", placed.number)
    with town.browser(town.login_of_store(placed.store, "manager")) as send:
        send(f"/store/{placed.store}/orders/{ids.public('ful', package)}/accept", {})
    found = f"SELECT count(*) FROM dispatch_delivery WHERE order_number = '{placed.number}'"  # noqa: S608
    assert town.eventually(found, 1) == 1
    page = chrome.page(View("en", 1440), user="owner")
    page.goto(f"{town.url}/console/tower")
    row = page.locator("#list .line", has_text=placed.number)
    expect(row).to_be_visible()
    expect(page.locator("[data-count=orders]")).not_to_have_text("0")
    # The link is made by the script, from the order's number inside.
    link = row.locator("a")
    assert (link.get_attribute("href") or "").endswith(placed.id)
    link.click()
    panel = page.locator("#why")
    expect(panel.locator("#h-why")).to_contain_text(placed.number)
    decide(page, panel)
    # Given to somebody between look and decision, it is told and asked again.
    for _ in range(4):
        if page.url.endswith(placed.id):
            break
        decide(page, page.locator("main"))
    assert page.url.endswith(placed.id)
    expect(page.locator("main")).to_contain_text("kept from the dispatcher")
    pinned = "SELECT status || pinned::text FROM dispatch_delivery WHERE order_number = %s"
    assert town.one(pinned, placed.number) == "waitingtrue"
    # It stays: the dispatcher runs meanwhile.
    page.goto(f"{town.url}/console/tower?show=pinned")
    expect(page.locator("#list .line", has_text=placed.number)).to_be_visible()
    watch = chrome.watch(page)
    assert not watch.errors and not watch.strangers, (watch.errors, watch.strangers)
