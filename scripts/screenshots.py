"""Real screenshots for the README, from a running demo: `python scripts/screenshots.py --url http://127.0.0.1:8000`."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "screenshots"
MOST = 150_000
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
SIZES = {"360": (360, 740), "1280": (1280, 800)}


@dataclass(frozen=True)
class Shot:
    """A page to show; `user` signs in first; `follow` is a link to click once there; `busy` is what a
    colleague who has something to do sees."""

    name: str
    path: str
    user: str = ""
    language: str = "en"
    follow: str = ""
    sizes: tuple[str, ...] = ("360", "1280")
    dark: bool = False
    busy: str = ""


SHOTS = [
    Shot("shop", "/"),
    Shot("shop-zh", "/", language="zh-hans", sizes=("360",)),
    Shot("shop-dark", "/", dark=True, sizes=("360",)),
    Shot("product", "/", follow="article.card h3 a", sizes=("360",)),
    Shot("store", "/store/", user="picker", busy="a.row-link"),
    Shot("courier", "/courier/", user="courier", sizes=("360",), busy=".dock"),
    Shot("console", "/console/", user="owner"),
    Shot("console-promises", "/console/promises", user="owner", sizes=("1280",)),
]


def open_context(browser: Browser, url: str, shot: Shot, size: str) -> BrowserContext:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=1,
        color_scheme="dark" if shot.dark else "light",
        reduced_motion="reduce",
        geolocation={"latitude": -30.0277, "longitude": -51.2287},
        permissions=["geolocation"],
        locale="en-GB" if shot.language == "en" else "zh-CN",
    )
    context.add_cookies([{"name": "lang", "value": shot.language, "url": url}])
    return context


def sign_in(page: Page, url: str, user: str) -> None:
    page.goto(f"{url}/accounts/login/?next=/me")
    page.fill("#id_login", user)
    page.fill("#id_password", "demo")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"^[^?]*/me$"))


def take(browser: Browser, url: str, shot: Shot, size: str) -> Path:
    for number in range(1, 20 if shot.busy else 2):
        context = open_context(browser, url, shot, size)
        page = context.new_page()
        if shot.user:
            sign_in(page, url, shot.user if number == 1 else f"{shot.user}{number}")
        page.goto(f"{url}{shot.path}", wait_until="load")
        if not shot.busy or page.locator(shot.busy).count():
            break
        context.close()
    if shot.follow:
        page.locator(shot.follow).first.click()
        page.wait_for_load_state("load")
    page.wait_for_timeout(2500)
    path = _keep(page, shot.name, size)
    context.close()
    return path


def _keep(page: Page, name: str, size: str) -> Path:
    """Phones as PNG, which is sharp; wide ones as JPEG, which is small."""
    wide = size != "360"
    path = FOLDER / f"{name}-{size}.{'jpg' if wide else 'png'}"
    page.screenshot(path=path, type="jpeg" if wide else "png", quality=85 if wide else None)
    return path


def tracking(browser: Browser, url: str) -> list[Path]:
    """Order as a guest would, pay on the sandbox's wallet, and show the checkout and the tracking page."""
    paths = []
    for size in SIZES:
        context = open_context(browser, url, Shot("checkout", "/"), size)
        page = context.new_page()
        page.goto(url)
        for index in (0, 2):
            page.locator("article.card .buy form button").nth(index).click()
            page.wait_for_timeout(400)
        page.goto(f"{url}/checkout")
        page.fill("#address", "Rua dos Andradas 1001")
        page.fill("#phone", "13900001234")
        page.wait_for_timeout(600)
        paths.append(_keep(page, "checkout", size))
        page.click("#order")
        page.wait_for_url(re.compile(r"/o/|/wallet/"))
        if "/wallet/" not in page.url:
            page.goto(page.locator("#wallet").get_attribute("href") or url)
        page.click("button.pay")
        page.click("a.go")
        # As long as the city needs to pick it and set out: a demo at --speed 6 is patient enough.
        page.locator(".steps li:nth-child(4):is(.now, .done)").wait_for(timeout=360_000)
        page.wait_for_timeout(1000)
        paths.append(_keep(page, "tracking", size))
        context.close()
    return paths


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--only", default="", help="names that contain this")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        paths = [] if options.only not in "checkout tracking" else tracking(browser, options.url)
        for shot in SHOTS:
            if options.only in shot.name:
                paths += [take(browser, options.url, shot, size) for size in shot.sizes]
        browser.close()
    heavy = [path for path in paths if path.stat().st_size > MOST]
    for path in paths:
        print(f"{path.stat().st_size / 1000:6.1f} kB  {path.relative_to(ROOT)}")
    for path in heavy:
        print(f"{path.name} is over {MOST / 1000:.0f} kB", file=sys.stderr)
    return 1 if heavy else 0


if __name__ == "__main__":
    sys.exit(main())
