"""The catalogue of permissions: one row each, for staff, API keys and whatever else acts in somebody's name.

A grant is a permission with a scope (the organisation's stores that the actor has) and, where the row names a unit,
a limit. Roles get what the row says; an owner may set other limits for the organisation (`models.RoleLimit`); a key
gets what its maker ticks, never more than the maker has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

FEN, UNITS, PERCENT = "fen", "units", "percent"
ROLE_WORDS: dict[str, LazyText] = {
    "picker": _("Picker"),
    "store_manager": _("Store manager"),
    "support": _("Customer support"),
    "city_manager": _("City manager"),
    "owner": _("Owner"),
}
EVERYBODY = ("picker", "store_manager", "city_manager", "owner")
MANAGERS = ("store_manager", "city_manager", "owner")
DESK = ("support", "city_manager", "owner")
CITY = ("city_manager", "owner")
OWNERS = ("owner",)
# Who may be asked where: the others work for all stores, or those of a city.
IN_A_STORE = ("picker", "store_manager")


@dataclass(frozen=True)
class Permission:
    """`roles` have it, up to `most` (role -> the most, in `unit`; no entry: no limit). `guarded`: who has it moves
    money, stock, prices or people, so an organisation may ask for a second factor. `key`: an API key may have it."""

    code: str
    says: LazyText
    roles: tuple[str, ...] = ()
    unit: str = ""
    most: Mapping[str, int] = field(default_factory=dict)
    guarded: bool = False
    key: bool = True


CATALOGUE = (
    Permission("fulfilment.read", _("See the store's orders"), EVERYBODY),
    Permission("fulfilment.work", _("Accept, pick, pack, hand over"), EVERYBODY),
    Permission("stock.read", _("See stock"), EVERYBODY),
    Permission(
        "stock.adjust",
        _("Put stock right"),
        MANAGERS,
        UNITS,
        {"store_manager": 500, "city_manager": 5_000},
        guarded=True,
    ),
    Permission("store.figures", _("See the store's figures"), MANAGERS),
    Permission("store.manage", _("Pause the store"), MANAGERS),
    Permission("console.read", _("Use the console"), DESK),
    Permission(
        "orders.refund",
        _("Refund and compensate customers"),
        DESK,
        FEN,
        {"support": 20_000, "city_manager": 200_000},
        guarded=True,
    ),
    Permission(
        "orders.cancel_any",
        _("Cancel any order"),
        DESK,
        FEN,
        {"support": 50_000, "city_manager": 500_000},
        guarded=True,
    ),
    Permission("dispatch.override", _("Give deliveries to couriers by hand"), DESK, guarded=True),
    Permission("dispatch.replay", _("Replay past days under other terms"), CITY, key=False),
    Permission("privacy.serve", _("Give people their data, or erase it, when they ask"), DESK, guarded=True, key=False),
    Permission("ledger.read", _("Read the ledger"), CITY),
    Permission("couriers.plan", _("Plan couriers' shifts"), CITY),
    Permission("audit.run", _("Run the audit"), CITY),
    Permission("trail.read", _("See who did what"), CITY),
    Permission("catalog.manage", _("Set prices and visibility"), OWNERS, PERCENT, guarded=True),
    Permission("staff.manage", _("Hire, change roles and limits, dismiss"), OWNERS, guarded=True, key=False),
    Permission("keys.manage", _("Make and revoke API keys"), OWNERS, guarded=True, key=False),
    Permission("webhooks.manage", _("Keep webhooks"), OWNERS, guarded=True),
    Permission("fleets.manage", _("Keep delivery fleets and what they say"), CITY, guarded=True, key=False),
    Permission("shop.own", _("Shop, and see one's own orders"), key=False),
    Permission("courier.work", _("Bring orders"), key=False),
)

BY_CODE: dict[str, Permission] = {row.code: row for row in CATALOGUE}
PERMISSIONS = frozenset(BY_CODE)
# What an API key may be given: not what makes keys or people, and not what belongs to one person.
SCOPES = frozenset(row.code for row in CATALOGUE if row.key)
LIMITED = {row.code: row.unit for row in CATALOGUE if row.unit}
ROLES: dict[str, frozenset[str]] = {
    role: frozenset(row.code for row in CATALOGUE if role in row.roles) for role in ROLE_WORDS
}
GUARDED_ROLES = frozenset(role for row in CATALOGUE if row.guarded for role in row.roles)
_DEFAULTS = {
    role: {row.code: row.most[role] for row in CATALOGUE if role in row.roles and role in row.most}
    for role in ROLE_WORDS
}


def limits_of(role: str, own: Mapping[str, int | None]) -> dict[str, int]:
    """A role's limits: the catalogue's, but for those that the organisation set itself (None: no limit)."""
    limits: dict[str, int | None] = {**_DEFAULTS[role], **own}
    return {code: most for code, most in limits.items() if most is not None and code in ROLES[role]}
