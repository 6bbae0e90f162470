"""One page in one view through all gates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from playwright.sync_api import Page

from . import gates
from .chrome import Chrome, View, Weight, Wire
from .places import Place
from .town import Town

KB = 1000
JS, CSS, HTML, FIRST_VIEW, REQUESTS = 25 * KB, 12 * KB, 15 * KB, 150 * KB, 20


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
        self.pages: dict[tuple[View, str, bool], tuple[Page, Wire]] = {}

    def look(self, place: Place, view: View, *, walk: bool = True) -> Seen:
        """Load the page and put it through the gates."""
        page, wire = self._page(view, place)
        watch = self.chrome.watch(page)
        watch.errors.clear()
        watch.strangers.clear()
        wire.reset()
        page.goto(f"{self.town.url}{place.path}", wait_until="load")
        page.wait_for_timeout(150)
        seen = Seen(place, view, wire.weigh(page.evaluate(gates.AHEAD)))
        found = seen.findings
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
        found += [f"console: {text}" for text in watch.errors]
        found += [f"other host: {url}" for url in watch.strangers]
        return seen

    def _page(self, view: View, place: Place) -> tuple[Page, Wire]:
        key = (view, place.user, place.cart)
        if key not in self.pages:
            page = self.chrome.page(view, user=place.user, weighed=True)
            wire = Wire()
            wire.follow(page)
            if place.cart:
                page.goto(f"{self.town.url}/")
                page.locator("article.card .buy form button").first.click()
                page.locator("article.card .buy .count").first.wait_for()
            self.pages[key] = (page, wire)
        return self.pages[key]


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
