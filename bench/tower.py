"""The tower's board at full size in a real browser: `python bench/tower.py [--couriers 1000 --orders 5000 --rate 250]`.

Fills a database of its own by bulk inserts (an order that is on its way is a delivery and a promise), opens the board,
and tells positions through PostgreSQL's NOTIFY as couriers' apps cause it, while the browser counts its frames.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
os.environ["DJANGO_SETTINGS_MODULE"] = "highstreet.settings"

import psycopg  # noqa: E402
from playwright.sync_api import Page, sync_playwright  # noqa: E402
from tests.journeys.chrome import Chrome, View, launch  # noqa: E402
from tests.journeys.town import Town  # noqa: E402
from tests.support import databases  # noqa: E402
from tests.support.stack import Stack  # noqa: E402

WATCH = """
(seconds) => new Promise((done) => {
  const gaps = [], long = [];
  const seen = new PerformanceObserver((list) => list.getEntries().forEach((one) => long.push(one.duration)));
  seen.observe({ entryTypes: ["longtask"] });
  let last = performance.now(), heard = 0;
  const count = ({ detail }) => (heard += detail.name === "position");
  document.addEventListener("hs:event", count);
  const end = last + seconds * 1000;
  const step = (now) => {
    gaps.push(now - last);
    last = now;
    if (now < end) return requestAnimationFrame(step);
    seen.disconnect();
    document.removeEventListener("hs:event", count);
    done({ gaps: gaps.slice(1), long, heard });
  };
  requestAnimationFrame(step);
})
"""
SCROLL = """() => { const view = document.querySelector("#list .view");
  let at = 0;
  globalThis.moving = setInterval(() => (view.scrollTop = (at += 700) % (view.scrollHeight - 600)), 50); }"""
PAN = """() => { const sky = document.getElementById("board"); let at = 0;
  globalThis.moving = setInterval(() => sky.dispatchEvent(new KeyboardEvent("keydown",
    { key: at++ % 20 < 10 ? "ArrowLeft" : "ArrowRight" })), 50); }"""
STOP = "() => clearInterval(globalThis.moving)"


class Sky(Town):
    """Web pages and event streams on a city with streets; nobody works there but who is filled in."""

    def __init__(self) -> None:
        Stack.__init__(self, run=("streams", "web"))
        self.secrets = {}

    def _start(self) -> None:
        Stack._start(self)
        self.away = self.url


def fill(couriers: int, orders: int) -> None:
    """Couriers on shift all over the default city, and orders on their way; in the database of DATABASE_URL."""
    import django

    django.setup()
    from datetime import timedelta

    from highstreet.delivery.couriers.models import Courier, Shift
    from highstreet.delivery.dispatch.models import Delivery
    from highstreet.delivery.promise.models import Promise
    from highstreet.kernel import clock, ids
    from highstreet.people.accounts.models import User
    from highstreet.supply.organisations.reads import default_city
    from highstreet.supply.stores import reads as stores

    city, now, draw = default_city(), clock.now(), random.Random(1)
    shops = stores.stores_of(city.id)

    def near(degrees: float) -> float:
        return degrees + draw.gauss(0, 0.012)

    users = User.objects.bulk_create([User(username=f"sky{number}") for number in range(couriers)])
    riders = Courier.objects.bulk_create(
        Courier(user=user, city_id=city.id, name=f"Rider {number}", phone="1", capacity=8, seen_at=now)
        for number, user in enumerate(users)
    )
    for rider in riders:
        rider.lat, rider.lon = near(city.centre_lat), near(city.centre_lon)
    Courier.objects.bulk_update(riders, ["lat", "lon"], batch_size=500)
    Shift.objects.bulk_create(Shift(courier=rider, starts_at=now - timedelta(hours=1)) for rider in riders)
    rows, promises = [], []
    for number in range(orders):
        shop, rider = draw.choice(shops), riders[number % couriers]
        status = draw.choice(["waiting", "assigned", "accepted", "at_store", "picked_up", "picked_up"])
        promised = now + timedelta(minutes=draw.uniform(-10, 40))
        row = Delivery(
            fulfilment_id=ids.new_id(),
            order_id=ids.new_id(),
            order_number=f"S{number:05d}",
            city_id=city.id,
            store_id=shop.id,
            courier=None if status == "waiting" else rider,
            status=status,
            lat=near(shop.lat),
            lon=near(shop.lon),
            promised_to=promised,
            ready_by=promised - timedelta(minutes=15),
            ready_at=now if status == "picked_up" else None,
            seat=number // couriers % 8,
            sequence=number // couriers,
            distance_m=draw.randrange(500, 4000),
            eta=None if status == "waiting" else promised + timedelta(minutes=draw.gauss(-6, 6)),
            created_at=now - timedelta(minutes=20),
        )
        rows.append(row)
        promises.append(
            Promise(
                order_id=row.order_id,
                city_id=city.id,
                store_id=shop.id,
                mode="delivery",
                promised_from=promised - timedelta(minutes=15),
                promised_to=promised,
                basis={"expected": (promised - timedelta(minutes=6)).isoformat(), "travel_seconds": 400},
                made_at=now - timedelta(minutes=25),
            )
        )
    Delivery.objects.bulk_create(rows, batch_size=1000)
    Promise.objects.bulk_create(promises, batch_size=1000)


def told(url: str, city: str, riders: list[str], rate: int, stop: threading.Event) -> None:
    """Positions at `rate` a second, as `couriers.report_position` tells them; and each second that a delivery moved,
    so that the board reads everything anew as often as it ever does."""
    draw = random.Random(2)
    with psycopg.connect(url, autocommit=True) as connection:
        began, sent, moved = time.monotonic(), 0, 0
        while not stop.is_set():
            due = int((time.monotonic() - began) * rate)
            for _ in range(due - sent):
                at = {"lat": round(-30.03 + draw.gauss(0, 0.012), 5), "lon": round(-51.22 + draw.gauss(0, 0.012), 5)}
                message = {"topics": [f"city:{city}"], "name": "position", "courier": draw.choice(riders), **at}
                connection.execute("SELECT pg_notify('highstreet', %s)", [json.dumps(message)])
            sent = due
            if time.monotonic() - began > moved:
                moved += 1
                change = {"topics": [f"city:{city}"], "name": "DeliveryMoved"}
                connection.execute("SELECT pg_notify('highstreet', %s)", [json.dumps(change)])
            time.sleep(0.01)


class Busy:
    """CPU seconds of the page's main thread so far; waiting for a core is not part of them."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)
        self.session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds(self) -> float:
        told = {one["name"]: one["value"] for one in self.session.send("Performance.getMetrics")["metrics"]}
        return float(told["TaskDuration"])


