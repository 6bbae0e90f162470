"""The whole order with JavaScript off: shopper, picker, courier."""

from __future__ import annotations

from playwright.sync_api import expect

from .chrome import Chrome, View
from .people import Courier, Hands, Picker, Shopper
from .test_delivery import known
from .town import Town


def test_an_order_without_javascript(town: Town, chrome: Chrome) -> None:
    view = View("zh-hans", 360)
    page = chrome.page(view, script=False)
    shopper = Shopper(Hands(page), town.url)
    shopper.choose()
    # An unknown street is said beside its field, and nothing is lost.
    page.fill("#address", "Nowhere Street 99999")
    page.fill("#phone", "13900008765")
    page.click("#order")
    expect(page.locator("#address-error")).to_be_visible()
    expect(page.locator("#phone")).to_have_value("13900008765")
    page.go_back()
    shopper.order_delivery()
    shopper.pay(town)
    placed = known(town, shopper.number)
    town.until("orders_order", "number", placed.number, "confirmed")
    page.reload()
    code = shopper.code()
    staff = chrome.page(view, script=False, user=town.login_of_store(placed.store))
    picker = Picker(Hands(staff), town.url, placed.store)
    picker.accept(placed.number)
    picker.scan_plain("0000000000000")
    expect(staff.locator("[data-scan-say].bad")).to_be_visible()
    for barcode in town.barcodes(placed.number):
        picker.scan_plain(barcode)
    picker.packed()
    rider = town.courier_of(placed.number)
    courier = Courier(Hands(chrome.page(view, script=False, user=rider)), town.url)
    courier.bring(code)
    page.reload()
    expect(page.locator("#rate form")).to_be_visible()
