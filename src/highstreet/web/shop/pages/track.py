"""One order: the promise against now, the way of it, the map, codes, questions; and what may be done with it."""

from __future__ import annotations

from typing import Any

import segno
from django.http import HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from highstreet.delivery.dispatch.reads import tracking
from highstreet.delivery.dispatch.reads.tracking import TrackView
from highstreet.delivery.promise import reads as promises
from highstreet.kernel import ids
from highstreet.kernel.policy import PUBLIC, route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores.rules import metres
from highstreet.trade.cart import actions as carts
from highstreet.trade.orders import actions as orders
from highstreet.trade.orders.reads import OrderView
from highstreet.trade.reviews import actions as reviews
from highstreet.trade.reviews import reads as review_reads
from highstreet.web.ui.rules import distance

from ..drawing import layers
from ..rules import View, line, over, whole_number
from . import words
from .last import find
from .visit import Visit, shop_page

WIDTH, HEIGHT = 480, 300


@route(PUBLIC)
@shop_page
def order(visit: Visit, ref: str) -> HttpResponse:
    """The order's page; with htmx only its live part."""
    _actor, found = find(visit, ref)
    track = tracking.track(found.id) if found.mode == "delivery" and found.status != "pending" else None
    promise = promises.promise(found.id)
    brought = found.live and not (track is not None and track.undelivered)
    part = visit.htmx and visit.request.GET.get("part") == "live"
    view = over(_ends(found), WIDTH, HEIGHT)
    context: dict[str, Any] = {
        "order": found,
        "ref": ref,
        "track": track,
        "say": words.say(found, track, promise, tracking.delay(found, track)),
        "window": words.chosen(found),
        "steps": words.steps(found),
        "asked": _asked(found),
        "live_url": f"{reverse('shop:order', args=[ref])}?part=live",
        "live": found.live,
        "topic": f"order:{found.id}",
        "view": view,
        "overlay": _overlay(view, found, track),
        "map_text": _map_text(found, track),
        "shows_map": found.status in ("pending", "confirmed"),
        "qr": qr(found.pickup_code) if found.pickup_code else "",
        "came": _came(found),
        "credit": organisations.terms(visit.city.retailer_id).late_credit if brought else 0,
        "hands_over": found.mode == "delivery" and brought and found.fulfilment is not None,
    }
    if not part:
        context["layers"] = layers(found.city_id, view) if context["shows_map"] else []
        context["review"] = review_reads.of_order(found.id) if found.status == "completed" else None
    template = "shop/parts/live.html" if part else "shop/order.html"
    return visit.show(template, context, nav="orders", topics=[f"order:{found.id}"])


@route(PUBLIC)
@shop_page
def cancel(visit: Visit, ref: str) -> HttpResponse:
    if visit.request.method == "POST":
        actor, found = find(visit, ref)
        orders.cancel(actor=actor, order_id=found.id, reason="customer")
    return visit.go("shop:order", ref)


@route(PUBLIC)
@shop_page
def answer(visit: Visit, ref: str) -> HttpResponse:
    """POST line and agreed (1 or 0): yes or no to another item."""
    if visit.request.method == "POST":
        actor, found = find(visit, ref)
        line_id = ids.private("lin", visit.request.POST.get("line", ""))
        if line_id is None:
            raise Refused(NOT_FOUND)
        agreed = visit.request.POST.get("agreed") == "1"
        orders.answer_substitute(actor=actor, order_id=found.id, line_id=line_id, agreed=agreed)
    return visit.go("shop:order", ref)


@route(PUBLIC)
@shop_page
def rate(visit: Visit, ref: str) -> HttpResponse:
    """POST stars (1 to 5) and text."""
    if visit.request.method == "POST":
        actor, found = find(visit, ref)
        stars = whole_number(visit.request.POST.get("stars", ""), 5) or 0
        reviews.rate(actor=actor, order_id=found.id, stars=stars, text=visit.request.POST.get("text", ""))
    return visit.go("shop:order", ref)


@route(PUBLIC)
@shop_page
def reorder(visit: Visit, ref: str) -> HttpResponse:
    """POST: the same again, straight to checkout."""
    if visit.request.method != "POST":
        return visit.go("shop:order", ref)
    actor, found = find(visit, ref)
    key = visit.cart_key
    try:
        orders.reorder(actor=actor, cart_key=key, order_id=found.id)
    except Refused as refused:
        if refused.reason is not NOT_FOUND:
            raise
        key = carts.open(actor=visit.actor, city_id=visit.city.id).key
        orders.reorder(actor=actor, cart_key=key, order_id=found.id)
    visit.keep_cart(key)
    return visit.go("shop:checkout")


def qr(text: str) -> SafeString:
    """A QR code as inline SVG, dark on light in both themes."""
    drawn = segno.make(text, error="m").svg_inline(scale=4, border=2, dark="#000", light="#fff", omitsize=True)
    return mark_safe(drawn)


def _ends(found: OrderView) -> list[tuple[float, float]]:
    shop = (found.store.lat, found.store.lon)
    return [shop, (found.lat, found.lon)] if found.mode == "delivery" else [shop]


def _overlay(view: View, found: OrderView, track: TrackView | None) -> dict[str, Any]:
    """What moves on the map: the way, the courier; and the two ends, which stay."""
    shop = view.at((found.store.lat, found.store.lon))
    overlay: dict[str, Any] = {"shop": shop, "home": None, "rider": None, "way": ""}
    overlay["shop_tag"] = _tag(shop, found.store.name)
    if found.mode == "delivery":
        overlay["home"] = view.at((found.lat, found.lon))
        overlay["home_tag"] = _tag(overlay["home"], _("You"))
    if track is not None:
        overlay["way"] = line(view, track.path)
        if track.lat is not None and track.lon is not None:
            overlay["rider"] = view.kept((track.lat, track.lon))
    return overlay


def _tag(pin: tuple[int, int], text: str) -> dict[str, Any]:
    """Where a pin's name stands: beside it, on the side with room."""
    x, y = pin
    left = x < WIDTH / 2
    return {"x": x + (20 if left else -20), "y": y + 5, "anchor": "start" if left else "end", "text": text}


def _map_text(found: OrderView, track: TrackView | None) -> str:
    if found.mode == "pickup":
        return _("Map: {store}, {address}").format(store=found.store.name, address=found.store.address)
    if track is None or track.lat is None or track.lon is None:
        return _("Map: from {store} to you").format(store=found.store.name)
    away = distance(metres(track.lat, track.lon, found.lat, found.lon), get_language())
    return _("Map: {courier} is {away} from you").format(courier=track.courier_name, away=away)


def _asked(found: OrderView) -> list[dict[str, Any]]:
    """Lines that wait for the shopper's yes or no."""
    going = found.fulfilment
    if going is None or not found.live:
        return []
    return [
        {"line": ids.public("lin", item.id), "item": item, "until": words.at(item.answer_by) if item.answer_by else ""}
        for item in going.lines
        if item.substitute_state == "asked"
    ]


def _came(found: OrderView) -> list[dict[str, Any]]:
    """Each line with what became of it: refunded units, and what came instead."""
    going = found.fulfilment
    instead = {}
    if going is not None:
        instead = {item.order_line_id: item for item in going.lines if item.substitute_state == "agreed"}
    return [{"line": item, "instead": instead.get(item.id)} for item in found.lines]
