"""Customers, where their orders go, and what they agreed to."""

from __future__ import annotations

from highstreet.kernel.privacy import Period, Table, impersonal, personal, public, scope

GUEST_DAYS = 180
_BLANK = {"phone": "''", "name": "''"}

scope("subjects", "SELECT unnest(%(user)s::uuid[])")
scope("subjects", "SELECT unnest(%(visitor)s::uuid[])")
public("cus", "customer")

personal(
    Table(
        "customers_customer",
        ("customer",),
        "order",
        "t.id = ANY(%(customer)s)",
        blank={**_BLANK, "user_id": "NULL"},
        keeps="orders and postings have to belong to somebody: from then on to a number",
        plain=("language",),
        periods=(
            Period(
                GUEST_DAYS,
                "t.user_id IS NULL AND t.created_at < %(until)s",
                f"a guest's phone {GUEST_DAYS} days, then blank; a customer's as long as the account",
                columns=_BLANK,
            ),
        ),
    )
)
personal(
    Table(
        "customers_address",
        ("customer",),
        "delivery",
        "t.customer_id = ANY(%(customer)s)",
        delete=True,
        periods=(Period(730, "t.used_at < %(until)s", "2 years after it was last used"),),
    )
)
personal(
    Table(
        "customers_consent",
        ("user", "customer"),
        "consent",
        "t.subject = ANY(%(subjects)s)",
        keeps="that a yes was a yes has to be proved (GDPR art. 7); the number leads to nobody any more",
        plain=("purpose", "language", "channel"),
        periods=(
            Period(
                1095,
                "t.at < %(until)s AND EXISTS (SELECT 1 FROM customers_consent n WHERE n.subject = t.subject "
                "AND n.purpose = t.purpose AND n.at > t.at)",
                "3 years after it was said anew",
            ),
        ),
    )
)
impersonal("that somebody was forgotten: numbers that lead to nobody any more", "customers_erasure")
