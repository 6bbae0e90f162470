"""The cart page and every change of a line."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse

from highstreet.kernel import ids
from highstreet.kernel.policy import PUBLIC, route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.catalog import reads as catalog
from highstreet.trade.cart import actions as carts
from highstreet.trade.cart import reads as cart_reads
from highstreet.trade.cart.refusals import BAD_QUANTITY

from ..rules import whole_number
from .front import basket, front, in_cart, tile, tiles
from .visit import Visit, shop_page

MOST = 99


@route(PUBLIC)
@shop_page
def cart(visit: Visit) -> HttpResponse:
    """What is in the cart, what is short and what to do about it."""
    shown = front(visit)
    found = basket(visit, shown.store)
    instead = []
    if found and found.short and shown.store is not None:
        similar = catalog.similar(shown.store.id, found.short[0].variant_id)
        instead = tiles(similar, in_cart(found), visit.actor.language)
    removed, was = visit.request.GET.get("removed", ""), whole_number(visit.request.GET.get("was", ""), MOST)
    context = {
        "front": shown,
        "basket": found,
        "instead": instead,
        "next": reverse("shop:cart"),
        "removed": removed if was and ids.private("var", removed) else "",
        "was": was,
        "short_ids": {line.variant_id for line in found.short} if found else set(),
    }
    return visit.show("shop/cart.html", context, nav="home")


@route(PUBLIC)
@shop_page
def lines(visit: Visit) -> HttpResponse:
    """POST variant with qty (0 to 99: exactly so many) or add (so many more)."""
    if visit.request.method != "POST":
        return visit.go("shop:cart")
    posted = visit.request.POST
    variant_id = ids.private("var", posted.get("variant", ""))
    if variant_id is None:
        raise Refused(NOT_FOUND)
    before = cart_reads.quantities(visit.cart_key).get(variant_id, 0)
    quantity = whole_number(posted.get("qty", posted.get("add", "")), MOST)
    if quantity is None:
        raise Refused(BAD_QUANTITY, most=MOST)
    wanted = quantity if "qty" in posted else min(MOST, before + quantity)
    _set(visit, variant_id, wanted)
    if visit.htmx and "whole" not in posted:
        return _changed(visit, variant_id)
    back = visit.back(reverse("shop:cart"))
    if wanted == 0 and before and back.partition("?")[0] == reverse("shop:cart"):
        words = urlencode({"removed": posted.get("variant", ""), "was": before})
        return visit.go(f"{reverse('shop:cart')}?{words}")
    return visit.go(back)


def _set(visit: Visit, variant_id: UUID, quantity: int) -> None:
    """Change the cart; a browser without one (or with a lost one) gets a new one."""
    if visit.cart_key:
        try:
            carts.set_quantity(actor=visit.actor, cart_key=visit.cart_key, variant_id=variant_id, quantity=quantity)
            return
        except Refused as refused:
            if refused.reason is not NOT_FOUND:
                raise
    opened = carts.open(actor=visit.actor, city_id=visit.city.id)
    carts.set_quantity(actor=visit.actor, cart_key=opened.key, variant_id=variant_id, quantity=quantity)
    visit.keep_cart(opened.key)


def _changed(visit: Visit, variant_id: UUID) -> HttpResponse:
    """Only what changed, for htmx: the card, the dock, the side cart."""
    shown = front(visit)
    found = basket(visit, shown.store)
    cards = catalog.cards(shown.store.id, [variant_id]) if shown.store else {}
    card = cards.get(variant_id)
    context = {
        "front": shown,
        "basket": found,
        "next": visit.back(),
        "tile": tile(card, in_cart(found).get(variant_id, 0), visit.actor.language) if card else None,
    }
    return visit.show("shop/parts/changed.html", context)
