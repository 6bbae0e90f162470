"""Delivery fleets: the organisation's accounts, the stores that use them, what they told last, open alerts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from highstreet.delivery.fleets import actions, providers
from highstreet.delivery.fleets import reads as fleets
from highstreet.delivery.fleets.reads import AlertView, EventView, FleetView, UseView
from highstreet.kernel import ids
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores

from .. import fleet_words, words
from .frame import StaffRequest, cities_of, go, known, page, scope_of, text_of, tried

LAST = 20


@dataclass(frozen=True)
class Use:
    """Where a fleet is used, in words."""

    view: UseView
    code: str
    where: str


@dataclass(frozen=True)
class Row:
    """A fleet in words."""

    view: FleetView
    code: str
    provider: str
    uses: list[Use]


@dataclass(frozen=True)
class Said:
    """A callback in words; `order` is the order's public identifier, "" where it is nobody's."""

    view: EventView
    state: str
    outcome: str
    tone: str
    order: str


@dataclass(frozen=True)
class Alert:
    view: AlertView
    code: str
    title: str
    order: str
    facts: list[tuple[str, str]]


@route("fleets.manage")
def listed(request: StaffRequest) -> HttpResponse:
    """The organisation's fleets, open alerts, and the last callbacks of all of them."""
    scope_of(request)
    rows = fleets.fleets(request.actor)
    said = fleets.events(request.actor, None, limit=LAST)[0] if rows else []
    context = {
        "rows": [_row(one) for one in rows],
        "alerts": [_alert(one) for one in fleets.alerts(request.actor)],
        "said": [_said(one) for one in said],
    }
    return page(request, "fleets", context, tab="fleets")


@route("fleets.manage")
def add(request: StaffRequest) -> HttpResponse:
    """Add an account: first which fleet, then what it gave us."""
    provider = text_of(request, "provider", 12)
    chosen = provider if provider in providers.names() else ""
    context: dict[str, Any] = {
        "kinds": [(name, words.of(fleet_words.FLEETS, name)) for name in providers.names()],
        "provider": chosen,
        "fields": _fields(chosen) if chosen else [],
        "form": request.POST,
        "problems": {},
    }
    if request.method != "POST":
        return page(request, "fleet_new", context, tab="fleets")
    name = text_of(request, "name", 60)
    if not name:
        problems = {"name": _("Give it a name of your own")}
        return page(request, "fleet_new", {**context, "problems": problems}, tab="fleets", status=422)
    done = tried(
        lambda: actions.add_fleet(
            actor=request.actor,
            provider=provider,
            name=name,
            secrets=_secrets(request, chosen),
            base_url=text_of(request, "base_url", 200),
        )
    )
    if done.refused:
        return page(request, "fleet_new", context, tab="fleets", refused=done.refused)
    return go(request, "fleet", ids.public("flt", done.value), say=_("Added. Now tell the fleet our address"))


@route("fleets.manage")
def fleet(request: StaffRequest, fleet: str) -> HttpResponse:
    """One fleet: our address for it, where it is used, what it told; POST changes its name or secrets."""
    found = fleets.fleet(request.actor, known("flt", fleet))
    if request.method != "POST":
        return _page(request, found)
    done = tried(
        lambda: actions.change_fleet(
            actor=request.actor,
            fleet_id=found.id,
            name=text_of(request, "name", 60) or None,
            secrets=_secrets(request, found.provider),
        )
    )
    if done.refused:
        return _page(request, found, refused=done.refused)
    return go(request, "fleet", fleet, say=_("Saved"))


@route("fleets.manage")
def change(request: StaffRequest, fleet: str, what: str) -> HttpResponse:
    """The fleet's buttons: on, off, remove, use, and the end of one use."""
    found = fleets.fleet(request.actor, known("flt", fleet))
    if request.method != "POST":
        return go(request, "fleet", fleet)
    done = tried(lambda: _press(request, found, what))
    if done.refused:
        return _page(request, found, refused=done.refused)
    if what == "remove":
        return go(request, "fleets", say=str(done.value))
    return go(request, "fleet", fleet, say=str(done.value))


