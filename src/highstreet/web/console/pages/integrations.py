"""Integrations: API keys, webhooks with their log; made, revoked, rotated, sent again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from highstreet.growth.partners import actions, payloads
from highstreet.growth.partners import reads as partners
from highstreet.growth.partners.reads import EndpointView, KeyView, SendingView, TryView
from highstreet.kernel import ids
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.people.staff.policy import FEN, LIMITED, PERCENT, SCOPES
from highstreet.people.staff.reads import Words
from highstreet.supply.organisations import reads as organisations
from highstreet.web.ui.rules import fen

from .. import words
from .frame import Scope, StaffRequest, cities_of, go, known, page, scope_of, text_of, tried

PERIODS = (30, 90, 365)
WORDS = Words()


@dataclass(frozen=True)
class Key:
    """A key in words."""

    view: KeyView
    code: str
    scopes: str
    stores: str
    limits: str


@dataclass(frozen=True)
class LimitField:
    """What a key may at most by one of its scopes, as it is typed."""

    code: str
    name: str
    label: str
    unit: str
    value: str


@dataclass(frozen=True)
class Hook:
    """An endpoint in words; `tone` colours its state."""

    view: EndpointView
    code: str
    state: str
    tone: str


@dataclass(frozen=True)
class Try:
    view: TryView
    answer: str


@dataclass(frozen=True)
class Sent:
    """A message of the log in words."""

    view: SendingView
    code: str
    message: str
    order: str
    state: str
    tone: str
    tries: list[Try]


@route("webhooks.manage")
def listed(request: StaffRequest) -> HttpResponse:
    """The organisation's keys and webhooks."""
    scope = scope_of(request)
    context: dict[str, Any] = {"hooks": [_hook(one) for one in partners.endpoints(request.actor)]}
    if request.actor.may("keys.manage"):
        rows, more = partners.keys(request.actor, cursor=request.GET.get("from", "")[:60])
        older = f"{reverse('console:integrations')}?{urlencode({'from': more})}" if more else ""
        context |= {"keys": [_key(one, scope) for one in rows], "next": older}
    return page(request, "integrations", context, tab="integrations")


@route("keys.manage")
def make_key(request: StaffRequest) -> HttpResponse:
    """Make a key; the page that answers is the only one that ever shows it."""
    scope = scope_of(request)
    given = request.actor.permissions & SCOPES
    context: dict[str, Any] = {
        "form": request.POST,
        "problems": {},
        "scopes": [(code, words.of(words.PERMISSIONS, code)) for code in words.PERMISSIONS if code in given],
        "towns": [(ids.public("cty", city.id), city.name) for city in cities_of(request)],
        "shops": [(ids.public("str", store.id), store.name) for store in scope.stores],
        "periods": [(str(days), _("{days} days").format(days=days)) for days in PERIODS],
        "limited": [_limit_field(request, code) for code in LIMITED if code in given],
        "ticked": request.POST.getlist("scopes"),
        "at": request.POST.getlist("stores"),
    }
    if request.method != "POST":
        return page(request, "key_new", context, tab="integrations")
    name, days = text_of(request, "name", 60), text_of(request, "days", 4)
    problems = {}
    if not name:
        problems["name"] = _("Say what the key is for")
    if not context["ticked"]:
        problems["scopes"] = _("Tick what the key may do")
    if days not in ("", *(str(period) for period in PERIODS)):
        problems["days"] = _("Choose how long")
    city = text_of(request, "city", 40)
    if city and context["at"]:
        problems["city"] = _("Choose a city or tick stores, not both")
    limits = {}
    for field in context["limited"]:
        most = _limit_typed(field.unit, field.value) if field.code in context["ticked"] else None
        if most is not None:
            limits[field.code] = most
        elif field.value:
            problems[field.name] = _("Type a number, or tick what it limits")
    if problems:
        return page(request, "key_new", {**context, "problems": problems}, tab="integrations", status=422)
    store_ids = [known("str", one) for one in context["at"]] or None
    done = tried(
        lambda: actions.make_key(
            actor=request.actor,
            name=name,
            scopes=context["ticked"][:40],
            store_ids=store_ids,
            city_id=known("cty", city) if city else None,
            days=int(days) if days else None,
            limits=limits,
        )
    )
    if done.refused:
        return page(request, "key_new", context, tab="integrations", refused=done.refused)
    return _told(request, _("The key “{name}”").format(name=name), done.value.token)


