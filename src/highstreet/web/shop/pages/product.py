"""One product: what each store near here asks and has, and when it could be here with this basket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse

from highstreet.delivery.promise import reads as promise_reads
from highstreet.kernel import clock, ids
from highstreet.kernel.api import private
from highstreet.kernel.policy import PUBLIC, route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.catalog import reads as catalog
from highstreet.supply.catalog.reads import StoreOffer

from .front import basket, front, in_cart, per, tiles
from .visit import Visit, shop_page

NEAREST = 5


@dataclass(frozen=True)
class OfferRow:
    """A store's offer in words' reach: `at` is when, None where it cannot; `opens` when it is closed."""

    offer: StoreOffer
    at: datetime | None
    opens: datetime | None
    in_reach: bool
    distance_m: int


@route(PUBLIC)
@shop_page
def product(visit: Visit, public_id: str) -> HttpResponse:
    here = visit.here
    view = catalog.product(private("prd", public_id), here.lat, here.lon)
    offers = [offer for offer in view.offers if offer.store.city_id == visit.city.id]
    if view.offers and not offers:
        # Sold in another city only: this shop has no such product.
        raise Refused(NOT_FOUND)
    shown = front(visit)
    found = basket(visit, shown.store)
    qty = in_cart(found).get(view.variant.id, 0)
    rows = _rows(visit, offers, (found.cart.count if found else 0) + (0 if qty else 1))
    own = next((row for row in rows if shown.store and row.offer.store.id == shown.store.id), None)
    best = own if own and own.offer.free > 0 else next((row for row in rows if row.at and row.offer.free > 0), own)
    sold_out = not any(row.offer.free > 0 for row in rows)
    similar = catalog.similar(shown.store.id, view.variant.id) if shown.store else []
    context = {
        "front": shown,
        "basket": found,
        "view": view,
        "rows": rows,
        "best": best,
        "qty": qty,
        "variant": ids.public("var", view.variant.id),
        "sold_out": sold_out,
        "next": visit.request.get_full_path(),
        "similar": tiles(similar, in_cart(found), visit.actor.language),
        "per": per(best.offer.price, view.variant.measure, visit.actor.language) if best else "",
    }
    return visit.show("shop/product.html", context, nav="browse")


def _rows(visit: Visit, offers: list[StoreOffer], units: int) -> list[OfferRow]:
    here = visit.here
    nearest = sorted(offers, key=lambda offer: (offer.free <= 0, offer.store.distance_m(here.lat, here.lon)))[:NEAREST]
    made = promise_reads.offers_for(
        visit.city.id, [offer.store for offer in nearest], here.lat, here.lon, clock.now(), max(1, units)
    )
    rows = []
    for offer in nearest:
        shop = made[offer.store.id]
        window = shop.delivery if here.mode == "delivery" else shop.pickup
        rows.append(
            OfferRow(offer, window.promised_to if window else None, shop.opens_at, shop.in_reach, shop.distance_m)
        )
    return rows
