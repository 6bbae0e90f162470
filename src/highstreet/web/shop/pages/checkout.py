"""Checkout on one page. A typed address or another time is quoted anew; who would pay more, wait longer or has not
seen the chosen time's offer is asked again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from highstreet.kernel import ids
from highstreet.kernel.policy import PUBLIC, route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.people.customers import reads as customers
from highstreet.supply.inventory.refusals import SOLD_OUT
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.cart.refusals import EMPTY_CART
from highstreet.trade.orders import actions as orders
from highstreet.trade.orders import reads as order_reads
from highstreet.trade.orders.ports import geo
from highstreet.trade.orders.reads import QuoteView
from highstreet.trade.orders.refusals import ADDRESS_UNKNOWN, BAD_PHONE, SLOT_GONE

from ..rules import got_worse, moment
from ..templatetags.shop import yuan
from . import times
from .front import front_store
from .visit import Here, Visit, shop_page

MOST = {"address": 160, "unit": 60, "phone": 40, "note": 200}
ON_HANDOVER = ("at_pickup", "at_door")
SUBSTITUTIONS = ("best", "ask", "refund")


@dataclass
class Form:
    """What was typed or remembered, and what is wrong with it by field. `slot`: the time chosen, None for soon."""

    address: str = ""
    unit: str = ""
    phone: str = ""
    note: str = ""
    substitution: str = "best"
    payment: str = "wechat"
    slot: datetime | None = None
    errors: dict[str, str] = field(default_factory=dict)


@dataclass
class Try:
    """A quote, or why there is none: asked for `here`, where `store` is in front."""

    quote: QuoteView | None = None
    refusal: Refused | None = None
    here: Here | None = None
    store: StoreView | None = None

    def times(self, visit: Visit, slot: datetime | None) -> times.Times | None:
        """What may be chosen instead of, or beside, what was asked for."""
        if self.quote is not None:
            return times.of_quote(self.quote, slot)
        if self.refusal is None or self.here is None:
            return None
        return times.instead(visit, self.here, self.store, self.refusal, slot)


@route(PUBLIC)
@shop_page
def checkout(visit: Visit) -> HttpResponse:
    """GET: the page with a quote for where the shopper is. POST: order."""
    if visit.request.method == "POST":
        return _order(visit)
    form = _remembered(visit)
    return _page(visit, form, _quote(visit, visit.here, form))


@route(PUBLIC)
@shop_page
def requote(visit: Visit) -> HttpResponse:
    """POST the form: what a typed address or a chosen time would cost and when, for htmx."""
    if visit.request.method != "POST":
        return visit.go("shop:checkout")
    form = _typed(visit.request.POST)
    # Who has not said where they are may look at times first, as they look at the page's own quote.
    here = _spot(visit, form) if form.address or visit.here.chosen else visit.here
    tried = _quote(visit, here, form) if here else Try()
    return _page(visit, form, tried, template="shop/parts/quoted.html", status=422 if form.errors else 200)


def _order(visit: Visit) -> HttpResponse:
    posted = visit.request.POST
    form = _typed(posted)
    seen = _seen(visit, posted)
    pickup = visit.here.mode == "pickup"
    there = seen is not None and seen.mode == visit.here.mode and (pickup or seen.address == form.address != "")
    here = visit.here if there or pickup else _spot(visit, form)
    if not form.phone:
        form.errors["phone"] = _("Give a phone number, so that the courier can reach you.")
    if there and seen and not pickup:
        here = replace(visit.here, lat=seen.lat, lon=seen.lon, label=seen.address or visit.here.label)
        here = replace(here, chosen=bool(seen.address))
    same = there and seen is not None and seen.slot == form.slot
    if form.errors or here is None:
        return _page(visit, form, Try(seen) if same or here is None else _quote(visit, here, form), status=422)
    visit.be_at(here)
    tried = Try(seen) if same and seen and not seen.expired and not seen.used else _quote(visit, here, form)
    if tried.quote is None:
        return _page(visit, form, tried, status=409)
    total, to, slot = (seen.total, seen.promised_to, seen.slot) if seen else (0, None, None)
    if not slot == form.slot == tried.quote.slot:
        return _page(visit, form, tried, worse="time", status=409)
    if got_worse(total, to, tried.quote.total, tried.quote.promised_to):
        return _page(visit, form, tried, worse="place", status=409)
    try:
        return _place(visit, form, tried.quote)
    except Refused as refused:
        if refused.reason is BAD_PHONE:
            form.errors["phone"] = refused.words
            return _page(visit, form, tried, status=422)
        again = _quote(visit, here, form)
        return _page(visit, form, again, said=refused if again.quote else None, status=refused.reason.status)


def _place(visit: Visit, form: Form, quote: QuoteView) -> HttpResponse:
    placed = orders.checkout(
        actor=visit.actor,
        quote_id=quote.id,
        cart_key=visit.cart_key,
        phone=form.phone,
        payment_method=form.payment,
        substitution=form.substitution,
        note=form.note,
        unit=form.unit,
    )
    visit.keep_order(placed.key)
    visit.keep_contact({"phone": form.phone, "unit": form.unit, "substitution": form.substitution})
    if form.payment in ON_HANDOVER:
        return visit.go("shop:order", placed.key)
    return visit.go("shop:pay", placed.key)


def _quote(visit: Visit, here: Here, form: Form) -> Try:
    """A quote for the cart at a place: from the store in front, else from whichever can.

    To pick up, a store that was chosen is the only one; otherwise the nearest is tried first.
    """
    shown = front_store(visit, here)
    chosen = here.mode == "pickup" and shown is not None and shown.code == here.store
    tried = _quote_from(visit, here, form, shown.id if shown else None)
    if tried.quote is None and here.mode == "pickup" and not chosen:
        tried = _quote_from(visit, here, form, None)
    return replace(tried, here=here, store=shown)


def _quote_from(visit: Visit, here: Here, form: Form, store_id: UUID | None) -> Try:
    try:
        quote = orders.quote(
            actor=visit.actor,
            cart_key=visit.cart_key,
            mode=here.mode,
            lat=here.lat,
            lon=here.lon,
            address=form.address if here.mode == "delivery" else "",
            unit=form.unit,
            store_id=store_id,
            slot=form.slot,
        )
    except Refused as refused:
        return Try(refusal=refused)
    return Try(quote)


def _spot(visit: Visit, form: Form) -> Here | None:
    """Where the typed address is; None with the field's error when nobody knows."""
    here = visit.here
    if here.mode == "pickup" or (here.chosen and form.address == here.label):
        return here
    if len(form.address) < 2:
        form.errors["address"] = _("Type the street and number we shall come to.")
        return None
    found = geo().geocode(visit.city.id, form.address, here.lat, here.lon)
    if found is None:
        form.errors["address"] = ADDRESS_UNKNOWN.words({})
        return None
    return replace(here, lat=round(found.lat, 6), lon=round(found.lon, 6), label=form.address, chosen=True)