@route("keys.manage")
def revoke_key(request: StaffRequest, key: str) -> HttpResponse:
    """Revoke it: GET asks, POST does."""
    view = partners.key(request.actor, known("key", key))
    if request.method != "POST":
        context = {"key": _key(view, scope_of(request))}
        return page(request, "key_revoke", context, tab="integrations")
    actions.revoke_key(actor=request.actor, key_id=view.id)
    return go(request, "integrations", say=_("{name} is revoked. It opens nothing any more").format(name=view.name))


@route("webhooks.manage")
def add_hook(request: StaffRequest) -> HttpResponse:
    """Add a webhook; the page that answers is the only one that shows its secret."""
    context: dict[str, Any] = {"form": request.POST, "problems": {}, **_types(request.POST.getlist("events"))}
    if request.method != "POST":
        return page(request, "hook_new", context, tab="integrations")
    url, events = text_of(request, "url", 500), request.POST.getlist("events")[:40]
    problems = _problems(url, events)
    if problems:
        return page(request, "hook_new", {**context, "problems": problems}, tab="integrations", status=422)
    place = actions.look_up(actor=request.actor, url=url)
    done = tried(lambda: actions.add_endpoint(actor=request.actor, place=place, events=events))
    if done.refused:
        return page(request, "hook_new", context, tab="integrations", refused=done.refused)
    return _told(request, _("The secret of {url}").format(url=url), done.value.secret)


@route("webhooks.manage")
def hook(request: StaffRequest, hook: str) -> HttpResponse:
    """One webhook: its log, and what is told to it."""
    found = partners.endpoint(request.actor, known("whk", hook))
    if request.method != "POST":
        return _page(request, found)
    url, events = text_of(request, "url", 500), request.POST.getlist("events")[:40]
    problems = _problems(url, events)
    if problems:
        return _page(request, found, problems=problems)
    place = actions.look_up(actor=request.actor, url=url)
    done = tried(lambda: actions.change_endpoint(actor=request.actor, endpoint_id=found.id, place=place, events=events))
    if done.refused:
        return _page(request, found, refused=done.refused)
    return go(request, "hook", hook, say=_("Saved"))


@route("webhooks.manage")
def change(request: StaffRequest, hook: str, what: str) -> HttpResponse:
    """The webhook's buttons: on, off, rotate, remove, replay, and resend of one message."""
    found = partners.endpoint(request.actor, known("whk", hook))
    if request.method != "POST":
        return go(request, "hook", hook)
    if what == "rotate":
        made = actions.rotate_secret(actor=request.actor, endpoint_id=found.id)
        return _told(request, _("The new secret of {url}").format(url=found.url), made.secret)
    if what == "remove":
        actions.remove_endpoint(actor=request.actor, endpoint_id=found.id)
        return go(request, "integrations", say=_("{url} hears nothing any more").format(url=found.url))
    done = tried(lambda: _press(request, found.id, what))
    if done.refused:
        return _page(request, found, refused=done.refused)
    return go(request, "hook", hook, say=str(done.value))


def _press(request: StaffRequest, endpoint_id: UUID, what: str) -> str:
    if what in ("on", "off"):
        actions.change_endpoint(actor=request.actor, endpoint_id=endpoint_id, active=what == "on")
        return _("It is on") if what == "on" else _("It is off. What happens now can be sent later")
    if what == "replay":
        text = text_of(request, "after", 40)
        after = known("evt", text) if text else None
        count = actions.replay(actor=request.actor, endpoint_id=endpoint_id, after=after)
        return _("{count} messages are sent again").format(count=count)
    actions.resend(actor=request.actor, endpoint_id=endpoint_id, sending_id=known("snd", what))
    return _("It is sent again")


