"""What growth costs: `python bench/growth.py [--axis products stores orders] [--svg docs/growth.svg]`.

One process asks itself, one request after another: CPU ms of the process and of PostgreSQL, requests a second and the
99th percentile, with more and more products, then shops, then orders. The rows are made by SQL from real ones, so the
audit still holds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
os.environ["DJANGO_SETTINGS_MODULE"] = "highstreet.settings"

from tests.support import databases  # noqa: E402
from tests.support.stack import Stack  # noqa: E402

from bench.curves import Line, drawn  # noqa: E402
from bench.inside import Caller, backend_seconds, operations, seen  # noqa: E402
from bench.shape import grow  # noqa: E402

BATCH = 20_000
# Table, which rows of the order (`%(order)s`) are copied, columns whose ids become new ones, and other new values.
COPIES: list[tuple[str, str, list[str], dict[str, str]]] = [
    (
        "customers_customer",
        "id = (SELECT customer_id FROM orders_order WHERE id = %(order)s)",
        ["id"],
        {},
    ),
    ("orders_quote", "id = (SELECT quote_id FROM orders_order WHERE id = %(order)s)", ["id"], {}),
    (
        "orders_order",
        "id = %(order)s",
        ["id", "quote_id", "customer_id", "group"],
        {
            "number": "'g' || n",
            "key": "md5(t.key || n)",
            "placed_at": "t.placed_at - n * interval '30 seconds'",
        },
    ),
    ("orders_orderline", "order_id = %(order)s", ["id", "order_id"], {}),
    (
        "promise_promise",
        "order_id = %(order)s",
        ["id", "order_id"],
        {"made_at": "t.made_at - n * interval '30 seconds'"},
    ),
    ("payments_paymentintent", "payable = %(order)s", ["id", "payable"], {"out_trade_no": "md5(t.out_trade_no || n)"}),
    ("fulfilment_fulfilment", "order_id = %(order)s", ["id", "order_id", "group"], {}),
    (
        "fulfilment_fulfilmentline",
        "fulfilment_id IN (SELECT id FROM fulfilment_fulfilment WHERE order_id = %(order)s)",
        ["id", "fulfilment_id", "order_line_id"],
        {},
    ),
    (
        "kernel_statechange",
        "subject = %(order)s OR subject IN (SELECT id FROM fulfilment_fulfilment WHERE order_id = %(order)s) "
        "OR subject IN (SELECT id FROM payments_paymentintent WHERE payable = %(order)s)",
        ["id", "subject"],
        {},
    ),
    ("kernel_hold", '"group" = %(order)s', ["id", "group"], {}),
]


@dataclass(frozen=True)
class Point:
    """An operation at a size: statements, CPU ms (process, PostgreSQL), requests a second, 99th percentile in ms."""

    axis: str
    size: int
    name: str
    statements: int
    process_ms: float
    database_ms: float
    a_second: float
    p99: float


def add_orders(stack: Stack, template: object, first: int, last: int) -> None:
    """Orders number `first` to `last`, each a copy of the cancelled order `template`."""
    for table, where, renamed, changed in COPIES:
        columns = [
            str(row[0])
            for row in stack.sql(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY ordinal_position",
                table,
            )
        ]
        values = [
            f"md5(t.\"{column}\"::text || '-' || n)::uuid"
            if column in renamed
            else changed.get(column, f't."{column}"')
            for column in columns
        ]
        names = ", ".join(f'"{column}"' for column in columns)
        where = where.replace("%(order)s", "%s")
        stack.sql(
            f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM "  # noqa: S608 (our own names)
            f"(SELECT * FROM {table} WHERE {where}) t, generate_series(%s::int, %s::int) n",
            *[template] * where.count("%s"),
            first,
            last,
        )


def template_order(stack: Stack, ask: Caller) -> object:
    """An order like any other, called off and done with: what is copied."""
    from highstreet.kernel import ids, outbox
    from highstreet.kernel.policy import THE_SYSTEM
    from highstreet.trade.orders import actions

    operations(stack, ask)["order now"](1)
    order_id = stack.one("SELECT id FROM orders_order ORDER BY placed_at DESC LIMIT 1")
    actions.cancel(actor=THE_SYSTEM, order_id=order_id)
    outbox.drain()
    assert ids.public("ord", order_id)
    return order_id


def measured(stack: Stack, ask: Caller, axis: str, size: int, times: int) -> list[Point]:
    connection, found = ask.connection, []
    for name, operation in operations(stack, ask).items():
        for number in range(6):
            operation(number)
        with seen(connection) as statements:
            operation(6)
        took = []
        connection.ensure_connection()  # what was asked may have come from memory
        pid = connection.connection.info.backend_pid
        process, database, began = time.process_time(), backend_seconds(pid), time.perf_counter()
        for number in range(7, 7 + times):
            start = time.perf_counter()
            operation(number)
            took.append((time.perf_counter() - start) * 1000)
        lasted = time.perf_counter() - began
        spent = [(time.process_time() - process) / times * 1000, (backend_seconds(pid) - database) / times * 1000]
        last = statistics.quantiles(took, n=100)[98]
        found.append(Point(axis, size, name, len(statements), spent[0], spent[1], times / lasted, last))
        print(row(found[-1]), flush=True)
    return found


def row(point: Point) -> str:
    return (
        f"| {point.axis} | {point.size:,} | {point.name} | {point.statements} | "
        f"{point.process_ms:.2f} + {point.database_ms:.2f} | {point.a_second:.0f} | {point.p99:.1f} |"
    )


def picture(points: Sequence[Point]) -> str:
    """A row of drawings a measure: CPU of process and PostgreSQL together, requests a second, 99th percentile."""
    measures: list[tuple[str, Callable[[Point], float]]] = [
        ("CPU ms an operation", lambda point: point.process_ms + point.database_ms),
        ("operations a second, one client", lambda point: point.a_second),
        ("99th percentile, ms", lambda point: point.p99),
    ]
    axes = list(dict.fromkeys(point.axis for point in points))
    rows = []
    for title, measure in measures:
        panels = {}
        for axis in axes:
            lines: dict[str, Line] = {}
            for point in (one for one in points if one.axis == axis):
                lines.setdefault(point.name, []).append((point.size, measure(point)))
            panels[axis] = lines
        rows.append((title, panels))
    return drawn("What growth costs", rows)


def make(stack: Stack, ask: Caller, axis: str, size: int) -> None:
    """Have `size` products, shops or orders, and little of the rest."""
    products, stores = (size if axis == "products" else 1000), (size if axis == "stores" else 8)
    grow(stack, products=products, variants=products, stores=stores)
    if axis == "orders":
        template = template_order(stack, ask)
        for first in range(1, size, BATCH):
            add_orders(stack, template, first, min(first + BATCH, size) - 1)
        stack.sql("VACUUM ANALYZE")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--axis", nargs="+", default=["products", "stores", "orders"])
    parser.add_argument("--products", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--stores", type=int, nargs="+", default=[8, 80, 800])
    parser.add_argument("--orders", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--times", type=int, default=100, help="requests an operation")
    parser.add_argument("--svg", type=Path, default=None)
    options = parser.parse_args()
    print("| of | size | operation | statements | CPU ms: process + PostgreSQL | a second | p99 ms |")
    print("|---|---|---|---|---|---|---|")
    points: list[Point] = []
    codes = []
    ask: Caller | None = None
    for axis, size in ((one, many) for one in options.axis for many in getattr(options, one)):
        with Stack([]) as stack:
            if ask is None:
                known = {name: value for name, value in stack.environment.items() if name.startswith("HIGHSTREET_")}
                os.environ.update({**known, "DATABASE_URL": databases.url_of(stack.database)})
                ask = Caller()
            from django.db import connection

            # This thread's own connection and the requests', which read the same settings.
            for one in (connection, ask.connection):
                one.close()
                one.settings_dict["NAME"] = stack.database
            _forget()
            make(stack, ask, axis, size)
            points += measured(stack, ask, axis, size, options.times)
            connection.close()
            ask.connection.close()
            codes.append(stack.audit().code)
    print(f"\n`highstreet audit` after each: {codes}")
    if options.svg:
        options.svg.write_text(picture(points))
    return max(codes)


def _forget() -> None:
    """What this process remembers is of another database."""
    from highstreet.delivery.promise import reads as promises
    from highstreet.supply.organisations import reads as organisations

    organisations.forget()
    promises.forget()


if __name__ == "__main__":
    sys.exit(main())
