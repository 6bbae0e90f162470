"""django-oscar as a peer: its environment, its database, its pages as operations.

Its pages answer in HTML; where it has no API its pages are what a client asks. Haystack's "simple" backend answers
categories with nothing and searches with the wrong products (it sees only the last word of oscar's own filters), so
the shop runs on the Whoosh index, which is what oscar's own sandbox runs on.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from tests.support import databases

from bench.load import Answer, Operation, Rush, Wire
from bench.process import PYTHON, Served, quietly

HERE = Path(__file__).resolve().parent
LOCK = HERE / "requirements.txt"
ENVIRONMENTS = HERE.parents[1] / "var" / "bench"
LINES = 3
TOKEN = "benchmark0benchmark0benchmark0be"  # 32 letters: a client may choose its own, the cookie must match the header
FORM = {"Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": TOKEN}
ADDRESS = {
    "first_name": "Ana",
    "last_name": "Souza",
    "line1": "Rua dos Andradas 1000",
    "line4": "Porto Alegre",
    "postcode": "90020-000",
}


class Absent(Exception):
    """The peer cannot be measured here, and why."""


def environment() -> Path:
    """Python of the peer's environment, made from the hashed lock at the first need. `Absent` without a registry."""
    home = ENVIRONMENTS / f"oscar-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    python = home / "bin" / "python"
    if (home / "complete").exists():
        return python
    shutil.rmtree(home, ignore_errors=True)
    uv = PYTHON.parent / "uv"
    try:
        quietly([uv, "venv", "--quiet", "--python", PYTHON, home], timeout=60)
        quietly([uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python, LOCK], timeout=300)
    except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
        raise Absent(f"its packages cannot be installed ({str(error).strip().splitlines()[-1][:200]})") from error
    (home / "complete").touch()
    return python


