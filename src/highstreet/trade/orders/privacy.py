"""Quotes and orders: who wants what brought where."""

from __future__ import annotations

from highstreet.kernel.privacy import Open, Period, Table, personal, public, scope
from highstreet.trade.payments.privacy import own_reason

from .refusals import ORDER_OPEN

CONTACT_DAYS = 180
BOOKS = "what was sold, when and for how much is kept for the books and for 3 years by the e-commerce law (art. 31)"
_DOOR = {
    "address": "''",
    "unit": "''",
    "lat": "round(t.lat::numeric, 2)::float8",
    "lon": "round(t.lon::numeric, 2)::float8",
}
_CONTACT = {**_DOOR, "phone": "''", "note": "''"}

scope("orders", "SELECT id FROM orders_order WHERE customer_id = ANY(%(customer)s)")
scope("quotes", "SELECT quote_id FROM orders_order WHERE id = ANY(%(orders)s)")
scope("quotes", "SELECT id FROM orders_quote WHERE cart_id = ANY(%(carts)s)")
# A guest's cart is nobody's, but the order says from which it came.
scope(
    "carts",
    "SELECT q.cart_id FROM orders_quote q JOIN orders_order o ON o.quote_id = q.id WHERE o.id = ANY(%(orders)s)",
)
scope("things", "SELECT unnest(%(orders)s::uuid[])")
scope("order_keys", "SELECT key FROM orders_order WHERE id = ANY(%(orders)s)")
scope("traces", "SELECT unnest(%(order_keys)s::text[])")
public("ord", "orders")
public("quo", "quotes")

personal(
    Table(
        "orders_quote",
        ("customer",),
        "order",
        "t.id = ANY(%(quotes)s)",
        blank=_DOOR,
        delete=True,
        keeps=BOOKS,
        plain=("mode", "lines", "currency", "promise", "routing"),
        periods=(
            Period(1, "t.used_at IS NULL AND t.expires_at < %(until)s", "a day after it expired, when nobody ordered"),
            Period(
                CONTACT_DAYS,
                "t.used_at < %(until)s",
                f"else the door {CONTACT_DAYS} days, then blank",
                columns=_DOOR,
            ),
        ),
    )
)
personal(
    Table(
        "orders_order",
        ("customer",),
        "order",
        "t.id = ANY(%(orders)s)",
        blank={
            **_CONTACT,
            # No key that anybody could send: too long by one.
            "key": "'o' || replace(t.id::text, '-', '')",
            "end_reason": own_reason("t.end_reason"),
        },
        # It opens the order to whoever has it, and support holds the copy on its way.
        secret=("key",),
        keeps=BOOKS,
        plain=(
            "number",
            "mode",
            "status",
            "payment_status",
            "payment_method",
            "currency",
            "substitution",
            "language",
            "routing",
        ),
        open=(Open("t.status IN ('pending', 'confirmed')", ORDER_OPEN),),
        periods=(
            Period(
                CONTACT_DAYS,
                "t.ended_at < %(until)s",
                f"door, phone and note {CONTACT_DAYS} days after its end, then blank",
                columns=_CONTACT,
            ),
        ),
    )
)
personal(
    Table(
        "orders_orderline",
        ("customer",),
        "order",
        "t.order_id = ANY(%(orders)s)",
        keeps=BOOKS,
        plain=("name_zh", "name_en"),
    )
)