@route("fleets.manage")
def alert(request: StaffRequest, alert: str, what: str) -> HttpResponse:
    """What is done about an alert: looked into, the bag is back, the bag is lost."""
    alert_id = known("fla", alert)
    if request.method != "POST":
        return go(request, "fleets")
    deeds = {"close": actions.close_alert, "found": actions.bag_found, "lost": actions.bag_lost}
    says = {
        "close": _("Noted as looked into"),
        "found": _("The goods are on the shelf again, the money goes back"),
        "lost": _("The goods are written off, the money goes back"),
    }
    if what not in deeds:
        return go(request, "fleets")
    deeds[what](actor=request.actor, alert_id=alert_id)
    return go(request, "fleets", say=says[what])


def _press(request: StaffRequest, found: FleetView, what: str) -> str:
    if what in ("on", "off"):
        actions.change_fleet(actor=request.actor, fleet_id=found.id, active=what == "on")
        return _("It is on") if what == "on" else _("It is off: it brings what it has, and gets nothing more")
    if what == "remove":
        actions.remove_fleet(actor=request.actor, fleet_id=found.id)
        return _("{name} is removed").format(name=found.name)
    if what == "use":
        place, couriers = text_of(request, "where", 40), text_of(request, "couriers", 4)
        prefix = place.partition("_")[0]
        where = {"city_id" if prefix == "cty" else "store_id": known(prefix if prefix == "cty" else "str", place)}
        actions.use_fleet(
            actor=request.actor,
            fleet_id=found.id,
            couriers=int(couriers) if couriers.isascii() and couriers.isdigit() else 0,
            shop_no=text_of(request, "shop_no", 64),
            **where,
        )
        return _("From the next order on, it goes there")
    actions.end_use(actor=request.actor, use_id=known("flu", what))
    return _("From the next order on, our own couriers bring it")


def _page(request: StaffRequest, view: FleetView, *, refused: Refused | None = None) -> HttpResponse:
    scope = scope_of(request)
    code = ids.public("flt", view.id)
    rows, more = fleets.events(request.actor, view.id, cursor=request.GET.get("from", "")[:60])
    cities = cities_of(request)
    context = {
        "fleet": _row(view),
        "address": f"{settings.SHOP_URL}/api/v1/fleets/{code}/notify",
        "bills": fleets.bills(request.actor, view.id),
        "said": [_said(one) for one in rows],
        "next": f"{reverse('console:fleet', args=[code])}?{urlencode({'from': more})}" if more else "",
        "fields": _fields(view.provider),
        "towns": [(ids.public("cty", city.id), city.name) for city in cities],
        "shops": [(ids.public("str", store.id), store.name) for store in scope.stores],
        "form": request.POST,
    }
    return page(request, "fleet", context, tab="fleets", refused=refused)


def _fields(provider: str) -> list[tuple[str, str]]:
    return [(name, words.of(fleet_words.FLEET_SECRETS, name)) for name in providers.dialect(provider).secrets]


def _secrets(request: StaffRequest, provider: str) -> dict[str, str]:
    if not provider:
        return {}
    return {name: text_of(request, name, 201) for name in providers.dialect(provider).secrets}


def _row(view: FleetView) -> Row:
    uses = [Use(one, ids.public("flu", one.id), _where(one)) for one in view.uses]
    return Row(view, ids.public("flt", view.id), words.of(fleet_words.FLEETS, view.provider), uses)


def _where(use: UseView) -> str:
    if use.store_id is not None:
        return stores.store(use.store_id).name
    return _("All stores in {city}").format(city=organisations.city(use.city_id).name)


def _said(view: EventView) -> Said:
    tone = {"moved": "ok", "behind": "warn", "code unknown": "bad", "unknown": "bad", "": "warn"}.get(view.outcome, "")
    if view.outcome in ("lost", "dropped"):
        tone = "bad"
    state = words.of(words.DELIVERY, view.state) if view.state else _("Unknown code")
    outcome = words.of(fleet_words.FLEET_OUTCOMES, view.outcome)
    return Said(view, state, outcome, tone, _order(view.order_id))


def _alert(view: AlertView) -> Alert:
    facts = [
        (words.of(fleet_words.FLEET_FACTS, name), words.of(fleet_words.FLEET_REASONS, str(value)))
        for name, value in sorted(view.facts.items())
    ]
    title = words.of(fleet_words.FLEET_ALERTS, view.kind)
    return Alert(view, ids.public("fla", view.id), title, _order(view.order_id), facts)


def _order(order_id: UUID | None) -> str:
    return ids.public("ord", order_id) if order_id else ""
