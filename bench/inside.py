"""What one request costs inside a process, without sockets and without load: `python bench/inside.py [--only NAME]`.

Statements, CPU ms of this process and of its PostgreSQL backend, for each operation; `--profile` names the functions
and `--statements` the SQL behind one. CPU an operation repeats within some percent, also on a busy machine.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import json
import os
import pstats
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
os.environ["DJANGO_SETTINGS_MODULE"] = "highstreet.settings"

from tests.support import databases  # noqa: E402
from tests.support.stack import Stack  # noqa: E402

from bench.load import TICK  # noqa: E402
from bench.shape import grow  # noqa: E402

MIDDLE = (-30.0335, -51.2287)
HERE = f"lat={MIDDLE[0]}&lon={MIDDLE[1]}"
Ask = Callable[..., dict[str, Any]]


class Caller:
    """Asks the WSGI application as granian does; `last` is the last status, `connection` what every request uses."""

    def __init__(self) -> None:
        # One slot at the door, so that one backend of PostgreSQL does all the work and can be watched.
        os.environ["HIGHSTREET_SLOTS"] = "1"
        from highstreet.kernel.pressure import ORDERS
        from highstreet.wsgi import application

        slot = application.gate.enter(ORDERS)
        assert slot is not None
        self.connection = slot.connection
        application.gate.leave(slot)
        self._application = application
        self._number = 0
        self.last = 0
        self.riding = False

    @contextmanager
    def slot(self) -> Iterator[None]:
        """What is asked for inside goes over the connection that is watched, as one page's questions."""
        from django.db import connections

        from highstreet.kernel import memory

        connections["default"] = self.connection
        try:
            with memory.page():
                yield
        finally:
            del connections["default"]

    def __call__(self, method: str, path: str, body: object = None, cart: str = "") -> bytes:
        self._number += 1
        sent = b"" if body is None else json.dumps(body).encode()
        path, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(sent)),
            "HTTP_X_CART_KEY": cart,
            "HTTP_IDEMPOTENCY_KEY": f"inside-{os.getpid()}-{self._number:022}",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(sent),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "wsgi.version": (1, 0),
        }
        status: list[str] = []

        def start(line: str, headers: object, *error: object) -> Any:
            status.append(line)

        answer = self._application(environ, start)
        content = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        self.last = int(status[0].split(" ")[0])
        if self.last >= 400:
            raise AssertionError(f"{method} {path}: {self.last} {content[:400]!r}")
        return content


def operations(stack: Stack, ask: Caller) -> dict[str, Callable[[int], object]]:
    from highstreet.kernel import ids

    store = ids.public("str", stack.one("SELECT id FROM stores_store WHERE code = 'maua'"))
    rows = stack.sql(
        "SELECT v.id, v.product_id, c.code, split_part(lower(p.name_en), ' ', 1) FROM catalog_variant v JOIN "
        "catalog_product p ON p.id = v.product_id JOIN catalog_category c ON c.id = p.category_id "
        "ORDER BY v.sku LIMIT 2000"
    )
    variants = [ids.public("var", row[0]) for row in rows]
    products = [ids.public("prd", row[1]) for row in rows]
    codes = sorted({str(row[2]) for row in rows})
    groups = [str(code) for (code,) in stack.sql("SELECT DISTINCT group_code FROM catalog_category ORDER BY 1")]
    words = sorted({str(row[3]) for row in rows})
    api = "/api/v1"

    def post(path: str, body: object, cart: str = "") -> dict[str, Any]:
        found: dict[str, Any] = json.loads(ask("POST", f"{api}{path}", body, cart))
        return found

    def lines(number: int) -> list[dict[str, object]]:
        return [{"variant": variants[(number * 3 + place) * 13 % len(variants)], "quantity": 1} for place in range(3)]

    def opened(number: int) -> str:
        return str(post("/carts", {"lines": lines(number)})["key"])

    def quote(cart: str) -> str:
        point = {"lat": -30.0335, "lon": -51.2287}
        return str(post("/quotes", {"cart": cart, "mode": "pickup", "store": store, **point}, cart)["id"])

    def order(cart: str, quoted: str) -> object:
        wish = {"quote": quoted, "cart": cart, "phone": "13900000000", "payment_method": "at_pickup"}
        return post("/orders", wish, cart)

    def now(number: int) -> object:
        wish = {"lines": lines(number), "mode": "pickup", "store": store, "phone": "13900000000"}
        agreed = {"payment_method": "at_pickup", "most_total": 10**9, "latest": stack.later(86_400).isoformat()}
        return post("/checkout", wish | agreed)

    kept: dict[str, str] = {}

    def add(number: int) -> object:
        if "cart" not in kept:
            kept["cart"] = opened(1)
        cart = kept["cart"]
        path = f"{api}/carts/{cart}/lines/{variants[number % 50]}"
        return ask("PUT", path, {"quantity": 1 + number % 9}, cart)

    return {
        "list (API)": lambda n: ask("GET", f"{api}/stores/{store}/shelf?category={codes[n % len(codes)]}&limit=20"),
        "detail (API)": lambda n: ask("GET", f"{api}/products/{products[n * 7 % len(products)]}?{HERE}"),
        "search (API)": lambda n: ask("GET", f"{api}/stores/{store}/shelf?q={words[n % len(words)]}&limit=20"),
        "home page": lambda n: ask("GET", "/"),
        "category page": lambda n: ask("GET", f"/c/{codes[n % len(codes)]}"),
        "group page": lambda n: ask("GET", f"/c/{groups[n % len(groups)]}"),
        "product page": lambda n: ask("GET", f"/p/{products[n * 7 % len(products)]}"),
        "search page": lambda n: ask("GET", f"/search?q={words[n % len(words)]}"),
        "add to cart": add,
        "open a cart": opened,
        "cart, quote": lambda n: quote(opened(n)),
        "order now": now,
        "cart, quote, order": lambda n: (lambda cart: order(cart, quote(cart)))(opened(n)),
        "promises, 24 baskets x 8 stores": lambda n: promises(ask, n),
    }


