"""Deliveries at fleets: who brought which order, and what the fleet told of it."""

from __future__ import annotations

from highstreet.kernel.privacy import Open, Period, Table, impersonal, personal, place, scope

from .refusals import FLEET_ON_THE_WAY

COURIER_DAYS = 30
BOOKS = "the fleet's bill is compared with it; it names an order, not a person"
_COURIER = {"courier_name": "''", "courier_phone": "''"}
# Of what a fleet told, what the books need: which order, what, when.
_FACTS = (
    "jsonb_strip_nulls(jsonb_build_object('order_id', t.resource->'order_id', 'status', t.resource->'status', "
    "'shop_order_id', t.resource->'shop_order_id', 'order_status', t.resource->'order_status'))"
)

scope("fleet_numbers", "SELECT number FROM fleets_fleetorder WHERE order_id = ANY(%(orders)s)")
scope("things", "SELECT id FROM fleets_fleetorder WHERE order_id = ANY(%(orders)s)")

personal(
    Table(
        "fleets_fleetorder",
        ("customer",),
        "delivery",
        "t.order_id = ANY(%(orders)s)",
        blank=_COURIER,
        keeps=BOOKS,
        plain=("order_number", "number", "shop_no", "status", "told", "code", "reason", "provider_id"),
        open=(Open("t.status IN ('asked', 'placed', 'stopping', 'dropped')", FLEET_ON_THE_WAY),),
        periods=(
            Period(
                COURIER_DAYS,
                "t.ended_at < %(until)s",
                f"the fleet's courier {COURIER_DAYS} days after its end, then blank",
                columns=_COURIER,
            ),
        ),
    )
)
personal(
    Table(
        "fleets_fleetevent",
        ("customer",),
        "delivery",
        "t.number = ANY(%(fleet_numbers)s)",
        blank={"resource": _FACTS},
        keeps=BOOKS,
        plain=("event_id", "number", "code", "outcome"),
        periods=(
            Period(
                COURIER_DAYS,
                "t.applied_at < %(until)s",
                f"whole for {COURIER_DAYS} days, then numbers and codes only",
                columns={"resource": _FACTS},
            ),
        ),
    )
)
personal(
    Table(
        "fleets_fleetalert",
        ("customer",),
        "delivery",
        "t.order_id = ANY(%(orders)s)",
        blank={"facts": "'{}'::jsonb"},
        keeps=BOOKS,
        plain=("kind", "subject"),
        periods=(
            Period(
                COURIER_DAYS,
                "t.closed_at < %(until)s",
                f"{COURIER_DAYS} days after someone looked, then blank",
                columns={"facts": "'{}'::jsonb"},
            ),
        ),
    )
)
impersonal("an organisation's account with a fleet, and the stores that use it", "fleets_fleet", "fleets_fleetuse")
place(
    "a hired fleet",
    holds="of orders that a store gives it: the order's number, the shopper's phone, door and note",
    until="as its contract with the retailer says; we tell it nothing else",
)
