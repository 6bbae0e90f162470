"""Pay: a QR code beside a computer, the wallet's link on the phone; and the list of orders."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse

from highstreet.kernel import ids
from highstreet.kernel.policy import PUBLIC, route
from highstreet.kernel.refusal import Refused
from highstreet.trade.orders import actions as orders
from highstreet.trade.orders import reads as order_reads
from highstreet.trade.payments.reads import IntentView

from .last import find, holder
from .track import qr
from .visit import Visit, shop_page


@route(PUBLIC)
@shop_page
def pay(visit: Visit, ref: str) -> HttpResponse:
    """How to pay, and whether it has been; asked again every 5 s while nobody knows."""
    actor, found = find(visit, ref)
    if found.status not in ("pending", "expired"):
        return _paid(visit, ref)
    part = visit.htmx and visit.request.GET.get("part") == "state"
    intent, refusal = None, None
    if found.waits_for_payment:
        try:
            intent = orders.pay(actor=actor, order_id=found.id)
        except Refused as refused:
            refusal = refused
        if intent is not None and intent.status == "captured":
            return _paid(visit, ref)
    code_url = intent.code_url if intent else ""
    context = {
        "order": found,
        "ref": ref,
        "refusal": refusal,
        "expired": not found.waits_for_payment,
        "qr": qr(code_url) if code_url and not part else "",
        "wallet": wallet(visit, ref, intent),
        "state_url": f"{reverse('shop:pay', args=[ref])}?part=state",
        "topic": f"order:{found.id}",
    }
    template = "shop/parts/paying.html" if part else "shop/pay.html"
    return visit.show(template, context, nav="orders", topics=[f"order:{found.id}"])


@route(PUBLIC)
@shop_page
def listing(visit: Visit) -> HttpResponse:
    """The orders of who is signed in, and those this browser placed as a guest."""
    found = order_reads.orders_of(holder(visit))
    cards = [(ids.public("ord", card.id), card) for card in found]
    return visit.show("shop/orders.html", {"cards": cards}, nav="orders")


def wallet(visit: Visit, ref: str, intent: IntentView | None) -> str:
    """Where the phone pays: the wallet's page for the native code, which comes back here."""
    if intent is None or not intent.code_url or not settings.WALLET_URL:
        return ""
    code = parse_qs(urlsplit(intent.code_url).query).get("pr", [""])[0]
    back = visit.request.build_absolute_uri(reverse("shop:order", args=[ref]))
    return f"{settings.WALLET_URL}/wallet/native?{urlencode({'pr': code, 'return_url': back})}" if code else ""


def _paid(visit: Visit, ref: str) -> HttpResponse:
    if not visit.htmx:
        return visit.go("shop:order", ref)
    answer = HttpResponse(status=200)
    answer["HX-Redirect"] = reverse("shop:order", args=[ref])
    return answer
