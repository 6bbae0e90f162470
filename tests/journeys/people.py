"""What people do on the pages. Hands count: taps, typed fields, pages. Ids, not words, so any language will do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Frame, Page, expect

from .town import DOOR, Town

EMIT = """code => {
  for (const key of [...code, "Enter"]) {
    const at = document.activeElement || document.body;
    const event = new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true});
    if (at.dispatchEvent(event) && key.length === 1 && "value" in at) at.value += key;
  }
}"""


@dataclass
class Hands:
    """A person's hands on a page."""

    page: Page
    taps: int = 0
    fields: int = 0
    pages: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("framenavigated", self._turned)

    def _turned(self, frame: Frame) -> None:
        if frame == self.page.main_frame and frame.url.startswith("http"):
            path = urlsplit(frame.url).path
            # A page that only sent on, or came back to itself, is no further page to read.
            if not self.pages or self.pages[-1] != path:
                self.pages.append(path)

    def tap(self, selector: str) -> None:
        self.taps += 1
        self.page.locator(selector).first.click()

    def type(self, selector: str, text: str) -> None:
        self.fields += 1
        self.page.locator(selector).first.fill(text)


@dataclass
class Shopper:
    """Somebody who never was here before."""

    hands: Hands
    url: str
    ref: str = ""

    def choose(self) -> None:
        """The first product with a +, then on to checkout."""
        self.hands.page.goto(f"{self.url}/")
        self.hands.tap("article.card .buy form button")
        self.hands.tap("#to-checkout >> visible=true" if self.narrow else "#side-cart a.btn.pay")
        self.hands.page.wait_for_url("**/checkout")

    @property
    def narrow(self) -> bool:
        return (self.hands.page.viewport_size or {"width": 360})["width"] < 1024

    def order_delivery(self) -> None:
        self.choose()
        self.hands.type("#address", DOOR)
        self.hands.type("#phone", "13900005678")
        self.hands.tap("#order")
        self.hands.page.wait_for_url(re.compile(r"/o/|/wallet/"))

    def pay(self, town: Town) -> None:
        """On the wallet's page: the provider's own confirmation, then back to the shop."""
        page = self.hands.page
        if page.url.startswith(self.url):
            page.goto(page.locator("#wallet").get_attribute("href") or "")
        assert page.url.startswith(town.wallet), page.url
        page.click("button.pay")
        page.click("a.go")
        page.wait_for_url(f"{self.url}/o/**")
        self.ref = urlsplit(page.url).path.split("/")[2]

    @property
    def number(self) -> str:
        found = re.search(r"[A-Z0-9]{6}", self.hands.page.locator("h1").inner_text())
        assert found, self.hands.page.locator("h1").inner_text()
        return found.group()

    def code(self) -> str:
        return re.sub(r"\D", "", self.hands.page.locator("p.code .digits .vh").first.text_content() or "")

    def now(self) -> str:
        """The words of the current step."""
        return self.hands.page.locator("ol.steps li[aria-current=step]").inner_text()


@dataclass
class Picker:
    hands: Hands
    url: str
    store: str

    def accept(self, number: str) -> None:
        page = self.hands.page
        page.goto(f"{self.url}/store/{self.store}/")
        card = page.locator("li.order", has_text=number)
        self.hands.taps += 1
        card.locator("form button").first.click()
        page.wait_for_url("**/orders/*")

    def scan(self, code: str) -> None:
        """A keyboard wedge: all keys at once, ending in Enter. Sent in one go, since a wedge is faster than CDP."""
        self.hands.page.evaluate(EMIT, code)

    def scan_plain(self, code: str) -> None:
        """Without JavaScript the wedge types into the field, and Enter sends the form."""
        field_ = self.hands.page.locator("#code")
        field_.fill(code)
        field_.press("Enter")

    def packed(self) -> None:
        self.hands.tap("section.dock button.main")
        expect(self.hands.page.locator("section.dock button.main[form], section.dock")).to_be_visible()


@dataclass
class Courier:
    hands: Hands
    url: str
    steps: list[str] = field(default_factory=list)

    def go(self) -> str:
        """Press the one big button; returns its words."""
        button = self.hands.page.locator("#go")
        box = button.bounding_box()
        assert box and box["height"] >= 44 and box["width"] >= 44, box
        words = button.inner_text().strip()
        self.hands.taps += 1
        button.click()
        self.hands.page.wait_for_load_state()
        self.steps.append(words)
        return words

    def bring(self, code: str, ready: bool = True) -> None:
        """Accept, arrived, picked up, delivered with the customer's code."""
        page = self.hands.page
        page.goto(f"{self.url}/courier/")
        for _ in range(3):
            self.go()
        self.hands.type("#proof", code)
        self.go()
        expect(page.locator("#proof")).to_have_count(0)
