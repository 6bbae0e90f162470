"""What serving costs, in the shape of the peers' table: `python bench/serving.py [--clients 1 8 32] [--seconds 4]`.

1,003 products, 2,003 variants, 10 locations; two web processes, PostgreSQL and the clients share the machine's cores.
`--with oscar,limits` measures django-oscar (in an environment of its own, installed at the first need) and the limits
of the machine (`bench/ceiling.py`) in the same run, on the same PostgreSQL, and prints all side by side.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import platform
import re
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "highstreet.settings")

import django  # noqa: E402
from tests.support import databases  # noqa: E402

databases.server_url()
django.setup()

from tests.support.stack import Stack  # noqa: E402

from bench import ceiling  # noqa: E402
from bench.load import Cost, Meter, Operation, Rush, Wire, memory_mb  # noqa: E402
from bench.oscar.peer import FORM, TOKEN, Absent, Peer  # noqa: E402
from bench.process import settled  # noqa: E402
from bench.shape import grow, set_stock  # noqa: E402
from bench.table import cell, side_by_side  # noqa: E402
from highstreet.kernel import ids, postgres  # noqa: E402

JSON = {"Content-Type": "application/json"}
API, PAGES = "Highstreet, API", "Highstreet, pages"
HERE = "lat=-30.0335&lon=-51.2287"
LINES = 3
RUSH = "at once"
_keys = itertools.count()


class Shop:
    """The operations of the table on a running stack."""

    def __init__(self, stack: Stack) -> None:
        self.store = ids.public("str", stack.one("SELECT id FROM stores_store WHERE code = 'maua'"))
        rows = stack.sql(
            "SELECT v.id, p.id, c.code FROM catalog_variant v JOIN catalog_product p ON p.id = v.product_id "
            "JOIN catalog_category c ON c.id = p.category_id ORDER BY v.sku LIMIT 2000"
        )
        self.variants = [ids.public("var", row[0]) for row in rows]
        # None of those above.
        self.last = stack.one("SELECT id FROM catalog_variant ORDER BY sku DESC LIMIT 1")
        self.products = [ids.public("prd", row[1]) for row in rows]
        self.categories = sorted({str(row[2]) for row in rows})
        names = stack.sql("SELECT name_en FROM catalog_product ORDER BY id LIMIT 200")
        self.words = sorted({str(row[0]).split()[0].lower() for row in names})
        self._carts: dict[int, str] = {}

    async def listing(self, wire: Wire, number: int) -> bool:
        code = self.categories[number % len(self.categories)]
        return (await wire.ask("GET", f"/api/v1/stores/{self.store}/shelf?category={code}&limit=20")).status == 200

    async def detail(self, wire: Wire, number: int) -> bool:
        wanted = self.products[number * 7 % len(self.products)]
        return (await wire.ask("GET", f"/api/v1/products/{wanted}?{HERE}")).status == 200

    async def search(self, wire: Wire, number: int) -> bool:
        word = self.words[number % len(self.words)]
        return (await wire.ask("GET", f"/api/v1/stores/{self.store}/shelf?q={word}&limit=20")).status == 200

    async def category_page(self, wire: Wire, number: int) -> bool:
        return (await wire.ask("GET", f"/c/{self.categories[number % len(self.categories)]}")).status == 200

    async def product_page(self, wire: Wire, number: int) -> bool:
        return (await wire.ask("GET", f"/p/{self.products[number * 7 % len(self.products)]}")).status == 200

    async def search_page(self, wire: Wire, number: int) -> bool:
        return (await wire.ask("GET", f"/search?q={self.words[number % len(self.words)]}")).status == 200

    async def home_page(self, wire: Wire, number: int) -> bool:
        return (await wire.ask("GET", "/")).status == 200

    async def add(self, wire: Wire, number: int) -> bool:
        cart = self._carts.get(id(wire))
        if cart is None:
            cart = self._carts[id(wire)] = await self._open(wire)
        return await self._line(wire, cart, self.variants[number % 50], 1 + number % 9)

    async def steps(self, wire: Wire, number: int) -> bool:
        """Open a cart, three lines, look at it, quote, order: seven requests."""
        cart = await self._open(wire)
        for place in range(LINES):
            await self._line(wire, cart, self._variant(number, place), 1)
        await wire.ask("GET", f"/api/v1/carts/{cart}?store={self.store}")
        return await self._order(wire, cart, number)

    async def in_three(self, wire: Wire, number: int) -> bool:
        """A cart opened with its three lines, quote, order: three requests."""
        lines = [{"variant": self._variant(number, place), "quantity": 1} for place in range(LINES)]
        return await self._order(wire, await self._open(wire, lines), number)

    async def at_once(self, wire: Wire, number: int) -> bool:
        """Three lines, a ceiling for the price and one for the time: one request."""
        lines = [{"variant": self._variant(number, place), "quantity": 1} for place in range(LINES)]
        agreed = {"most_total": 10**9, "latest": "2099-01-01T00:00:00+00:00", "payment_method": "at_pickup"}
        wish = {"lines": lines, "mode": "pickup", "store": self.store, "phone": f"139{number % 10**8:08d}"}
        return "number" in await self._post(wire, "/checkout", wish | agreed, "")

    async def by_pages(self, wire: Wire, number: int) -> bool:
        """As a guest's browser asks, nine requests: three times the form "add" and the cart's page it leads to; the
        checkout's page for pick-up, its form, and the order's page."""
        wire.cookies.clear()
        for place in range(LINES):
            await self._form(wire, "/cart/lines", {"variant": self._variant(number, place), "add": "1"})
            await wire.ask("GET", "/cart")
        page = await wire.ask("GET", "/checkout?mode=pickup")
        quote = re.search(rb'name="quote" value="([^"]+)"', page.body)
        if quote is None:
            return False
        wish = {"quote": quote[1].decode(), "phone": f"139{number % 10**8:08d}", "payment": "at_pickup"}
        there = await self._form(wire, "/checkout", wish)
        return there.startswith("/o/") and (await wire.ask("GET", there)).status == 200

    async def _form(self, wire: Wire, path: str, fields: dict[str, str]) -> str:
        """Send a form; where it leads."""
        wire.cookies["csrftoken"] = TOKEN
        answer = await wire.ask("POST", path, urlencode(fields).encode(), FORM)
        return answer.headers.get("location", "") if answer.status == 303 else ""

    async def _order(self, wire: Wire, cart: str, number: int) -> bool:
        wanted = {"cart": cart, "mode": "pickup", "store": self.store, **self._point()}
        quote = (await self._post(wire, "/quotes", wanted, cart))["id"]
        wish = {"quote": quote, "cart": cart, "phone": f"139{number % 10**8:08d}", "payment_method": "at_pickup"}
        return "number" in await self._post(wire, "/orders", wish, cart)

    async def _open(self, wire: Wire, lines: Sequence[object] = ()) -> str:
        return str((await self._post(wire, "/carts", {"lines": list(lines)}, ""))["key"])

    async def _line(self, wire: Wire, cart: str, variant: str, quantity: int) -> bool:
        headers = {**JSON, "X-Cart-Key": cart, "Idempotency-Key": f"bench-{next(_keys):022}"}
        body = json.dumps({"quantity": quantity}).encode()
        return (await wire.ask("PUT", f"/api/v1/carts/{cart}/lines/{variant}", body, headers)).status == 200

    async def _post(self, wire: Wire, path: str, body: object, cart: str) -> dict[str, str]:
        headers = {**JSON, "X-Cart-Key": cart, "Idempotency-Key": f"bench-{next(_keys):022}"}
        answer = await wire.ask("POST", f"/api/v1{path}", json.dumps(body).encode(), headers)
        if answer.status >= 300:
            raise AssertionError(f"{path}: {answer.status} {answer.body[:300]!r}")
        found: dict[str, str] = json.loads(answer.body)
        return found

    def _variant(self, number: int, place: int) -> str:
        return self.variants[(number * LINES + place) * 13 % len(self.variants)]

    @staticmethod
    def _point() -> dict[str, float]:
        return {"lat": -30.0335, "lon": -51.2287}

    def operations(self) -> list[tuple[str, str, Operation]]:
        """System, name and what to do; the names are the peers' too."""
        return [
            (API, "list 20 of a category", self.listing),
            (API, "product detail", self.detail),
            (API, "search", self.search),
            (PAGES, "home page", self.home_page),
            (PAGES, "list 20 of a category", self.category_page),
            (PAGES, "product detail", self.product_page),
            (PAGES, "search", self.search_page),
            (API, "add to cart", self.add),
            (API, "checkout step by step, 3 lines", self.steps),
            (PAGES, "checkout step by step, 3 lines", self.by_pages),
            (API, "checkout in 3 requests, 3 lines", self.in_three),
            (API, "leanest checkout, 3 lines", self.at_once),
        ]

    def rush(self, stack: Stack, units: int, buyers: int) -> Rush:
        """`units` of a variant nobody ordered yet, and `buyers` who order one each at once, in one request."""
        set_stock(stack, variant=self.last, units=units)
        wanted = ids.public("var", self.last)
        agreed = {"most_total": 10**9, "latest": "2099-01-01T00:00:00+00:00", "payment_method": "at_pickup"}
        wish = {"lines": [{"variant": wanted, "quantity": 1}], "mode": "pickup", "store": self.store} | agreed

        async def buy(number: int) -> int:
            wire = Wire(stack.url)
            body = json.dumps(wish | {"phone": f"138{number:08d}"}).encode()
            headers = {**JSON, "Idempotency-Key": f"rush-{next(_keys):022}"}
            answer = await wire.ask("POST", "/api/v1/checkout", body, headers)
            wire.close()
            return answer.status

        async def all_at_once() -> list[int]:
            return await asyncio.gather(*(buy(number) for number in range(buyers)))

        began = time.perf_counter()
        said = asyncio.run(all_at_once())
        lasted = time.perf_counter() - began
        if set(said) - {200, 201, 409}:
            print(f"\nthe rush was also answered with {sorted(set(said) - {200, 201, 409})}")
        sold = stack.one("SELECT coalesce(sum(quantity), 0) FROM orders_orderline WHERE variant_id = %s", self.last)
        return Rush(units, buyers, int(sold), sum(status < 300 for status in said), lasted)


