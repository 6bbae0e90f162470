"""Reviews."""

from __future__ import annotations

from highstreet.kernel.privacy import Table, personal

personal(
    Table(
        "reviews_review",
        ("customer",),
        "review",
        "t.customer_id = ANY(%(customer)s)",
        blank={"text": "''"},
        keeps="the stars count in the store's average, under nobody's name",
    )
)
