"""Promises are facts about an order: when, and whether it was kept."""

from __future__ import annotations

from highstreet.kernel.privacy import Table, impersonal, personal

personal(
    Table(
        "promise_promise",
        ("customer",),
        "order",
        "t.order_id = ANY(%(orders)s)",
        keeps="whether a promise was kept is a fact of the store, told by an order's number",
        plain=("mode", "outcome", "basis"),
    )
)
impersonal("a city's couriers, counted", "promise_capacityslot", "promise_courierreach", "promise_zone")
impersonal("which shops the same couriers serve", "promise_zonestore")