class Bench:
    """A run: what was measured of each system, what was left out and why."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.products, self.variants, self.stores = options.shape
        self.costs: list[Cost] = []
        self.systems: list[str] = []
        self.more: dict[str, dict[str, str]] = {}
        self.skipped: list[str] = []

    def keep(self, cost: Cost) -> None:
        self.costs.append(cost)
        print(cost.row(), flush=True)

    def note(self, name: str, system: str, said: str) -> None:
        self.more.setdefault(name, {})[system] = said

    def wanted(self, name: str) -> bool:
        return str(self.options.only) in name

    def highstreet(self, stack: Stack) -> None:
        root = stack.processes["web"].pid
        start_up = settled(root)
        grow(stack, products=self.products, variants=self.variants, stores=self.stores)
        shop = Shop(stack)
        self.systems += [API, PAGES]
        meter = Meter(stack.url, root, ceiling.postmaster(databases.url_of(stack.database)), self.options.seconds)
        for system, name, operation in shop.operations():
            meter.system = system
            for count in self.options.clients if self.wanted(name) else []:
                self.keep(meter.run(name, operation, count))
        self.note("start-up of the server tree until it answers, CPU s", API, f"{start_up:.1f}")
        self.note("memory of the server tree, MB", API, f"{memory_mb(root):.0f}")
        if self.wanted(RUSH):
            self.note(self.rush_name(), API, shop.rush(stack, self.options.units, self.options.buyers).words())

    def rush_name(self) -> str:
        return f"{self.options.units} units, {self.options.buyers} buyers {RUSH}"

    def oscar(self, stack: Stack) -> None:
        rows = stack.sql(
            "SELECT p.name_en, c.code FROM catalog_product p JOIN catalog_category c ON c.id = p.category_id "
            "ORDER BY p.id"
        )
        products = [(str(row[0]), str(row[1])) for row in rows]
        with Peer(products, variants=self.variants, partners=self.stores, threads=self.options.threads) as peer:
            system, root = f"django-oscar {peer.version}, pages", peer.server.root
            self.systems.append(system)
            database = ceiling.postmaster(databases.url_of(stack.database))
            meter = Meter(peer.server.url, root, database, self.options.seconds, system)
            for name, operation in peer.operations().items():
                for count in self.options.clients if self.wanted(name) else []:
                    self.keep(meter.run(name, operation, count))
            self.note("start-up of the server tree until it answers, CPU s", system, f"{peer.server.start_up:.1f}")
            self.note("memory of the server tree, MB", system, f"{memory_mb(root):.0f}")
            if self.wanted(RUSH):
                self.note(self.rush_name(), system, peer.rush(self.options.units, self.options.buyers).words())

    def limits(self) -> None:
        for cost in ceiling.costs(self.options.clients, self.options.seconds):
            self.keep(cost)
        if not postgres.programs("pgbench"):
            self.skipped.append("pgbench: not beside this PostgreSQL")

    def table(self) -> None:
        for count in self.options.clients:
            print(f"\n{side_by_side(self.costs, self.systems, count, self.more)}")
        limits = [cost for cost in self.costs if cost.system == ceiling.SYSTEM]
        for cost in limits:
            print(f"{'' if cost is not limits[0] else chr(10)}- {cost.name}, {cost.clients} clients: {cell(cost)}")
        if any(not cost.million() for cost in self.costs):
            self.skipped.append("instructions: `perf stat` is not here or has no counters")
        for said in self.skipped:
            print(f"\nSkipped: {said}.")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--only", default="", help="operations whose name holds this")
    parser.add_argument("--with", dest="also", default="", help="oscar, limits, or both with a comma")
    parser.add_argument("--threads", type=int, default=4, help="of each of the two processes, Highstreet's and oscar's")
    parser.add_argument("--units", type=int, default=50)
    parser.add_argument("--buyers", type=int, default=150)
    parser.add_argument(
        "--shape", type=int, nargs=3, default=[1003, 2003, 10], metavar=("PRODUCTS", "VARIANTS", "STORES")
    )
    options = parser.parse_args()
    also = {name for name in options.also.split(",") if name}
    if also - {"oscar", "limits"}:
        parser.error(f"--with knows oscar and limits, not {sorted(also - {'oscar', 'limits'})}")
    began, bench = time.perf_counter(), Bench(options)
    print(
        f"`python bench/serving.py {' '.join(sys.argv[1:])}` · {bench.products:,} products, {bench.variants:,} "
        f"variants, {bench.stores} stores · {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()} · {datetime.now(tz=UTC):%Y-%m-%d} · "
        f"load average {os.getloadavg()[0]:.1f}\n\n{Cost.head()}",
        flush=True,
    )
    with Stack(["web"], web_workers=2, threads=options.threads) as stack:
        bench.highstreet(stack)
        verdict = stack.audit()
        # One system at a time has the cores.
        stack.kill9("web")
        if "oscar" in also:
            try:
                bench.oscar(stack)
            except Absent as reason:
                bench.skipped.append(f"django-oscar: {reason}")
    if "limits" in also:
        bench.limits()
    bench.table()
    print(f"\n`highstreet audit`: {verdict.code} {verdict.broken[:3]} · {time.perf_counter() - began:.0f} s in all")
    return verdict.code


if __name__ == "__main__":
    sys.exit(main())