class Peer:
    """`with Peer(products, variants=2003, partners=10) as peer:` - oscar's shop, filled and served.

    `products` are pairs of a name and a category, in any number.
    """

    def __init__(self, products: list[tuple[str, str]], *, variants: int, partners: int, threads: int = 4) -> None:
        self._shape = json.dumps({"products": products, "variants": variants, "partners": partners})
        self._words = sorted({name.split()[0].lower() for name, _ in products})
        self._python, self._threads = environment(), threads
        self.version = quietly(
            [self._python, "-c", "from importlib.metadata import version; print(version('django-oscar'))"]
        ).strip()
        self._database = f"bench_oscar_{os.getpid()}"

    def __enter__(self) -> Self:
        self._home = Path(tempfile.mkdtemp(prefix="bench-oscar-"))
        with databases.connect() as admin:
            name = sql.Identifier(self._database)
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(name))
        try:
            self._fill()
            self.server = Served(
                self._python,
                "project.wsgi:application",
                environment=self._environment(),
                cwd=self._home,
                first="/basket/",
                threads=self._threads,
            )
            self.server.__enter__()
        except BaseException:
            self._drop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.__exit__(kind, error, trace)
        self._drop()

    def _drop(self) -> None:
        databases.drop(self._database)
        shutil.rmtree(self._home, ignore_errors=True)

    def _environment(self) -> dict[str, str]:
        there = conninfo_to_dict(databases.url_of(self._database))
        names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
        known = {names[key]: str(value) for key, value in there.items() if key in names and value}
        own = {"PYTHONPATH": str(HERE), "OSCAR_HOME": str(self._home), "DJANGO_SETTINGS_MODULE": "project.settings"}
        return {"PATH": os.environ["PATH"], "HOME": str(self._home), "PYTHONWARNINGS": "ignore", **known, **own}

    def _fill(self) -> None:
        options: dict[str, Any] = {"env": self._environment(), "cwd": self._home, "timeout": 600}
        quietly([self._python, "-m", "django", "migrate", "--verbosity", "0"], **options)
        made = json.loads(quietly([self._python, "-m", "project.seed"], input=self._shape, **options))
        self._categories, self._products, self._variants = made["categories"], made["products"], made["variants"]
        with self._connect() as connection:
            connection.execute("VACUUM ANALYZE")

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(databases.url_of(self._database), autocommit=True)

    def operations(self) -> dict[str, Operation]:
        return {
            "list 20 of a category": self._listing,
            "product detail": self._detail,
            "search": self._search,
            "add to cart": self._add,
            "checkout step by step, 3 lines": self._steps,
            "leanest checkout, 3 lines": self._leanest,
        }

    async def _listing(self, wire: Wire, number: int) -> bool:
        key, slug = self._categories[number % len(self._categories)]
        answer = await wire.ask("GET", f"/catalogue/category/{slug}_{key}/")
        return answer.status == 200 and b"product_pod" in answer.body

    async def _detail(self, wire: Wire, number: int) -> bool:
        key, slug = self._products[number * 7 % len(self._products)]
        return (await wire.ask("GET", f"/catalogue/{slug}_{key}/")).status == 200

    async def _search(self, wire: Wire, number: int) -> bool:
        answer = await wire.ask("GET", f"/search/?q={self._words[number % len(self._words)]}")
        return answer.status == 200 and b"product_pod" in answer.body

    async def _add(self, wire: Wire, number: int) -> bool:
        await self._put(wire, self._variants[number % 50])
        return "oscar_open_basket" in wire.cookies

    async def _steps(self, wire: Wire, number: int) -> bool:
        """As a guest's browser asks, 16 requests: three times a form "add to basket" and the basket's page it leads
        to; /checkout/ and its form (an address of e-mail); /checkout/shipping-address/ and its form;
        /checkout/shipping-method/ and /checkout/payment-method/, which lead on where there is nothing to choose;
        /checkout/payment-details/; its form, to /checkout/preview/; the form "place order"; /checkout/thank-you/.
        """
        wire.cookies.clear()
        for variant in self._chosen(number):
            await self._put(wire, variant)
            await self._page(wire, "/basket/")
        await self._page(wire, "/checkout/")
        await self._guest(wire, number)
        await self._page(wire, "/checkout/shipping-address/")
        await self._address(wire)
        await self._led_on(wire, "/checkout/shipping-method/", "/checkout/payment-method/")
        await self._led_on(wire, "/checkout/payment-method/", "/checkout/payment-details/")
        await self._page(wire, "/checkout/payment-details/")
        await self._post(wire, "/checkout/preview/", {})
        placed = await self._place(wire)
        return placed and (await wire.ask("GET", "/checkout/thank-you/")).status == 200

    async def _leanest(self, wire: Wire, number: int) -> bool:
        """The fewest requests that end in an order, 7: no page is looked at."""
        await self._ready(wire, number, self._chosen(number))
        return await self._place(wire)

    async def _ready(self, wire: Wire, number: int, variants: list[list[int]]) -> None:
        wire.cookies.clear()
        for variant in variants:
            await self._put(wire, variant)
        await self._guest(wire, number)
        await self._address(wire)
        await self._led_on(wire, "/checkout/shipping-method/", "/checkout/payment-method/")

    def _chosen(self, number: int) -> list[list[int]]:
        most = min(2000, len(self._variants) - 1)
        return [self._variants[(number * LINES + place) * 13 % most] for place in range(LINES)]

    async def _put(self, wire: Wire, variant: list[int]) -> None:
        key, parent = variant
        await self._led(wire, f"/basket/add/{parent}/", {"child_id": str(key), "quantity": "1"}, "")

    async def _guest(self, wire: Wire, number: int) -> None:
        wish = {"username": f"guest{number}@example.com", "options": "anonymous"}
        await self._led(wire, "/checkout/", wish, "/checkout/shipping-address/")

    async def _address(self, wire: Wire) -> None:
        await self._led(wire, "/checkout/shipping-address/", ADDRESS, "/checkout/shipping-method/")

    async def _place(self, wire: Wire) -> bool:
        answer = await self._post(wire, "/checkout/preview/", {"action": "place_order"})
        return answer.headers.get("location", "").endswith("/checkout/thank-you/")

    async def _post(self, wire: Wire, path: str, fields: dict[str, str]) -> Answer:
        wire.cookies["csrftoken"] = TOKEN
        return await wire.ask("POST", path, urlencode(fields).encode(), FORM)

    async def _led(self, wire: Wire, path: str, fields: dict[str, str], wanted: str) -> None:
        _expect(path, await self._post(wire, path, fields), 302, wanted)

    async def _led_on(self, wire: Wire, path: str, wanted: str) -> None:
        _expect(path, await wire.ask("GET", path), 302, wanted)

    async def _page(self, wire: Wire, path: str) -> None:
        _expect(path, await wire.ask("GET", path), 200, "")

    def rush(self, units: int, buyers: int) -> Rush:
        """`units` of one variant and `buyers` guests who all press "place order" at once."""
        wanted = self._variants[-1]
        with self._connect() as connection:
            record = "SELECT min(id) FROM partner_stockrecord WHERE product_id = %(product)s"
            values = {"product": wanted[0], "units": units}
            connection.execute(
                f"DELETE FROM partner_stockrecord WHERE product_id = %(product)s AND id <> ({record})",  # noqa: S608
                values,
            )
            connection.execute(
                "UPDATE partner_stockrecord SET num_in_stock = %(units)s, num_allocated = 0 "
                "WHERE product_id = %(product)s",
                values,
            )
            lasted, answered = asyncio.run(self._rush(wanted, buyers))
            row = connection.execute(
                "SELECT coalesce(sum(quantity), 0) FROM order_line WHERE product_id = %s", [wanted[0]]
            ).fetchone()
        return Rush(units, buyers, int(row[0]) if row else 0, answered, lasted)

    async def _rush(self, wanted: list[int], buyers: int) -> tuple[float, int]:
        wires = [Wire(self.server.url) for _ in range(buyers)]
        few = asyncio.Semaphore(4)

        async def prepare(number: int, wire: Wire) -> None:
            async with few:
                await self._ready(wire, number, [wanted])

        await asyncio.gather(*(prepare(number, wire) for number, wire in enumerate(wires)))
        began = time.perf_counter()
        said = await asyncio.gather(*(self._place(wire) for wire in wires))
        for wire in wires:
            wire.close()
        return time.perf_counter() - began, sum(said)


def _expect(path: str, answer: Answer, status: int, led_to: str) -> None:
    there = answer.headers.get("location", "")
    if answer.status != status or not there.endswith(led_to):
        raise AssertionError(f"oscar {path}: {answer.status} {there!r}, not {status} {led_to!r}: {answer.body[:300]!r}")
