"""What every shop page starts from: who, where, how, and which cart; and what it sends back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from highstreet.kernel import ids, streams
from highstreet.kernel.policy import Actor, actor_of
from highstreet.people.customers import reads as customers
from highstreet.people.customers.rules import PERSONALISATION
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.reads import CityView

PLACE_COOKIE = "place"
CART_COOKIE = "cart"
ORDERS_COOKIE = "orders"
CONTACT_COOKIE = "contact"
CHOICES_COOKIE = "choices"
# What a browser holds of its shopper; the language is nobody's.
OWN_COOKIES = (PLACE_COOKIE, CART_COOKIE, ORDERS_COOKIE, CONTACT_COOKIE, CHOICES_COOKIE)
SALT = "highstreet.shop"
YEAR = 365 * 24 * 3600
MODES = ("delivery", "pickup")
MOST_ORDERS = 8

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Here:
    """Where the shopper is. `chosen`: they said so (else the city's centre); `store`: where they pick up."""

    lat: float
    lon: float
    label: str
    chosen: bool = False
    mode: str = "delivery"
    store: str = ""


class Visit:
    """One request to the shop."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self._choices = _choices_of(request)
        self.actor: Actor = _choosing(actor_of(request), self._choices)
        self.city: CityView = organisations.default_city()
        self.here = _here(request, self.actor, self.city)
        self._cookies: dict[str, str] = {}
        wanted = request.GET.get("mode", "")
        if wanted in MODES and wanted != self.here.mode:
            self.be_at(replace(self.here, mode=wanted))

    @property
    def htmx(self) -> bool:
        return self.request.headers.get("HX-Request") == "true"

    @property
    def cart_key(self) -> str:
        return self._cookies.get(CART_COOKIE) or self.actor.cart_key

    @property
    def contact(self) -> dict[str, str]:
        """What this browser said at its last checkout (phone, unit, substitution), if it may remember."""
        if not self.remembers:
            return {}
        kept = _signed(self.request.COOKIES.get(CONTACT_COOKIE, ""))
        return {str(name): str(value) for name, value in kept.items()} if isinstance(kept, dict) else {}

    @property
    def remembers(self) -> bool:
        """Whether what the shopper did before may shape what they see now."""
        return customers.consented(self.actor, PERSONALISATION)

    def keep_contact(self, contact: dict[str, str]) -> None:
        if not self.remembers:
            return
        self._cookies[CONTACT_COOKIE] = signing.dumps(contact, salt=SALT, compress=True)

    @property
    def order_keys(self) -> list[str]:
        """The orders this browser placed as a guest, newest first."""
        kept = _signed(self.request.COOKIES.get(ORDERS_COOKIE, ""))
        return [key for key in kept if isinstance(key, str)] if isinstance(kept, list) else []

    def be_at(self, here: Here) -> None:
        self.here = here
        place = [here.lat, here.lon, here.label, here.chosen, here.mode, here.store]
        self._cookies[PLACE_COOKIE] = signing.dumps(place, salt=SALT, compress=True)

    def forget_contact(self) -> None:
        self._cookies[CONTACT_COOKIE] = ""

    @property
    def known_visitor(self) -> UUID | None:
        """The random number under which a guest's browser has answered about consents, if it has."""
        return self._choices[0] if self._choices else None

    def visitor(self) -> UUID:
        return self.known_visitor or ids.new_id()

    def keep_choice(self, visitor: UUID, purpose: str, given: bool) -> None:
        """What a guest answered is kept by the browser; the log has it too, under the same number."""
        said = self._choices[1] if self._choices else frozenset()
        mark = f"{'+' if given else '-'}{purpose}"
        self._choices = (visitor, frozenset({mark, *(one for one in said if one[1:] != purpose)}))
        kept = [str(visitor), *sorted(self._choices[1])]
        self._cookies[CHOICES_COOKIE] = signing.dumps(kept, salt=SALT, compress=True)

    def keep_cart(self, key: str) -> None:
        self._cookies[CART_COOKIE] = key

    def keep_order(self, key: str) -> None:
        keys = [key, *(other for other in self.order_keys if other != key)][:MOST_ORDERS]
        self._cookies[ORDERS_COOKIE] = signing.dumps(keys, salt=SALT, compress=True)

    def show(
        self,
        template: str,
        context: dict[str, Any],
        *,
        nav: str = "",
        status: int = 200,
        topics: list[str] | None = None,
    ) -> HttpResponse:
        """Render a page; `topics` are what its live parts follow."""
        base: dict[str, Any] = {
            "visit": self,
            "here": self.here,
            "place": self.here.label,
            "city": self.city,
            "nav": nav,
            "modes": self._modes(),
        }
        if settings.STREAM_URL:
            base["stream_url"] = f"{settings.STREAM_URL}/events?token={streams.token(topics)}" if topics else ""
        return self._with_cookies(render(self.request, template, base | context, status=status))

    def go(self, to: str, *args: Any) -> HttpResponse:
        """303 to a page by its name or path."""
        answer = redirect(to, *args)
        answer.status_code = 303
        return self._with_cookies(answer)

    def back(self, default: str = "/") -> str:
        """Where the form said to return to, if that is ours."""
        wanted = self.request.POST.get("next") or self.request.GET.get("next") or ""
        safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={self.request.get_host()})
        return wanted if safe and wanted.startswith("/") else default

    def _modes(self) -> list[dict[str, Any]]:
        words = {
            "delivery": (pgettext("shopper", "Deliver"), "bike"),
            "pickup": (pgettext("shopper", "Pick up"), "store"),
        }
        return [
            {
                "href": f"?mode={mode}",
                "label": words[mode][0],
                "icon": words[mode][1],
                "current": mode == self.here.mode,
            }
            for mode in MODES
        ]

    def _with_cookies(self, answer: HttpResponse) -> HttpResponse:
        for name, value in self._cookies.items():
            answer.set_cookie(name, value, max_age=YEAR, httponly=True, samesite="Lax", secure=settings.HTTPS)
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer


