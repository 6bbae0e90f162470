"""One page in one view through all gates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Page, Response

from . import gates
from .chrome import Chrome, View, Weight, Wire, confirm
from .places import Place
from .town import Town

KB = 1000
JS, CSS, HTML, FIRST_VIEW, REQUESTS = 25 * KB, 12 * KB, 15 * KB, 150 * KB, 20

TYPE = """([at, text]) => {
  const field = document.querySelector(`main ${at}`);
  if (field.type === "checkbox") field.checked = true;
  else field.value = text;
}"""


@dataclass
class Seen:
    """What a page weighed and what was wrong with it."""

    place: Place
    view: View
    wire: Weight
    findings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.place.name} [{self.view}]: " + "\n    ".join(self.findings)


class Inspector:
    """Opens pages as whoever sees them; pages of the same view and person share a browser context."""

    def __init__(self, chrome: Chrome, town: Town, msgids: set[str]) -> None:
        self.chrome, self.town, self.msgids = chrome, town, msgids
        self.pages: dict[tuple[View, str, bool, str], tuple[Page, Wire]] = {}

    def look(self, place: Place, view: View, *, walk: bool = True) -> Seen:
        """Load the page and put it through the gates."""
        page, wire = self._page(view, place)
        watch = self.chrome.watch(page)
        watch.errors.clear()
        watch.strangers.clear()
        wire.reset()
        answer = page.goto(urljoin(self.town.url, place.path), wait_until="load")
        if place.press:
            answer = press(page, place)
        page.wait_for_timeout(150)
        seen = Seen(place, view, wire.weigh(page.evaluate(gates.AHEAD)))
        found = seen.findings
        found += arrived(page, place, answer)
        if place.shop:
            found += weighed(seen.wire)
        if place.name == "home" and view.width == 360:
            found += gates.first_screen(page)
        found += gates.sideways(page)
        found += gates.clipped(page)
        if view.language.startswith("zh"):
            found += gates.english(page, self.msgids)
        if walk:
            found += gates.covered(page)
        found += gates.axe(page)
        found += [f"console: {text}" for text in watch.errors if f"status of {place.answers} " not in text]
        found += [f"other host: {url}" for url in watch.strangers]
        return seen

    def _page(self, view: View, place: Place) -> tuple[Page, Wire]:
        # Who is half signed in, or signed in long ago, is somebody else.
        kind = place.name if place.press and not place.user else "fresh" if place.fresh else ""
        key = (view, place.user, place.cart, kind)
        if key not in self.pages:
            page = self.chrome.page(view, user=place.user, weighed=True)
            wire = Wire()
            wire.follow(page)
            if place.cart:
                page.goto(f"{self.town.url}/")
                page.locator("article.card .buy form button").first.click()
                page.locator("article.card .buy .count").first.wait_for()
            if place.fresh:
                confirm(page, self.town.url)
            self.pages[key] = (page, wire)
        return self.pages[key]


def press(page: Page, place: Place) -> Response | None:
    """Fill in what the place asks for and send it, past the browser's own checks: the answer is the server's."""
    page.evaluate("for (const form of document.forms) form.noValidate = true")
    for selector, text in place.typed:
        page.evaluate(TYPE, [selector, text])
    with page.expect_navigation(wait_until="load") as sent:
        page.locator(place.press).first.click()
    return sent.value


def arrived(page: Page, place: Place, answer: Response | None) -> list[str]:
    """A page that is another than was meant, or that answers otherwise, would be judged in its stead."""
    path, meant = urlsplit(page.url).path, urlsplit(place.leads or place.path).path
    found = [] if path == meant else [f"leads to {path}, not {meant}"]
    status = answer.status if answer else 0
    return found if status == place.answers else [*found, f"answers {status}, not {place.answers}"]


def weighed(wire: Weight) -> list[str]:
    """What is heavier on the wire than UX.md allows a shop page."""
    found = []
    for name, most in (("js", JS), ("css", CSS), ("html", HTML)):
        if wire.bytes[name] > most:
            found.append(f"bytes: {name} {wire.bytes[name]} > {most}")
    if wire.total > FIRST_VIEW:
        found.append(f"bytes: first view {wire.total} > {FIRST_VIEW}")
    if wire.requests > REQUESTS:
        found.append(f"requests: {wire.requests} > {REQUESTS}")
    return found


def report(all_seen: Iterable[Seen]) -> str:
    return "\n".join(str(seen) for seen in all_seen if seen.findings)
