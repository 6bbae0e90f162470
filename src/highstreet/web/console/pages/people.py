"""Users and roles: who works here, what each may do, hired, moved and dismissed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _

from highstreet.kernel import ids
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.people.accounts import reads as accounts
from highstreet.people.staff import actions
from highstreet.people.staff import reads as staff
from highstreet.people.staff.policy import IN_A_STORE, ROLES
from highstreet.people.staff.reads import EmployeeView
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.reads import CityView

from .. import words
from .frame import Scope, StaffRequest, beyond, cities_of, further, go, known, page, scope_of, text_of, tried


@dataclass(frozen=True)
class Member:
    """An employee with words for role and place."""

    view: EmployeeView
    code: str
    role: str
    store: str


@route("staff.manage")
def listed(request: StaffRequest) -> HttpResponse:
    """The organisation's employees, a page at a time, or those whose name has the words."""
    scope, query = scope_of(request), text_of(request, "q", 40)
    found, more = staff.employees(request.actor, query=query, after=beyond(request, "emp"))
    context = {
        "rows": [_member(one, scope) for one in found],
        "query": query,
        "next": further("people", {"q": query} if query else {}, "emp", more),
    }
    return page(request, "people", context, tab="people")


@route("staff.manage")
def hire(request: StaffRequest) -> HttpResponse:
    """Give somebody who already has an account a job here."""
    scope = scope_of(request)
    cities = cities_of(request)
    context: dict[str, Any] = {
        "form": request.POST,
        "problems": {},
        "towns": [(ids.public("cty", city.id), city.name) for city in cities],
        **_choices(scope),
    }
    if request.method != "POST":
        return page(request, "hire", context, tab="people")
    username, name, role = text_of(request, "username", 150), text_of(request, "name", 60), text_of(request, "role", 20)
    problems, where = _where(request, role, scope, cities)
    user_id = accounts.user_named(username) if username else None
    if user_id is None:
        problems["username"] = _("There is no user of this name. They sign up first, then you hire them")
    if not name:
        problems["name"] = _("Type the name that colleagues know")
    if role not in ROLES:
        problems["role"] = _("Choose a role")
    if problems or user_id is None:
        return page(request, "hire", {**context, "problems": problems}, tab="people", status=422)
    organisation_id = request.actor.organisation_id
    if organisation_id is None:
        raise Refused(NOT_FOUND)
    done = tried(
        lambda: actions.hire(
            actor=request.actor,
            user_id=user_id,
            organisation_id=organisation_id,
            role=role,
            name=name,
            **where,
        )
    )
    if done.refused:
        return page(request, "hire", context, tab="people", refused=done.refused)
    return go(request, "people", say=_("{name} is hired").format(name=name))


@route("staff.manage")
def member(request: StaffRequest, employee: str) -> HttpResponse:
    """One employee: change the role."""
    found = _found(request, employee)
    if request.method != "POST":
        return _page(request, found)
    role = text_of(request, "role", 20)
    if role not in ROLES:
        return _page(request, found, problem=_("Choose a role"))
    done = tried(lambda: actions.set_role(actor=request.actor, employee_id=found.view.id, role=role))
    if done.refused:
        return _page(request, found, refused=done.refused)
    say = _("{name} is now: {role}").format(name=found.view.name, role=words.of(words.ROLES, role))
    return go(request, "people", say=say)


@route("staff.manage")
def active(request: StaffRequest, employee: str) -> HttpResponse:
    """Dismiss, or take back. It counts from the next request on."""
    found = _found(request, employee)
    if request.method != "POST":
        return go(request, "member", employee)
    back = request.POST.get("active") == "1"
    done = tried(lambda: actions.set_active(actor=request.actor, employee_id=found.view.id, active=back))
    if done.refused:
        return _page(request, found, refused=done.refused)
    said = _("{name} works here again") if back else _("{name} is dismissed; the account may no longer enter")
    return go(request, "people", say=said.format(name=found.view.name))


def _where(
    request: StaffRequest, role: str, scope: Scope, cities: list[CityView]
) -> tuple[dict[str, str], dict[str, UUID | None]]:
    """What is wrong with the places chosen, and the store or city of the job; neither: all stores.

    A place that the role has no use for is refused, not passed over: else somebody gets more than was meant.
    """
    store, city = text_of(request, "store", 40), text_of(request, "city", 40)
    store_id = next((one.id for one in scope.stores if ids.public("str", one.id) == store), None)
    city_id = next((one.id for one in cities if ids.public("cty", one.id) == city), None)
    problems = {}
    if role in IN_A_STORE and store_id is None:
        problems["store"] = _("This role works in a store: choose which")
    if role not in IN_A_STORE and store:
        problems["store"] = _("This role works in several stores: choose none here")
    if city and (role in IN_A_STORE or role == "owner" or city_id is None):
        problems["city"] = _("This role is not for one city: choose none here")
    return problems, {"store_id": store_id, "city_id": city_id}


def _found(request: StaffRequest, code: str) -> Member:
    return _member(staff.employee(request.actor, known("emp", code)), scope_of(request))


def _member(view: EmployeeView, scope: Scope) -> Member:
    store = scope.by_id.get(view.store_id) if view.store_id else None
    city = next((one for one in organisations.cities() if one.id == view.city_id), None)
    place = store.name if store else city.name if city else _("All stores")
    return Member(view, ids.public("emp", view.id), words.of(words.ROLES, view.role), place)


def _choices(scope: Scope) -> dict[str, Any]:
    return {
        "roles": [(code, words.of(words.ROLES, code)) for code in ROLES],
        "shops": [(ids.public("str", store.id), store.name) for store in scope.stores],
    }


def _page(request: StaffRequest, found: Member, *, problem: str = "", refused: Refused | None = None) -> HttpResponse:
    context = {
        "member": found,
        "problem": problem,
        "self": found.view.id == request.actor.employee_id,
        "chosen": request.POST.get("role") or found.view.role,
        **_choices(scope_of(request)),
    }
    return page(request, "member", context, tab="people", refused=refused, status=422 if problem else 0)
