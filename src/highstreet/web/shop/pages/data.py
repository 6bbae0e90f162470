"""Your data: what you agree to, a copy of everything, and being forgotten. Guests too, by what this browser holds."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth import logout
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from highstreet.kernel.policy import PUBLIC, route
from highstreet.kernel.refusal import Refused
from highstreet.people.customers import actions as customers
from highstreet.people.customers import reads
from highstreet.people.customers import rules as consents
from highstreet.people.customers.api import as_zip

from .visit import OWN_COOKIES, Visit, shop_page


@route(PUBLIC)
@shop_page
def data(visit: Visit) -> HttpResponse:
    """One switch a purpose, a copy, and the end."""
    return _page(visit)


@route(PUBLIC)
@shop_page
def consent(visit: Visit) -> HttpResponse:
    """POST purpose and given (1 or 0)."""
    posted = visit.request.POST
    if visit.request.method == "POST":
        purpose, given = posted.get("purpose", ""), posted.get("given") == "1"
        visitor = None if visit.actor.user_id else visit.visitor()
        customers.consent(actor=visit.actor, purpose=purpose, given=given, channel="page", visitor=visitor)
        if visitor is not None:
            visit.keep_choice(visitor, purpose, given)
        if purpose == consents.PERSONALISATION and not given:
            visit.forget_contact()
    return visit.go("shop:data")


@route(PUBLIC)
@shop_page
def export(visit: Visit) -> HttpResponse:
    """A zip of everything that is known of who is signed in, or of the guest whose orders this browser placed."""
    copy: Any = as_zip(reads.person_of(visit.actor, visit.order_keys, visit.known_visitor))
    return cast(HttpResponse, copy)


@route(PUBLIC)
@shop_page
def erase(visit: Visit) -> HttpResponse:
    """POST confirm: the word that the page asks for, typed."""
    if visit.request.method != "POST":
        return visit.go("shop:data")
    typed = visit.request.POST.get("confirm", "").strip()
    confirm = customers.WORD if typed.casefold() == word().casefold() else ""
    try:
        if not confirm:
            raise Refused(customers.NOT_CONFIRMED, word=word())
        if visit.actor.user_id is not None:
            customers.erase_me(actor=visit.actor, confirm=confirm)
        elif visit.order_keys or visit.known_visitor:
            keys, visitor = visit.order_keys, visit.known_visitor
            customers.erase_held(actor=visit.actor, keys=keys, confirm=confirm, visitor=visitor)
    except Refused as refused:
        return _page(visit, refused, status=refused.reason.status)
    logout(visit.request)
    answer = visit.go("shop:erased")
    for name in OWN_COOKIES:
        answer.delete_cookie(name)
    return answer


@route(PUBLIC)
@shop_page
def erased(visit: Visit) -> HttpResponse:
    return visit.show("shop/erased.html", {}, nav="me")


def word() -> str:
    """What has to be typed."""
    return pgettext("typed to confirm", "ERASE")


def _page(visit: Visit, refusal: Refused | None = None, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {"purposes": _purposes(visit), "word": word(), "refusal": refusal}
    return visit.show("shop/data.html", context, nav="me", status=status)


def _purposes(visit: Visit) -> list[dict[str, Any]]:
    """A change of these words' meaning needs a new `wording` in people.customers.rules."""
    says = {
        consents.PERSONALISATION: (
            _("Remember for me"),
            _("Your last order stands on the first page; your address and phone are filled in."),
        ),
        consents.MARKETING: (
            _("Tell me about offers"),
            _("Messages about offers of stores near you. Never to others."),
        ),
        consents.ANALYTICS: (
            _("Help make it better"),
            _("Which pages you use and roughly where, to see what works. Without your name."),
        ),
    }
    return [
        {"code": code, "title": title, "says": text, "given": reads.consented(visit.actor, code)}
        for code, (title, text) in says.items()
    ]
