"""Catalogue and stock: what each store asks and has, and why a level is what it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from highstreet.kernel import ids
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.catalog import actions
from highstreet.supply.catalog import reads as catalog
from highstreet.supply.catalog.reads import ListedView, ListingView
from highstreet.supply.inventory import actions as stocking
from highstreet.supply.inventory import reads as inventory
from highstreet.supply.inventory.reads import MoveView
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.orders.reads import console as orders
from highstreet.web.ui.rules import fen, yuan

from .. import words
from .frame import Scope, StaffRequest, beyond, further, go, known, page, scope_of, store_for, text_of, tried

SCARCE = 3
MINUS = "\u2212"


@dataclass(frozen=True)
class Cell:
    """A variant at one store; `view` None: the store does not list it."""

    store: StoreView
    code: str
    view: ListingView | None

    @property
    def tone(self) -> str:
        if self.view is None or not self.view.visible:
            return ""
        return "bad" if self.view.free <= 0 else "warn" if self.view.free <= SCARCE else "ok"


@dataclass(frozen=True)
class Goods:
    """A variant with one cell a store."""

    listed: ListedView
    code: str
    cells: list[Cell]

    @staticmethod
    def of(listed: ListedView, shops: list[StoreView]) -> Goods:
        cells = [Cell(shop, ids.public("str", shop.id), listed.listings.get(shop.id)) for shop in shops]
        return Goods(listed, ids.public("var", listed.variant.id), cells)


@dataclass(frozen=True)
class Move:
    """A stock move in words; `order` and `number` where an order caused it."""

    move: MoveView
    kind: str
    reason: str
    by: str
    order: str
    number: str
    delta: str


@route("console.read")
def catalogue(request: StaffRequest) -> HttpResponse:
    """The products of a category, or those that fit the words, with price and stock at every store."""
    scope = scope_of(request)
    categories = catalog.categories()
    query, chosen = text_of(request, "q", 40), text_of(request, "category", 40)
    if not query and categories and chosen not in {one.code for one in categories}:
        chosen = categories[0].code
    rows, more = catalog.listed(
        scope.store_ids, category="" if query else chosen, query=query, after=beyond(request, "var")
    )
    kept = {"q": query} if query else {"category": chosen}
    groups: dict[str, list[Any]] = {}
    for one in categories:
        groups.setdefault(one.group, []).append(one)
    context = {
        "rows": [Goods.of(row, scope.stores) for row in rows],
        "shops": scope.stores,
        "groups": groups,
        "chosen": "" if query else chosen,
        "query": query,
        "heading": next((one.name for one in categories if one.code == chosen), ""),
        "next": further("catalogue", kept, "var", more),
    }
    return page(request, "catalogue", context, tab="catalogue")


@route("console.read")
def product(request: StaffRequest, variant: str) -> HttpResponse:
    """One variant at every store: price, visibility, stock."""
    scope = scope_of(request)
    goods = _goods(scope, variant)
    return page(
        request,
        "product",
        {
            "goods": goods,
            "variant": goods.listed.variant,
            "code": variant,
            "may_change": request.actor.may("catalog.manage"),
        },
        tab="catalogue",
    )


@route("catalog.manage")
def listing(request: StaffRequest, variant: str, store: str) -> HttpResponse:
    """Set price and visibility at one store. Orders and quotes keep the price they froze."""
    scope = scope_of(request)
    shop, goods = store_for(scope, store), _goods(scope, variant)
    now = next((cell.view for cell in goods.cells if cell.store.id == shop.id), None)
    if now is None:
        raise Refused(NOT_FOUND)
    context: dict[str, Any] = {
        "goods": goods,
        "variant": goods.listed.variant,
        "code": variant,
        "shop": shop,
        "now_at": now,
        "problems": {},
        "form": request.POST
        if request.method == "POST"
        else {"price": yuan(now.price), "was": yuan(now.was) if now.was else "", "visible": now.visible},
    }
    if request.method != "POST":
        return page(request, "listing", context, tab="catalogue")
    price, was = fen(text_of(request, "price", 12)), fen(text_of(request, "was", 12))
    problems = {}
    if price is None:
        problems["price"] = _("Type an amount such as 12.90")
    if was is None and text_of(request, "was", 12):
        problems["was"] = _("Type an amount such as 12.90, or leave it empty")
    elif was is not None and price is not None and was <= price:
        problems["was"] = _("The price before must be higher than the price now")
    if problems or price is None:
        return page(request, "listing", {**context, "problems": problems}, tab="catalogue", status=422)
    done = tried(
        lambda: actions.set_listing(
            actor=request.actor,
            store_id=shop.id,
            variant_id=goods.listed.variant.id,
            price=price,
            was=was,
            visible=bool(request.POST.get("visible")),
        )
    )
    if done.refused:
        return page(request, "listing", context, tab="catalogue", refused=done.refused)
    say = _("{name} at {store} is changed").format(name=goods.listed.variant.name, store=shop.name)
    return go(request, "product", variant, say=say)


@route("console.read")
def stock(request: StaffRequest) -> HttpResponse:
    """The levels of one store: what is there, what is free, the scarce ones marked."""
    scope = scope_of(request)
    if not scope.stores:
        raise Refused(NOT_FOUND)
    code = text_of(request, "store", 40)
    shop = store_for(scope, code) if code else scope.stores[0]
    query, chosen = text_of(request, "q", 40), text_of(request, "category", 40)
    rows, more = catalog.listed([shop.id], category=chosen, query=query, after=beyond(request, "var"))
    levels = inventory.levels(shop.id, [row.variant.id for row in rows])
    kept = {
        name: value
        for name, value in (("store", ids.public("str", shop.id)), ("q", query), ("category", chosen))
        if value
    }
    context = {
        "rows": [(row.variant, ids.public("var", row.variant.id), levels.get(row.variant.id)) for row in rows],
        "shop": shop,
        "code": ids.public("str", shop.id),
        "query": query,
        "chosen": chosen,
        "scarce": SCARCE,
        "shops": [(one.name, ids.public("str", one.id)) for one in scope.stores],
        "categories": catalog.categories(),
        "next": further("stock", kept, "var", more),
    }
    return page(request, "stock", context, tab="stock")


@route("console.read")
def level(request: StaffRequest, store: str, variant: str) -> HttpResponse:
    """Why is this 47? The level, and every move that led to it, linked to the orders that caused them.

    POST flash (1 or 0): whether it is sold as a flash sale, of who may put stock right.
    """
    scope = scope_of(request)
    shop, variant_id = store_for(scope, store), known("var", variant)
    refused = None
    if request.method == "POST" and request.POST.get("flash") in ("0", "1"):
        on = request.POST["flash"] == "1"
        done = tried(lambda: stocking.set_flash(actor=request.actor, store_id=shop.id, variant_id=variant_id, flash=on))
        if not done.refused:
            said = _("Sold as a flash sale from now on") if on else _("The flash sale has ended")
            return go(request, "level", store, variant, say=said)
        refused = done.refused
    view = catalog.variants([variant_id]).get(variant_id)
    if view is None:
        raise Refused(NOT_FOUND)
    moves = inventory.moves(actor=request.actor, store_id=shop.id, variant_id=variant_id, limit=100)
    caused = orders.by_ids(actor=request.actor, order_ids={move.cause for move in moves if move.cause})
    told = []
    for move in moves:
        row = caused.get(move.cause) if move.cause else None
        told.append(
            Move(
                move,
                words.of(words.MOVES, move.kind),
                _reason(move.reason),
                words.actor(move.actor),
                ids.public("ord", row.id) if row else "",
                row.number if row else "",
                f"{move.delta:+d}".replace("-", MINUS),
            )
        )
    context = {
        "variant": view,
        "code": variant,
        "shop": shop,
        "store_code": store,
        "moves": told,
        "level": inventory.levels(shop.id, [variant_id]).get(variant_id),
        "may_flash": request.actor.may("stock.adjust"),
    }
    return page(request, "level", context, tab="stock", refused=refused)


def _goods(scope: Scope, code: str) -> Goods:
    rows, _more = catalog.listed(scope.store_ids, variant_ids=[known("var", code)])
    if not rows:
        raise Refused(NOT_FOUND)
    return Goods.of(rows[0], scope.stores)


def _reason(text: str) -> str:
    """The store app writes "count: words"; the seed writes "demo"."""
    code, colon, more = text.partition(": ")
    said = words.of(words.STOCK_REASONS, code)
    return f"{said}: {more}" if colon else said