def promises(ask: Caller, number: int) -> object:
    """When each of 24 baskets could be at the door from each of 8 stores, and ready in them."""
    from highstreet.delivery.promise.reads import offers_for
    from highstreet.kernel import clock
    from highstreet.supply.organisations import reads as organisations
    from highstreet.supply.stores import reads as stores

    with ask.slot():
        city = organisations.default_city().id
        if not ask.riding:
            on_the_road(city)
            first = offers_for(city, stores.nearest(city, *MIDDLE)[:8], *MIDDLE, clock.now())
            assert len(first) == 8 and all(one.delivery and one.pickup for one in first.values()), first
            ask.riding = True
        shops = stores.nearest(city, *MIDDLE)[:8]
        return [offers_for(city, shops, *MIDDLE, clock.now(), 1 + (number + basket) % 40) for basket in range(24)]


def on_the_road(city_id: UUID, riders: int = 40) -> None:
    """Couriers on shift, some at each store, and what the dispatcher tells of them; every store brings to anywhere."""
    from highstreet.delivery.couriers import actions as couriers
    from highstreet.delivery.dispatch import loop
    from highstreet.kernel.policy import THE_SYSTEM
    from highstreet.people.accounts.models import User
    from highstreet.people.accounts.reads import actor_of_user
    from highstreet.supply.stores import reads as stores
    from highstreet.supply.stores.models import Store

    shops = stores.nearest(city_id, *MIDDLE)[:8]
    for number in range(riders):
        shop = shops[number % len(shops)]
        user = User.objects.create(username=f"rider-{number}")
        couriers.create(actor=THE_SYSTEM, user_id=user.pk, city_id=city_id, name=f"Rider {number}", phone="51 9")
        rider = actor_of_user(user.pk)
        couriers.start_shift(actor=rider)
        couriers.report_position(actor=rider, lat=shop.lat + number / 10_000, lon=shop.lon)
    Store.objects.update(delivery_radius_m=20_000)
    loop.epoch(city_id, with_capacity=True)


def backend_seconds(pid: int) -> float:
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / TICK


@contextmanager
def seen(connection: BaseDatabaseWrapper) -> Iterator[list[str]]:
    """The statements that this connection sends."""
    kept: list[str] = []

    def watch(execute: Any, sql: str, values: Any, many: bool, context: Any) -> Any:
        kept.append(sql)
        return execute(sql, values, many, context)

    with connection.execute_wrapper(watch):
        yield kept


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="operations whose name holds this")
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--profile", type=int, default=0, metavar="LINES")
    parser.add_argument("--statements", action="store_true")
    parser.add_argument("--shape", type=int, nargs=3, default=[1003, 2003, 10])
    options = parser.parse_args()
    products, variants, stores = options.shape
    with Stack([]) as stack:
        grow(stack, products=products, variants=variants, stores=stores)
        os.environ.update({name: value for name, value in stack.environment.items() if name.startswith("HIGHSTREET_")})
        os.environ["DATABASE_URL"] = databases.url_of(stack.database)
        ask = Caller()
        connection = ask.connection
        print("| operation | statements | CPU ms: process + PostgreSQL |\n|---|---|---|")
        for name, operation in operations(stack, ask).items():
            if options.only not in name:
                continue
            for number in range(10):
                operation(number)
            with seen(connection) as statements:
                operation(10)
            connection.ensure_connection()  # what was asked may have come from memory
            pid = connection.connection.info.backend_pid
            began, before = time.process_time(), backend_seconds(pid)
            for number in range(11, 11 + options.times):
                operation(number)
            spent = [(time.process_time() - began), backend_seconds(pid) - before]
            each = [one / options.times * 1000 for one in spent]
            print(f"| {name} | {len(statements)} | {each[0]:.2f} + {each[1]:.2f} |", flush=True)
            if options.statements:
                print("\n".join(f"    {number:2} {sql[:150]}" for number, sql in enumerate(statements, 1)))
            if options.profile:
                profiler = cProfile.Profile()
                profiler.enable()
                for number in range(1000, 1000 + options.times):
                    operation(number)
                profiler.disable()
                pstats.Stats(profiler).sort_stats("tottime").print_stats(options.profile)
                pstats.Stats(profiler).sort_stats("cumtime").print_stats("highstreet", options.profile)
        connection.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
