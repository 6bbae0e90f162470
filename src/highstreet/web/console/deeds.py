"""The audit trail in words: what each action is called, and what its arguments are."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from .words import Words

DEEDS: Words = {
    "delivery.couriers.create": gettext_lazy("Took on a courier"),
    "delivery.routing.load": gettext_lazy("Loaded a city's streets"),
    "growth.partners.add_endpoint": gettext_lazy("Added a webhook"),
    "growth.partners.change_endpoint": gettext_lazy("Changed a webhook"),
    "growth.partners.make_key": gettext_lazy("Made an API key"),
    "growth.partners.remove_endpoint": gettext_lazy("Removed a webhook"),
    "growth.partners.replay": gettext_lazy("Sent webhook messages again"),
    "growth.partners.resend": gettext_lazy("Sent a webhook message again"),
    "growth.partners.revoke_key": gettext_lazy("Revoked an API key"),
    "growth.partners.rotate_secret": gettext_lazy("Made a new webhook secret"),
    "people.accounts.create_user": gettext_lazy("Made a user"),
    "people.accounts.create_users": gettext_lazy("Made users"),
    "people.staff.ask_second_factor": gettext_lazy("Changed whether a second factor is asked for"),
    "people.staff.hire": gettext_lazy("Hired"),
    "people.staff.set_active": gettext_lazy("Dismissed or took back"),
    "people.staff.set_limit": gettext_lazy("Set a limit"),
    "people.staff.set_role": gettext_lazy("Changed a role"),
    "supply.catalog.import_city": gettext_lazy("Imported a city's goods"),
    "supply.catalog.set_listing": gettext_lazy("Set a price"),
    "supply.inventory.adjust": gettext_lazy("Put stock right"),
    "supply.inventory.receive": gettext_lazy("Booked goods in"),
    "supply.inventory.receive_all": gettext_lazy("Booked a delivery in"),
    "supply.stores.pause": gettext_lazy("Paused the store"),
    "supply.stores.resume": gettext_lazy("Opened the store again"),
    "trade.fulfilment.accept": gettext_lazy("Accepted an order"),
    "trade.fulfilment.collect": gettext_lazy("Handed over at the counter"),
    "trade.fulfilment.hand_over": gettext_lazy("Handed to the courier"),
    "trade.fulfilment.mark_short": gettext_lazy("Marked as short"),
    "trade.fulfilment.pack": gettext_lazy("Packed"),
    "trade.fulfilment.propose_substitute": gettext_lazy("Proposed a substitute"),
    "trade.fulfilment.reject": gettext_lazy("Rejected an order"),
    "trade.fulfilment.scan": gettext_lazy("Picked"),
    "trade.fulfilment.start_picking": gettext_lazy("Began to pick"),
    "trade.orders.cancel": gettext_lazy("Cancelled an order"),
    "trade.orders.compensate": gettext_lazy("Made a promise good"),
    "trade.orders.refund_difference": gettext_lazy("Gave a difference back"),
    "trade.orders.refund_units": gettext_lazy("Refunded units"),
    "trade.payments.capture_at_counter": gettext_lazy("Took cash"),
    "trade.payments.close_alert": gettext_lazy("Closed an alert"),
    "trade.payments.retry_refund": gettext_lazy("Sent a refund again"),
    "admin.add": gettext_lazy("Added a record by hand"),
    "admin.change": gettext_lazy("Changed a record by hand"),
}
FACTS: Words = {
    "active": gettext_lazy("active"),
    "amount": gettext_lazy("amount"),
    "asked": gettext_lazy("asked for"),
    "cash_received": gettext_lazy("cash"),
    "days": gettext_lazy("days"),
    "delta": gettext_lazy("units"),
    "events": gettext_lazy("events"),
    "limits": gettext_lazy("limits"),
    "minutes": gettext_lazy("minutes"),
    "most": gettext_lazy("the most"),
    "permission": gettext_lazy("permission"),
    "price": gettext_lazy("price"),
    "price_below": gettext_lazy("cheaper by"),
    "quantity": gettext_lazy("units"),
    "role": gettext_lazy("role"),
    "scopes": gettext_lazy("may"),
    "units": gettext_lazy("units"),
    "visible": gettext_lazy("shown"),
    "was": gettext_lazy("price before"),
}
# Facts that are amounts in fen.
MONEY = frozenset({"amount", "price", "was", "price_below", "cash_received"})
# What an identifier among the facts names, and how it begins outside.
PREFIXES = {
    "alert_id": "alt",
    "endpoint_id": "whk",
    "employee_id": "emp",
    "fulfilment_id": "ful",
    "key_id": "key",
    "line_id": "lin",
    "order_id": "ord",
    "order_line_id": "lin",
    "refund_id": "rfd",
    "store_id": "str",
    "variant_id": "var",
}
