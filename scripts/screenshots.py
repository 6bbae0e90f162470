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
    """A page to show; `user` signs in first; `follow` is a link to click once there."""

    name: str
    path: str
    user: str = ""
    language: str = "en"
    follow: str = ""
    sizes: tuple[str, ...] = ("360", "1280")
    dark: bool = False


SHOTS = [
    Shot("shop", "/"),
    Shot("shop-zh", "/", language="zh-hans", sizes=("360",)),
    Shot("shop-dark", "/", dark=True, sizes=("360",)),
    Shot("product", "/", follow="article.card h3 a", sizes=("360",)),
    Shot("store", "/store/", user="picker"),
    Shot("courier", "/courier/", user="courier", sizes=("360",)),
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
        locale="en-GB" if shot.language == "en" else "zh-CN",
    )
    context.add_cookies([{"name": "lang", "value": shot.language, "url": url}])
    return context


def sign_in(page: Page, url: str, user: str) -> None:
    page.goto(f"{url}/accounts/login/?next=/me")
    page.fill("#id_login", user)
    page.fill("#id_password", "demo")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/me"))


def take(browser: Browser, url: str, shot: Shot, size: str) -> Path:
    context = open_context(browser, url, shot, size)
    page = context.new_page()
    if shot.user:
        sign_in(page, url, shot.user)
    page.goto(f"{url}{shot.path}", wait_until="load")
    if shot.follow:
        page.locator(shot.follow).first.click()
        page.wait_for_load_state("load")
    page.wait_for_timeout(800)
    path = FOLDER / f"{shot.name}-{size}.png"
    page.screenshot(path=path)
    context.close()
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
        paths.append(FOLDER / f"checkout-{size}.png")
        page.screenshot(path=paths[-1])
        page.click("#order")
        page.wait_for_url(re.compile(r"/o/|/wallet/"))
        if "/wallet/" not in page.url:
            page.goto(page.locator("#wallet").get_attribute("href") or url)
        page.click("button.pay")
        page.click("a.go")
        page.locator("p.code").wait_for(timeout=120_000)
        page.wait_for_timeout(1000)
        paths.append(FOLDER / f"tracking-{size}.png")
        page.screenshot(path=paths[-1])
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