def _page(
    request: StaffRequest,
    view: EndpointView,
    *,
    problems: dict[str, str] | None = None,
    refused: Refused | None = None,
) -> HttpResponse:
    code = ids.public("whk", view.id)
    rows, more = partners.sendings(request.actor, view.id, cursor=request.GET.get("from", "")[:60])
    chosen = request.POST.getlist("events") if request.method == "POST" and "url" in request.POST else view.events
    context = {
        "hook": _hook(view),
        "rows": [_sent(one) for one in rows],
        "next": f"{reverse('console:hook', args=[code])}?{urlencode({'from': more})}" if more else "",
        "url": request.POST.get("url", view.url),
        "problems": problems or {},
        **_types(chosen),
    }
    status = 422 if problems else 0
    return page(request, "hook", context, tab="integrations", refused=refused, status=status)


def _told(request: StaffRequest, title: str, secret: str) -> HttpResponse:
    answer = page(request, "told_once", {"title": title, "secret": secret}, tab="integrations")
    answer["Cache-Control"] = "no-store"
    return answer


def _problems(url: str, events: list[str]) -> dict[str, str]:
    problems = {}
    if not url:
        problems["url"] = _("Type the address that we call")
    if not events:
        problems["events"] = _("Tick what it hears")
    return problems


def _types(chosen: list[str]) -> dict[str, Any]:
    return {"types": [(name, words.of(words.EVENTS, name), name in chosen) for name in payloads.TYPES]}


def _key(view: KeyView, scope: Scope) -> Key:
    names = {store.id: store.name for store in scope.stores}
    where = _("All stores")
    if view.store_ids is not None:
        where = ", ".join(names.get(one, _("another city's")) for one in view.store_ids)
    if view.city_id is not None:
        where = _("All stores in {city}").format(city=organisations.city(view.city_id).name)
    may = ", ".join(words.of(words.PERMISSIONS, code) for code in view.scopes)
    said = "; ".join(
        f"{words.of(words.PERMISSIONS, code)}: {WORDS.words(code, most)}" for code, most in view.limits.items()
    )
    return Key(view, ids.public("key", view.id), may, where, said)


def _limit_field(request: StaffRequest, code: str) -> LimitField:
    unit = LIMITED[code]
    label = {FEN: _("{what}: at most, ¥"), PERCENT: _("{what}: at most, per cent")}.get(
        unit, _("{what}: at most, units")
    )
    name = f"most-{code}"
    return LimitField(
        code, name, label.format(what=words.of(words.PERMISSIONS, code)), unit, text_of(request, name, 12)
    )


def _limit_typed(unit: str, text: str) -> int | None:
    if unit == FEN:
        return fen(text)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 7 else None


def _hook(view: EndpointView) -> Hook:
    state, tone = _("on"), "ok"
    if view.disabled_reason:
        state, tone = words.of(words.HOOK_OFF, view.disabled_reason), "" if view.disabled_reason == "person" else "bad"
    elif view.failing_since:
        state, tone = _("failing, tried again"), "warn"
    return Hook(view, ids.public("whk", view.id), state, tone)


def _sent(view: SendingView) -> Sent:
    tries = [
        Try(one, str(one.status) if one.status is not None else words.of(words.HOOK_ERRORS, one.error))
        for one in view.tries
    ]
    return Sent(
        view,
        ids.public("snd", view.id),
        ids.public("evt", view.message_id),
        ids.public("ord", view.entity),
        words.of(words.SENDING, view.status),
        {"sent": "ok", "failed": "bad"}.get(view.status, "warn"),
        tries,
    )
