"""One Chromium; each person in a context of their own, watched for errors, strangers and bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request

from .town import LAT, LON, PASSWORD, Town

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/150.0.0.0 Mobile Safari/537.36"
)
HEIGHTS = {320: 640, 360: 740, 1280: 800}
KINDS = {"Script": "js", "Stylesheet": "css", "Document": "html", "Image": "image"}


@dataclass(frozen=True)
class View:
    """How somebody looks at a page."""

    language: str = "zh-hans"
    width: int = 360
    dark: bool = False

    def __str__(self) -> str:
        return f"{self.language[:2]}-{self.width}{'-dark' if self.dark else ''}"


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)


@dataclass
class Watch:
    """What a page did that it should not: console errors and refused policies, requests to strangers."""

    own: set[str]
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def follow(self, context: BrowserContext) -> None:
        context.on("console", self._said)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        # The browser reports our polite 4xx answers too; those are for the journeys to judge.
        if message.type == "error" and "status of 4" not in message.text:
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and f"{parts.scheme}://{parts.netloc}" not in self.own:
            self.strangers.append(request.url)


class Wire:
    """What goes over the wire for one page: kind and bytes of each address."""

    def __init__(self) -> None:
        self.asked: dict[str, str] = {}
        self.kinds: dict[str, str] = {}
        self.sizes: dict[str, int] = {}

    def follow(self, page: Page) -> None:
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        session.on("Network.requestWillBeSent", self._sent)
        session.on("Network.responseReceived", self._received)
        session.on("Network.loadingFinished", self._finished)

    def reset(self) -> None:
        self.asked.clear()

    def _sent(self, event: dict[str, Any]) -> None:
        if event["request"]["url"].startswith("http"):
            self.asked[event["requestId"]] = event["request"]["url"]

    def _received(self, event: dict[str, Any]) -> None:
        self.kinds[event["requestId"]] = KINDS.get(event["type"], "other")

    def _finished(self, event: dict[str, Any]) -> None:
        self.sizes[event["requestId"]] = int(event["encodedDataLength"])

    def weigh(self, ahead: Collection[str]) -> Weight:
        """Of the first view: without the pictures `ahead` of scrolling, which are counted apart."""
        first = [one for one, url in self.asked.items() if url not in ahead]
        later = [one for one, url in self.asked.items() if url in ahead]
        weight = Weight(requests=len(first), ahead=len(later))
        for one in first:
            weight.bytes[self.kinds.get(one, "other")] += self.sizes.get(one, 0)
        weight.bytes_ahead = sum(self.sizes.get(one, 0) for one in later)
        return weight


@dataclass
class Weight:
    """Bytes by kind and requests of a first view; `ahead`: pictures below it, fetched before anybody scrolls."""

    requests: int = 0
    ahead: int = 0
    bytes_ahead: int = 0
    bytes: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return sum(self.bytes.values())


class Chrome:
    """Opens contexts in one running browser and remembers who is signed in."""

    def __init__(self, browser: Browser, town: Town) -> None:
        self.browser, self.town = browser, town
        self.signed_in: dict[str, Any] = {}
        self.contexts: list[BrowserContext] = []
        self.watches: dict[int, Watch] = {}

    def page(
        self, view: View = View(), *, user: str = "", script: bool = True, height: int = 0, weighed: bool = False
    ) -> Page:
        """A new person's page: nobody's cookies, or those of `user`. To be weighed: without a service worker, whose
        answers do not come over the wire."""
        if user and user not in self.signed_in:
            self._sign_in(user)
        context = self.browser.new_context(
            viewport={"width": view.width, "height": height or HEIGHTS.get(view.width, 800)},
            user_agent=PHONE if view.width < 640 else None,
            locale="zh-CN" if view.language.startswith("zh") else "en-GB",
            color_scheme="dark" if view.dark else "light",
            java_script_enabled=script,
            storage_state=self.signed_in.get(user),
            geolocation={"latitude": LAT, "longitude": LON},
            permissions=["geolocation"],
            reduced_motion="reduce",
            service_workers="block" if weighed else "allow",
        )
        context.add_cookies([{"name": "lang", "value": view.language, "url": self.town.url}])
        context.set_default_timeout(20_000)
        watch = Watch({self.town.url, self.town.away, self.town.streams, self.town.wallet})
        watch.follow(context)
        self.contexts.append(context)
        page = context.new_page()
        self.watches[id(page)] = watch
        return page

    def watch(self, page: Page) -> Watch:
        return self.watches[id(page)]

    def _sign_in(self, user: str) -> None:
        self.signed_in[user] = None
        page = self.page(View("en", 1280))
        sign_in(page, self.town.url, user, secret=self.town.secrets.get(user, ""))
        self.signed_in[user] = page.context.storage_state()
        page.context.close()

    def close_pages(self) -> None:
        for context in self.contexts:
            context.close()
        self.contexts.clear()
        self.watches.clear()


def sign_in(page: Page, url: str, user: str, after: str = "/me", secret: str = "") -> None:
    """Type name and password, and the code of who has an app that knows `secret`."""
    page.goto(f"{url}/accounts/login/?next={after}")
    page.fill("#id_login", user)
    page.fill("#id_password", PASSWORD)
    page.click("main form button[type=submit], main form button.pay")
    page.wait_for_url(lambda now: "/accounts/login" not in now)
    if secret:
        from highstreet.people.accounts.tests.support import code_with_time_left

        page.fill("#id_code", code_with_time_left(secret))
        page.click("main form button.pay")
        page.wait_for_url(lambda now: "/accounts/" not in now)


def confirm(page: Page, url: str) -> None:
    """Type the password once more, as pages that guard the account ask for every five minutes."""
    page.goto(f"{url}/accounts/reauthenticate/")
    page.fill("#id_password", PASSWORD)
    page.click("main form button.pay")
    page.wait_for_url(lambda now: "/reauthenticate/" not in now)