def frames(page: Page, busy: Busy, name: str, seconds: int, begin: str = "") -> None:
    if begin:
        page.evaluate(begin)
    before = busy.seconds()
    seen: dict[str, Any] = page.evaluate(WATCH, seconds)
    spent = 100 * (busy.seconds() - before) / seconds
    if begin:
        page.evaluate(STOP)
    gaps = sorted(seen["gaps"])
    share = statistics.quantiles(gaps, n=100)
    longest = max(seen["long"], default=0)
    print(
        f"{name:<34} {len(gaps) / seconds:5.1f} frames/s  p50 {share[49]:5.1f} ms  p95 {share[94]:5.1f} ms  "
        f"worst {gaps[-1]:5.0f} ms  long tasks {len(seen['long'])} (longest {longest:.0f} ms)  "
        f"positions {seen['heard'] / seconds:.0f}/s  main thread {spent:.0f} % of a core"
    )


def snapshot(page: Page, url: str) -> None:
    """What one reading costs: on the wire, unpacked, and how long the server takes."""
    sizes, spent = [], []
    for _ in range(8):
        began = time.perf_counter()
        answer = page.request.get(url, headers={"Accept-Encoding": "gzip"})
        spent.append(1000 * (time.perf_counter() - began))
        sizes.append(len(answer.body()))
    wire = page.evaluate(
        "async (url) => { performance.clearResourceTimings(); await (await fetch(url)).text();"
        " const one = performance.getEntriesByType('resource').at(-1); return one.encodedBodySize; }",
        url,
    )
    print(
        f"one reading: {wire:,} bytes on the wire, {sizes[0]:,} unpacked, {statistics.median(spent):.0f} ms to answer"
    )


def measure(couriers: int, orders: int, rate: int, seconds: int, picture: str) -> None:
    with Sky() as town:
        subprocess.run(
            [sys.executable, __file__, "--fill", "--couriers", str(couriers), "--orders", str(orders)],
            env=town.environment,
            cwd=ROOT,
            check=True,
        )
        city = str(town.one("SELECT id FROM organisations_city ORDER BY code = 'porto-alegre' DESC LIMIT 1"))
        riders = [str(row[0]) for row in town.sql("SELECT courier_id FROM couriers_shift WHERE ends_at IS NULL")]
        stop = threading.Event()
        teller: Callable[[], None] = lambda: told(databases.url_of(town.database), city, riders, rate, stop)  # noqa: E731
        with sync_playwright() as playwright:
            browser = launch(playwright)
            page = Chrome(browser, town).page(View("en", 1440), user="owner", height=1000)
            page.goto(f"{town.url}/console/tower")
            page.wait_for_selector("#list .line a")
            print(f"{couriers:,} couriers, {orders:,} orders; load average {os.getloadavg()[0]:.1f}, 2 cores")
            busy = Busy(page)
            snapshot(page, f"{town.url}/console/tower/board.json")
            frames(page, busy, "nothing moves", seconds)
            thread = threading.Thread(target=teller)
            thread.start()
            frames(page, busy, f"{rate} positions a second", seconds)
            frames(page, busy, "and the list is scrolled", seconds, SCROLL)
            frames(page, busy, "and the map is moved", seconds, PAN)
            print(f"rows in the document: {page.locator('#list .all .line').count()}")
            if picture:
                page.screenshot(path=picture)
            stop.set()
            thread.join()
            browser.close()


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("--couriers", type=int, default=1000)
    asked.add_argument("--orders", type=int, default=5000)
    asked.add_argument("--rate", type=int, default=250)
    asked.add_argument("--seconds", type=int, default=10)
    asked.add_argument("--picture", default="")
    asked.add_argument("--fill", action="store_true", help="only fill the database of DATABASE_URL")
    given = asked.parse_args()
    if given.fill:
        fill(given.couriers, given.orders)
    else:
        measure(given.couriers, given.orders, given.rate, given.seconds, given.picture)
