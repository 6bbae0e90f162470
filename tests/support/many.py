"""A million orders in a minute or two: one real order's rows copied by SQL, every identifier made anew.

HIGHSTREET_MANY_ORDERS makes the long tests do with fewer, where there is less time than they need.
"""

from __future__ import annotations

import os
from typing import Any

from . import loops, shop
from .stack import Stack

# Unique texts of a row; every other text is shared by all copies.
_UNIQUE = {"number": "m{g}", "key": "many{g}"}
MANY = int(os.environ.get("HIGHSTREET_MANY_ORDERS", "1000000"))
# How long an audit of so many may take, in seconds.
AUDIT = 600.0
TABLES = ("orders_quote", "orders_order", "orders_orderline", "kernel_hold", "kernel_statechange")


def orders(stack: Stack, count: int) -> int:
    """`count` more orders that were placed and cancelled, with holds, histories and postings. Returns the rows.

    The copies skip triggers and foreign keys (replication role): what they say is checked by `highstreet audit`.
    """
    loops.run(_one(stack))
    own = {row[0] for table in TABLES for row in stack.sql(f"SELECT id FROM {table}")}  # noqa: S608
    own |= {row[0] for row in stack.sql("SELECT subject FROM kernel_statechange")}
    stack.sql("SET session_replication_role = replica")
    before = _rows(stack)
    for table in TABLES:
        _copy(stack, table, own, count)
    stack.sql(
        "INSERT INTO kernel_journal (id, key, kind, cause, at, actor) SELECT md5('j' || g)::uuid, 'many:' || g, "
        "'courier_paid', md5('c' || g)::uuid, %s, 'system' FROM generate_series(1, %s::int) g",
        stack.now(),
        count,
    )
    stack.sql(
        "INSERT INTO kernel_posting (id, journal_id, owner, code, currency, amount) SELECT md5('p' || s || g)::uuid, "
        "md5('j' || g)::uuid, md5('o' || g %% 800)::uuid, CASE WHEN s > 0 THEN 'cost' ELSE 'courier' END, 'CNY', "
        "s * (500 + g %% 400) FROM generate_series(1, %s::int) g, (VALUES (1), (-1)) sides(s)",
        count,
    )
    stack.sql("SET session_replication_role = origin")
    stack.sql("ANALYZE")
    return _rows(stack) - before


def _rows(stack: Stack) -> int:
    tables = (*TABLES, "kernel_journal", "kernel_posting")
    return sum(int(stack.one(f"SELECT count(*) FROM {table}")) for table in tables)  # noqa: S608


async def _one(stack: Stack) -> None:
    shelf = shop.only_shelf(stack, 50)
    async with shop.client(stack) as http:
        buyer = shop.Buyer(http, 1)
        await buyer.prepare(shelf.variant, store=shelf.store)
        assert (await buyer.place()).status_code == 201
        gone = await http.post(
            f"/orders/{buyer.order['id']}/cancel",
            json={"reason": "many"},
            params={"key": buyer.order["key"]},
            headers=buyer.headers("cancel"),
        )
        assert gone.status_code == 200, gone.text


def _copy(stack: Stack, table: str, own: set[Any], count: int) -> None:
    columns = stack.sql(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s ORDER BY 1", table
    )
    names = ", ".join(f'"{name}"' for name, _ in columns)
    ids = ", ".join(f"'{one}'" for one in sorted(own, key=str))
    cells = []
    for name, kind in columns:
        if name in _UNIQUE and table == "orders_order":
            cells.append(f"'{_UNIQUE[name].replace('{g}', '')}' || g")
        elif kind == "uuid":
            cells.append(f'CASE WHEN b."{name}" IN ({ids}) THEN md5(b."{name}"::text || g)::uuid ELSE b."{name}" END')
        else:
            cells.append(f'b."{name}"')
    stack.sql(
        f"INSERT INTO {table} ({names}) SELECT {', '.join(cells)} "  # noqa: S608
        f"FROM (SELECT * FROM {table}) b, generate_series(1, {int(count)}) g"
    )
