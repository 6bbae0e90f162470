"""One's own page, where one is signed in, the language, and where a sign-in leads."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from highstreet.kernel import ledger
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.policy import PUBLIC, Actor, route
from highstreet.people.accounts import actions as accounts
from highstreet.people.accounts import reads as sign_ins
from highstreet.people.customers import reads as customers

from ..rules import device
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


@route("shop.own")
@shop_page
def devices(visit: Visit) -> HttpResponse:
    """Where one is signed in. POST end=<id> signs that one out, end=all every one."""
    request = visit.request
    if request.method != "POST":
        return visit.show("shop/devices.html", _devices(visit.actor), nav="me")
    ended = request.POST.get("end", "")
    if ended == "all":
        accounts.sign_out_everywhere(actor=visit.actor)
        request.session.flush()
        return redirect("account_login")
    accounts.end_sign_in(actor=visit.actor, sign_in=ended)
    messages.success(request, _("Signed out there"))
    return visit.go("shop:devices")


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


def _devices(actor: Actor) -> dict[str, Any]:
    rows = sign_ins.sign_ins(actor)
    return {
        "rows": [(row, device(row.agent) or (_("An app") if row.app else _("A browser"))) for row in rows],
        "second_factor": actor.user_id is not None and sign_ins.has_second_factor(actor.user_id),
    }


def face_of(actor: Actor) -> str:
    """The work place of who is signed in; "" for shoppers."""
    if actor.courier_id is not None:
        return "/courier/"
    if actor.may("console.read"):
        return "/console/"
    return "/store/" if actor.may("fulfilment.read") else ""
