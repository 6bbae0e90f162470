"""What each role may do. Higher roles include lower ones."""

from __future__ import annotations

PICKER = frozenset({"fulfilment.read", "fulfilment.work", "stock.read"})
STORE_MANAGER = PICKER | {"stock.adjust", "store.figures", "store.manage"}
SUPPORT = frozenset({"console.read", "orders.refund", "orders.cancel_any", "privacy.serve"})
CITY_MANAGER = STORE_MANAGER | SUPPORT | {"ledger.read", "audit.run"}
OWNER = CITY_MANAGER | {"staff.manage", "catalog.manage", "keys.manage", "webhooks.manage"}

ROLES: dict[str, frozenset[str]] = {
    "picker": PICKER,
    "store_manager": STORE_MANAGER,
    "support": SUPPORT,
    "city_manager": CITY_MANAGER,
    "owner": OWNER,
}
PERMISSIONS = OWNER | {"shop.own", "courier.work"}
# What an API key may be given: not what makes keys or people, and not what belongs to one person.
SCOPES = OWNER - {"staff.manage", "keys.manage", "privacy.serve"}
