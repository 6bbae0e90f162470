"""What serving costs, in the shape of the peers' table: `python bench/serving.py [--clients 1 8 32] [--seconds 4]`.

1,003 products, 2,003 variants, 10 locations; two web processes, PostgreSQL and the clients share the machine's cores.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "highstreet.settings")

import django  # noqa: E402
from tests.support import databases  # noqa: E402

databases.server_url()
django.setup()

from tests.support.stack import Stack  # noqa: E402

from bench.load import Cost, Meter, Operation, Wire, cpu_seconds, memory_mb  # noqa: E402
from bench.shape import grow  # noqa: E402
from highstreet.kernel import ids  # noqa: E402

JSON = {"Content-Type": "application/json"}
HERE = "lat=-30.0335&lon=-51.2287"
LINES = 3
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

    async def leanest(self, wire: Wire, number: int) -> bool:
        """A cart opened with its three lines, quote, order: three requests."""
        lines = [{"variant": self._variant(number, place), "quantity": 1} for place in range(LINES)]
        return await self._order(wire, await self._open(wire, lines), number)

    async def at_once(self, wire: Wire, number: int) -> bool:
        """Three lines, a ceiling for the price and one for the time: one request."""
        lines = [{"variant": self._variant(number, place), "quantity": 1} for place in range(LINES)]
        agreed = {"most_total": 10**9, "latest": "2099-01-01T00:00:00+00:00", "payment_method": "at_pickup"}
        wish = {"lines": lines, "mode": "pickup", "store": self.store, "phone": f"139{number % 10**8:08d}"}
        return "number" in await self._post(wire, "/checkout", wish | agreed, "")

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

    def operations(self) -> dict[str, Operation]:
        return {
            "list 20 of a category (API)": self.listing,
            "product detail (API)": self.detail,
            "search (API)": self.search,
            "home page": self.home_page,
            "category page": self.category_page,
            "product page": self.product_page,
            "search page": self.search_page,
            "add to cart": self.add,
            "checkout step by step, 3 lines": self.steps,
            "checkout in 3 requests, 3 lines": self.leanest,
            "checkout in 1 request, 3 lines": self.at_once,
        }


def postmaster(stack: Stack) -> int:
    """The process above the one that answers us."""
    backend = int(stack.one("SELECT pg_backend_pid()"))
    return int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1])


def measure(stack: Stack, clients: list[int], seconds: float, only: str) -> list[Cost]:
    meter = Meter(stack.url, stack.processes["web"].pid, postmaster(stack), seconds)
    shop = Shop(stack)
    print(Cost.head(), flush=True)
    for name, operation in shop.operations().items():
        for count in clients if only in name else []:
            print(meter.run(name, operation, count).row(), flush=True)
    return meter.kept


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--only", default="", help="operations whose name holds this")
    parser.add_argument(
        "--shape", type=int, nargs=3, default=[1003, 2003, 10], metavar=("PRODUCTS", "VARIANTS", "STORES")
    )
    options = parser.parse_args()
    products, variants, stores = options.shape
    began = time.perf_counter()
    with Stack(["web"], web_workers=2, threads=4) as stack:
        root = stack.processes["web"].pid
        start_up = cpu_seconds(root)
        grow(stack, products=products, variants=variants, stores=stores)
        print(
            f"`python bench/serving.py {' '.join(sys.argv[1:])}` · {products:,} products, {variants:,} variants, "
            f"{stores} stores · {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()} · "
            f"{datetime.now(tz=UTC):%Y-%m-%d} · load average {os.getloadavg()[0]:.1f}\n"
        )
        measure(stack, options.clients, options.seconds, options.only)
        print(
            f"\nStart-up of two processes: {start_up:.1f} CPU s. Memory of the tree after it: {memory_mb(root):.0f} MB."
        )
        verdict = stack.audit()
        print(f"`highstreet audit`: {verdict.code} {verdict.broken[:3]} · {time.perf_counter() - began:.0f} s in all")
    return verdict.code


if __name__ == "__main__":
    sys.exit(main())
