"""Packages on their way to a person, and who picks them."""

from __future__ import annotations

from highstreet.kernel.privacy import Period, Table, personal, scope

CONTACT_DAYS = 180
FACT = "how long it took and what was missing are facts of the store"

scope("fulfilments", "SELECT id FROM fulfilment_fulfilment WHERE order_id = ANY(%(orders)s)")
scope("things", "SELECT unnest(%(fulfilments)s::uuid[])")

_BLANK = {
    "address": "''",
    "note": "''",
    "phone_tail": "''",
    "handover_code": "''",
    "lat": "round(t.lat::numeric, 2)::float8",
    "lon": "round(t.lon::numeric, 2)::float8",
}
personal(
    Table(
        "fulfilment_fulfilment",
        ("customer", "employee"),
        "delivery",
        "t.id = ANY(%(fulfilments)s)",
        also="t.picker_id = ANY(%(employee)s)",
        blank=_BLANK,
        # Who says it gets the bag.
        secret=("handover_code",),
        keeps=FACT,
        plain=("order_number", "mode", "status", "substitution", "reject_reason"),
        periods=(
            Period(
                CONTACT_DAYS,
                "t.ended_at < %(until)s OR t.ended_at IS NULL AND t.created_at < %(until)s - interval '30 days'",
                f"door, note and phone {CONTACT_DAYS} days after its end, then blank",
                columns=_BLANK,
            ),
        ),
    )
)
personal(
    Table(
        "fulfilment_fulfilmentline",
        ("customer",),
        "order",
        "t.fulfilment_id = ANY(%(fulfilments)s)",
        keeps=FACT,
        plain=("substitute_state",),
    )
)
personal(
    Table(
        "fulfilment_pickupcode",
        ("customer",),
        "delivery",
        "t.fulfilment_id = ANY(%(fulfilments)s)",
        delete=True,
        secret=("redeemed_by", "code"),
        periods=(
            Period(
                CONTACT_DAYS,
                "t.redeemed_at < %(until)s",
                f"{CONTACT_DAYS} days after it was used",
            ),
        ),
    )
)