def _seen(visit: Visit, posted: QueryDict) -> QuoteView | None:
    """The quote that the page showed."""
    quote_id = ids.private("quo", posted.get("quote", ""))
    if quote_id is None:
        return None
    try:
        return order_reads.quote(quote_id, visit.cart_key)
    except Refused:
        return None


def _remembered(visit: Visit) -> Form:
    contact, me = visit.contact, customers.me(visit.actor) if visit.remembers else None
    substitution = contact.get("substitution", "best")
    return Form(
        address=visit.here.label if visit.here.chosen else "",
        unit=contact.get("unit", ""),
        phone=contact.get("phone", "") or (me.phone if me else ""),
        substitution=substitution if substitution in SUBSTITUTIONS else "best",
    )


def _typed(posted: QueryDict) -> Form:
    def words(name: str) -> str:
        text = " ".join(posted.get(name, "").split())
        return "".join(char for char in text if char.isprintable())[: MOST[name]]

    substitution, payment = posted.get("substitution", "best"), posted.get("payment", "wechat")
    return Form(
        words("address"),
        words("unit"),
        words("phone"),
        words("note"),
        substitution if substitution in SUBSTITUTIONS else "best",
        payment if payment in ON_HANDOVER else "wechat",
        moment(posted.get("slot", "")),
    )


def _payments(visit: Visit, form: Form, tried: Try) -> list[tuple[str, str, str, str, bool]]:
    """The ways to pay: value, label, hint, icon, and whether it is the chosen one. What was chosen stays so while
    something else stands in the way."""
    found = [("wechat", _("WeChat Pay"), "", "wallet")]
    if visit.here.mode == "pickup":
        found.append(("at_pickup", _("Pay at pickup"), "", "store"))
    elif store := tried.quote.store if tried.quote else tried.store or front_store(visit, visit.here):
        most = order_reads.cash_at_door(visit.city.id, store.id)
        if most and (tried.quote is None or tried.quote.total <= most):
            found.append(("at_door", _("Cash to the courier"), _("up to {most}").format(most=yuan(most)), "bike"))
    chosen = form.payment if form.payment in [value for value, *_rest in found] else "wechat"
    return [(value, label, hint, icon, value == chosen) for value, label, hint, icon in found]


def _page(
    visit: Visit,
    form: Form,
    tried: Try,
    *,
    template: str = "shop/checkout.html",
    worse: str = "",
    said: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page again, with what stands in the way and what to do about it. `worse`: "time" or "place" made it so."""
    refusal = tried.refusal
    if refusal is not None and refusal.reason in (EMPTY_CART, NOT_FOUND):
        return visit.go(reverse("shop:cart"))
    quote = tried.quote
    gone = refusal is not None and refusal.reason is SLOT_GONE
    hours = tried.times(visit, form.slot)
    known = bool(form.phone and (form.address or visit.here.mode == "pickup"))
    context: dict[str, Any] = {
        "form": form,
        "quote": quote,
        "refusal": refusal,
        "said": said,
        "worse": worse,
        "quote_ref": ids.public("quo", quote.id) if quote else "",
        "folded": known and not form.errors,
        "times": hours,
        "times_alone": gone and hours is not None,
        "kept_slot": form.slot.isoformat() if form.slot and not hours and not gone else "",
        "sold_out": refusal is not None and refusal.reason is SOLD_OUT,
        "payments": _payments(visit, form, tried),
        "substitutions": [
            ("best", _("Best match"), _("same or lower price")),
            ("ask", _("Ask me"), _("no reply in 2 min = refund")),
            ("refund", _("Refund"), _("only what was there")),
        ],
    }
    return visit.show(template, context, nav="home", status=status)
