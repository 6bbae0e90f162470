"""The shopper's own page, the language, and where a sign-in leads."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse

from highstreet.kernel import ledger
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.policy import PUBLIC, Actor, route
from highstreet.people.customers import reads as customers

from .visit import YEAR, Visit, shop_page

LANGUAGE_COOKIE = "lang"


@route(PUBLIC)
@shop_page
def me(visit: Visit) -> HttpResponse:
    """Sign in or out, addresses, language, points; the work places of those who work here."""
    actor = visit.actor
    points = -ledger.balance(AccountRef(actor.customer_id, "points", "PTS")) if actor.customer_id else 0
    context = {
        "me": customers.me(actor),
        "addresses": customers.addresses(actor),
        "points": points,
        "face": face_of(actor),
        "next": visit.request.path,
    }
    return visit.show("shop/me.html", context, nav="me")


@route(PUBLIC)
@shop_page
def lang(visit: Visit) -> HttpResponse:
    """POST language (zh-hans, en) and next."""
    answer = visit.go(visit.back("/"))
    chosen = visit.request.POST.get("language", "")
    if visit.request.method == "POST" and chosen in dict(settings.LANGUAGES):
        answer.set_cookie(LANGUAGE_COOKIE, chosen, max_age=YEAR, samesite="Lax", secure=settings.HTTPS)
    return answer


@route(PUBLIC)
@shop_page
def after_sign_in(visit: Visit) -> HttpResponse:
    """To the face that the actor works with."""
    return visit.go(face_of(visit.actor) or "/")


def face_of(actor: Actor) -> str:
    """The work place of who is signed in; "" for shoppers."""
    if actor.courier_id is not None:
        return "/courier/"
    if actor.may("console.read"):
        return "/console/"
    return "/store/" if actor.may("fulfilment.read") else ""
