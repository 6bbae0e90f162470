"""Carts."""

from __future__ import annotations

from highstreet.kernel.privacy import Period, Table, personal, scope

GUESTS = 30
# What a guest left lies for a month; what a customer left, eleven months more.
_OLD = "{0}.changed_at < %(until)s - CASE WHEN {0}.customer_id IS NULL THEN 0 ELSE 335 END * interval '1 day'"

scope("carts", "SELECT id FROM cart_cart WHERE customer_id = ANY(%(customer)s)")
scope("cart_keys", "SELECT key FROM cart_cart WHERE id = ANY(%(carts)s)")
scope("traces", "SELECT unnest(%(cart_keys)s::text[])")

personal(
    Table(
        "cart_cartline",
        ("customer",),
        "order",
        "t.cart_id = ANY(%(carts)s)",
        delete=True,
        periods=(
            Period(
                GUESTS,
                f"t.cart_id IN (SELECT c.id FROM cart_cart c WHERE {_OLD.format('c')})",  # noqa: S608
                "as its cart",
            ),
        ),
    )
)
personal(
    Table(
        "cart_cart",
        ("customer",),
        "order",
        "t.id = ANY(%(carts)s)",
        blank={"key": "'o' || replace(t.id::text, '-', '')"},
        delete=True,
        keeps="an order's quote was made from it",
        secret=("key",),
        periods=(Period(GUESTS, _OLD.format("t"), "a guest's 30 days after its last change, a customer's a year"),),
    )
)
