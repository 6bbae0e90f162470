"""What the pages weigh and how they hold: `python bench/pages.py` prints the targets of UX.md with measured values."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "highstreet.settings")

import highstreet.kernel.testing  # noqa: E402, F401  (the embedded PostgreSQL)

if True:  # after the database's address is known
    from playwright.sync_api import sync_playwright
    from tests.journeys.chrome import Chrome, View, launch
    from tests.journeys.inspect import CSS, FIRST_VIEW, HTML, JS, REQUESTS, Inspector, Seen
    from tests.journeys.people import Hands, Shopper
    from tests.journeys.places import World, english_messages
    from tests.journeys.town import Town

ROUNDS = 5
PHONE, DESK = View("zh-hans", 360), View("en", 1280)
CPU_TARGET = {"home": 150, "tracking": 120}


@contextmanager
def opened() -> Iterator[tuple[Town, Chrome]]:
    with Town() as town, sync_playwright() as playwright:
        browser = launch(playwright)
        yield town, Chrome(browser, town)
        browser.close()


def journey(town: Town, chrome: Chrome) -> list[tuple[str, str, str]]:
    """Taps, fields and pages of a guest's first order."""
    shopper = Shopper(Hands(chrome.page(PHONE)), town.url)
    shopper.order_delivery()
    hands = shopper.hands
    ours = [page.split("/")[1] or "home" for page in hands.pages]
    ours = ours[: ours.index("wallet")] if "wallet" in ours else ours
    shopper.pay(town)
    return [
        ("guest, one item, first visit to paid: taps", str(hands.taps), "3"),
        ("typed fields", str(hands.fields), "2"),
        ("pages of ours, before the wallet's", f"{len(ours)} ({', '.join(ours)})", "3"),
    ]


def cpu(town: Town, chrome: Chrome, path: str) -> float:
    """Median ms of main-thread work until loaded (Chromium's own TaskDuration)."""
    took = []
    for _ in range(ROUNDS):
        page = chrome.page(PHONE)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        page.goto(f"{town.url}{path}", wait_until="load")
        metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        took.append(metrics["TaskDuration"] * 1000)
        page.context.close()
    return float(median(took))


def row(seen: Seen) -> str:
    wire = seen.wire
    sizes = " | ".join(f"{wire.bytes[kind] / 1000:.1f}" for kind in ("html", "css", "js", "image"))
    ahead = f"{wire.ahead}, {wire.bytes_ahead / 1000:.0f} kB" if wire.ahead else ""
    held = "holds" if not seen.findings else "; ".join(text.split("\n")[0][:90] for text in seen.findings)
    return (
        f"| {seen.place.name} | {seen.view} | {sizes} | {wire.total / 1000:.1f} | {wire.requests} | {ahead} | {held} |"
    )


def machine() -> str:
    version = subprocess.run(["/usr/bin/chromium", "--version"], capture_output=True, text=True, check=False).stdout
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, {version.strip()}"


def main() -> int:
    broken = 0
    print(f"`python bench/pages.py`, {datetime.now(tz=UTC):%Y-%m-%d %H:%M} UTC, {machine()}\n")
    with opened() as (town, chrome):
        world = World(town)
        print("| target | measured | at most |\n|---|---|---|")
        for name, value, most in journey(town, chrome):
            print(f"| {name} | {value} | {most} |")
        tracking = next(place for place in world.places() if place.name == "tracking")
        for name, path in (("home", "/"), ("tracking", tracking.path)):
            print(f"| main-thread ms to loaded, {name}, median of {ROUNDS} | {cpu(town, chrome, path):.0f} | "
                  f"{CPU_TARGET[name]} (hard at 1.5×) |")  # fmt: skip
        print(
            f"\nkB on the wire without a cache (at most, for shop pages: HTML {HTML // 1000}, CSS {CSS // 1000}, "
            f"JS {JS // 1000}, all {FIRST_VIEW // 1000}, {REQUESTS} requests); gates: axe, sideways at 320 px, "
            "text at 200 %, Tab walk, translation, console, other hosts. Ahead: pictures below the first screen\n"
        )
        print(
            "| page | view | HTML | CSS | JS | images | all | requests | ahead | gates |\n"
            "|---|---|---|---|---|---|---|---|---|---|"
        )
        inspector = Inspector(chrome, town, english_messages())
        for place in world.places():
            for view in (PHONE, DESK):
                seen = inspector.look(place, view)
                broken += bool(seen.findings)
                print(row(seen), flush=True)
    print(f"\n{broken} of the lines above do not hold")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