def shop_page(view: Callable[..., HttpResponse]) -> View:
    """Gives the view its Visit, with times written as the city's clocks show them."""

    @wraps(view)
    def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        visit = Visit(request)
        with timezone.override(visit.city.zone):
            return view(visit, *args, **kwargs)

    return cast(View, run)


def _signed(text: str) -> Any:
    try:
        return signing.loads(text, salt=SALT) if text else None
    except signing.BadSignature:
        return None


def _choices_of(request: HttpRequest) -> tuple[UUID, frozenset[str]] | None:
    kept = _signed(request.COOKIES.get(CHOICES_COOKIE, ""))
    if not isinstance(kept, list) or not kept:
        return None
    return UUID(str(kept[0])), frozenset(str(one) for one in kept[1:])


def _choosing(actor: Actor, choices: tuple[UUID, frozenset[str]] | None) -> Actor:
    """A guest with what their browser answered; who is signed in has their own answers."""
    return replace(actor, consents=choices[1]) if choices and not actor.signed_in else actor


def _here(request: HttpRequest, actor: Actor, city: CityView) -> Here:
    centre = Here(city.centre_lat, city.centre_lon, _("{city}, centre").format(city=city.name))
    kept = _signed(request.COOKIES.get(PLACE_COOKIE, ""))
    if not isinstance(kept, list) or len(kept) != 6:
        wanted = customers.consented(actor, PERSONALISATION)
        last = customers.addresses(actor, limit=1) if wanted else []
        known = [one for one in last if city.contains(one.lat, one.lon)]
        return Here(known[0].lat, known[0].lon, known[0].text, True) if known else centre
    lat, lon, label, chosen, mode, store = kept
    if not chosen:
        return replace(centre, mode=mode, store=store)
    if not city.contains(lat, lon):
        return centre
    return Here(lat, lon, label, True, mode, store)
