"""Stock; a move names who made it by a number."""

from __future__ import annotations

from highstreet.kernel.privacy import Table, impersonal, personal

impersonal("stock", "inventory_stocklocation", "inventory_stocklevel", "inventory_stockshare")
personal(
    Table(
        "inventory_stockmove",
        ("employee", "customer"),
        "work",
        "t.cause = ANY(%(things)s)",
        keeps="a shelf's history: units of goods, for an order's number",
        plain=("kind", "reason", "actor"),
    )
)
