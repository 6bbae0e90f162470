"""Every page that a person meets, and the world it is shown in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from babel.messages.pofile import read_po

from .town import Placed, Town

ROOT = Path(__file__).resolve().parents[2] / "src" / "highstreet"


@dataclass(frozen=True)
class Place:
    """One page: its name, its address, who looks, and whether it is one of the shop's (with bytes to keep)."""

    name: str
    path: str
    user: str = ""
    shop: bool = False
    cart: bool = False


class World:
    """Things that exist, so that pages have something to show."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.waiting = town.order(kinds=3)
        self.unpaid = town.order(kinds=1, pay=False)
        self.store = self.waiting.store
        self.picker = town.login_of_store(self.store)
        self.manager = town.login_of_store(self.store, "manager")
        self.pickup = town.order(kinds=2, mode="pickup", method="at_pickup", store=self.store)
        self.product = self._public("prd", "SELECT product_id FROM catalog_variant ORDER BY sku LIMIT 1")
        self.variant = self._public("var", "SELECT id FROM catalog_variant ORDER BY sku LIMIT 1")
        self.fulfilment = self._fulfilment(self.waiting)
        self.line = self._public(
            "lin",
            "SELECT l.id FROM fulfilment_fulfilmentline l JOIN fulfilment_fulfilment f "
            "ON f.id = l.fulfilment_id WHERE f.order_number = %s LIMIT 1",
            self.waiting.number,
        )
        self.group = str(town.one("SELECT group_code FROM catalog_category ORDER BY position LIMIT 1"))

    def _public(self, prefix: str, query: str, *values: object) -> str:
        from highstreet.kernel import ids

        return ids.public(prefix, self.town.one(query, *values))

    def _fulfilment(self, placed: Placed) -> str:
        return self._public("ful", "SELECT id FROM fulfilment_fulfilment WHERE order_number = %s", placed.number)

    def places(self) -> list[Place]:
        return [*self._shop(), *self._store(), *self._courier(), *self._console()]

    def _shop(self) -> list[Place]:
        paths = {
            "home": "/",
            "browse": "/browse",
            "category": f"/c/{self.group}",
            "search": "/search?q=milk",
            "nothing found": "/search?q=zzzz",
            "product": f"/p/{self.product}",
            "place": "/place",
            "empty cart": "/cart",
            "pay": f"/o/{self.unpaid.key}/pay",
            "tracking": f"/o/{self.waiting.key}",
            "pickup code": f"/o/{self.pickup.key}",
            "orders": "/orders",
            "me": "/me",
            "your data": "/me/data",
            "erased": "/me/data/erased",
            "sign in": "/accounts/login/",
            "not found": "/p/prd_nothing",
        }
        filled = {"cart": "/cart", "checkout": "/checkout"}
        return [
            *(Place(name, path, shop=name != "sign in") for name, path in paths.items()),
            *(Place(name, path, shop=True, cart=True) for name, path in filled.items()),
        ]

    def _store(self) -> list[Place]:
        root, order = f"/store/{self.store}", f"/store/{self.store}/orders/{self.fulfilment}"
        paths = {
            "queue": f"{root}/",
            "pick list": order,
            "not there": f"{order}/lines/{self.line}",
            "reject": f"{order}/reject",
            "print": f"{order}/print",
            "pickup counter": f"{root}/collect",
            "stock": f"{root}/stock",
            "stock of one": f"{root}/stock/{self.variant}",
            "figures": f"{root}/figures",
            "pause": f"{root}/pause",
        }
        return [Place(f"store {name}", path, user=self.manager) for name, path in paths.items()]

    def _courier(self) -> list[Place]:
        return [
            Place("courier on shift", "/courier/", user="courier8"),
            Place("courier off shift", "/courier/", user="courier20"),
            Place("courier earnings", "/courier/earnings", user="courier8"),
        ]

    def _console(self) -> list[Place]:
        order = self._public("ord", "SELECT id FROM orders_order WHERE number = %s", self.waiting.number)
        paths = {
            "overview": "/console/",
            "orders": "/console/orders",
            "order": f"/console/orders/{order}",
            "cancel": f"/console/orders/{order}/cancel",
            "catalogue": "/console/catalogue",
            "product": f"/console/catalogue/{self.variant}",
            "stock": "/console/stock",
            "why this stock": f"/console/stock/{self.store}/{self.variant}",
            "promises": "/console/promises",
            "ledger": "/console/ledger",
            "journals": "/console/ledger/journals",
            "audit": "/console/audit?run=1",
            "alerts": "/console/alerts",
            "people": "/console/people",
            "hire": "/console/people/hire",
        }
        return [Place(f"console {name}", path, user="owner") for name, path in paths.items()]


def english_messages() -> set[str]:
    """Messages of more than one letter whose translation is not the message itself."""
    found = set()
    for path in ROOT.rglob("zh_Hans/LC_MESSAGES/django.po"):
        with path.open("rb") as file:
            for message in read_po(file, locale="zh_Hans"):
                ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
                found |= {text for text in ids if text and message.string != text and len(text) > 2}
    return found - {"Highstreet", "English"}
