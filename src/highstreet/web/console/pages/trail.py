"""The audit trail: who did what to which object, when, from which request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from highstreet.kernel import ids
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.kernel.trail_reads import Search, TrailView, found
from highstreet.people.staff import reads as staff
from highstreet.people.staff.policy import CATALOGUE
from highstreet.trade.orders import reads as orders
from highstreet.web.ui.rules import money

from .. import deeds, words
from .frame import Scope, StaffRequest, page, scope_of, text_of


@dataclass(frozen=True)
class Deed:
    """A row in words. `order` is the order's public id, when it was done to one."""

    view: TrailView
    who: str
    what: str
    facts: list[str]
    order: str


@route("trail.read")
def listed(request: StaffRequest) -> HttpResponse:
    """The newest deeds, or those of a person, on an object, by a permission, of a day."""
    scope = scope_of(request)
    if request.actor.organisation_id is None:
        raise Refused(NOT_FOUND)
    typed = {name: text_of(request, name, 60) for name in ("who", "object", "may", "day")}
    colleagues = staff.names(request.actor)
    people = {ids.public("usr", user): name for user, name in colleagues.items()}
    search, problem = _search(request, scope, typed)
    if request.actor.store_ids is not None:
        # Whoever answers for some of the stores sees what was done by those who work there.
        search = replace(search, among=frozenset(colleagues))
    rows, more = found(request.actor.organisation_id, search, cursor=request.GET.get("from", "")[:60])
    kept = {name: value for name, value in typed.items() if value}
    context: dict[str, Any] = {
        "rows": [_deed(row, people, scope) for row in rows],
        "next": f"{reverse('console:trail')}?{urlencode({**kept, 'from': more})}" if more else "",
        "people": sorted(people.items(), key=lambda one: one[1]),
        "permissions": [(row.code, str(row.says)) for row in CATALOGUE if row.roles],
        "typed": typed,
        "problem": problem,
        "any": bool(kept),
    }
    return page(request, "trail", context, tab="trail", status=422 if problem else 0)


def _search(request: StaffRequest, scope: Scope, typed: dict[str, str]) -> tuple[Search, str]:
    """What was asked for; and what is wrong with it, in words."""
    who = ids.private("usr", typed["who"])
    subject = _id(typed["object"])
    start = _day(typed["day"], scope)
    problem = ""
    if typed["object"] and subject is None:
        problem = _("That is no identifier. It looks like ord_ and 26 characters")
    elif typed["day"] and start is None:
        problem = _("Type a day such as 2026-11-26")
    search = Search(
        actor=str(who) if who else "",
        subject=subject,
        permission=typed["may"],
        start=start,
        end=start + timedelta(days=1) if start else None,
        platform=subject is not None and _own_order(request, subject),
    )
    return search, problem


def _own_order(request: StaffRequest, order_id: UUID) -> bool:
    """Whether the actor may see an order: then also what Highstreet itself did to it."""
    try:
        orders.must_see(request.actor, order_id)
    except Refused:
        return False
    return True


def _id(text: str) -> UUID | None:
    """A public identifier of any kind, or a bare UUID."""
    try:
        return ids.private(text.partition("_")[0], text) or UUID(text)
    except ValueError:
        return None


def _day(text: str, scope: Scope) -> datetime | None:
    try:
        return scope.midnight(datetime.strptime(text, "%Y-%m-%d").date())
    except ValueError:
        return None


def _deed(view: TrailView, people: dict[str, str], scope: Scope) -> Deed:
    kind, _colon, name = view.actor.partition(":")
    who = words.of(words.ACTORS, kind)
    if name:
        public = ids.public("key" if kind == "partner" else "usr", UUID(name))
        who = people.get(public, f"{who} {public}")
    order = view.facts.get("order_id")
    facts = [
        _fact(key, value, scope, people, view.facts) for key, value in view.facts.items() if key != "organisation_id"
    ]
    order_code = ids.public("ord", UUID(order)) if isinstance(order, str) else ""
    return Deed(view, who, words.of(deeds.DEEDS, view.action), [fact for fact in facts if fact], order_code)


def _fact(name: str, value: Any, scope: Scope, people: dict[str, str], others: dict[str, Any]) -> str:
    if name == "user_id" and isinstance(value, str):
        return people.get(ids.public("usr", UUID(value)), "")
    prefix = deeds.PREFIXES.get(name)
    if prefix and isinstance(value, str):
        store = scope.by_id.get(UUID(value)) if name == "store_id" else None
        return store.name if store else ids.public(prefix, UUID(value))
    if name not in deeds.FACTS:
        return ""
    said: str = str(value)
    if isinstance(value, bool):
        said = _("yes") if value else _("no")
    elif name == "most" and isinstance(value, int):
        said = staff.Words().words(str(others.get("permission", "")), value)
    elif name in deeds.MONEY and isinstance(value, int):
        said = money(value)
    elif name == "role":
        said = words.of(words.ROLES, said)
    elif name == "permission":
        said = words.of(words.PERMISSIONS, said)
    elif isinstance(value, list):
        said = ", ".join(words.of(words.PERMISSIONS, str(one)) for one in value)
    elif isinstance(value, dict):
        known = staff.Words()
        said = ", ".join(f"{words.of(words.PERMISSIONS, key)} {known.words(key, most)}" for key, most in value.items())
    return f"{words.of(deeds.FACTS, name)}: {said}"
