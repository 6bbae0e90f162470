"""Employees."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from highstreet.kernel.money import in_words
from highstreet.kernel.policy import Actor, require
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.people.accounts.ports import Badge

from .models import Employee, RoleLimit, Safeguard
from .policy import CATALOGUE, FEN, GUARDED_ROLES, LIMITED, PERCENT, ROLE_WORDS, ROLES, limits_of


@dataclass(frozen=True)
class EmployeeView:
    id: UUID
    username: str
    name: str
    role: str
    store_id: UUID | None
    city_id: UUID | None
    organisation_id: UUID
    active: bool


def _fields(found: str) -> dict[str, Any]:
    employee, organisation, stores, role, own, asked, enrolled = json.loads(found)
    lacks = bool(asked) and not enrolled and role in GUARDED_ROLES
    return {
        "kind": "staff",
        "employee_id": UUID(employee),
        "organisation_id": UUID(organisation),
        "store_ids": frozenset(UUID(one) for one in stores) if stores is not None else None,
        "permissions": frozenset() if lacks else ROLES[role],
        "limits": limits_of(role, own or {}),
        "lacks": "second_factor" if lacks else "",
    }


# What being an employee adds to an actor: role, organisation, stores, limits, and whether a second factor is missing.
BADGE = Badge(
    "(SELECT json_build_array(e.id, e.organisation_id, "
    "CASE WHEN e.store_id IS NOT NULL THEN json_build_array(e.store_id) "
    "WHEN e.city_id IS NOT NULL THEN COALESCE((SELECT json_agg(s.id) FROM stores_store s WHERE s.city_id = e.city_id), "
    "'[]') END, e.role, (SELECT json_object_agg(l.permission, l.most) FROM staff_rolelimit l "
    "WHERE l.organisation_id = e.organisation_id AND l.role = e.role), "
    "(SELECT g.second_factor FROM staff_safeguard g WHERE g.organisation_id = e.organisation_id), "
    "EXISTS (SELECT 1 FROM mfa_authenticator m WHERE m.user_id = e.user_id AND m.type = 'totp'))::text "
    "FROM staff_employee e WHERE e.user_id = u.id AND e.active)",
    _fields,
)


@dataclass(frozen=True)
class Right:
    """A permission for the console: its words, unit, and for each role "" (has it not) or its limit in words."""

    code: str
    says: str
    unit: str
    roles: dict[str, str | None]
    most: dict[str, int | None]


def rights(actor: Actor) -> list[Right]:
    """Who may do what in the actor's organisation: one row a permission of the catalogue that roles have."""
    require(actor, "staff.manage")
    own = limits_set(actor.organisation_id)
    limits = {role: limits_of(role, own.get(role, {})) for role in ROLES}
    rows = []
    for row in CATALOGUE:
        if not row.roles:
            continue
        most = {role: limits[role].get(row.code) for role in row.roles}
        said = {role: None if role not in row.roles else _said(row.code, most[role]) for role in ROLES}
        rows.append(Right(row.code, str(row.says), row.unit, said, most))
    return rows


def _said(permission: str, most: int | None) -> str:
    return "" if most is None else Words().words(permission, most)


def limits_set(organisation_id: UUID | None) -> dict[str, dict[str, int | None]]:
    """The limits that an organisation set itself: role -> permission -> most."""
    found: dict[str, dict[str, int | None]] = {}
    if organisation_id is None:
        return found
    rows = RoleLimit.objects.filter(organisation_id=organisation_id).values_list("role", "permission", "most")
    for role, permission, most in rows:
        found.setdefault(role, {})[permission] = most
    return found


def second_factor_asked(actor: Actor) -> bool:
    """Whether the actor's organisation asks for a second factor."""
    own = actor.organisation_id
    return own is not None and Safeguard.objects.filter(organisation_id=own, second_factor=True).exists()


class Words:
    """Fills `kernel.policy.limits`."""

    def words(self, permission: str, most: int) -> str:
        unit = LIMITED.get(permission, "")
        if unit == FEN:
            return in_words(most)
        return f"{most} %" if unit == PERCENT else _("{most} units").format(most=most)

    def who(self, organisation_id: UUID | None, permission: str, value: int) -> str:
        own = limits_set(organisation_id)
        able = []
        for role in ROLES:
            most = limits_of(role, own.get(role, {})).get(permission)
            if permission in ROLES[role] and (most is None or value <= most):
                able.append(str(ROLE_WORDS[role]))
        return _(", ").join(able)


PAGE = 100


def employees(
    actor: Actor, *, query: str = "", after: UUID | None = None, limit: int = PAGE
) -> tuple[list[EmployeeView], UUID | None]:
    """The actor's organisation's employees whose name or user name holds `query`, who works here first, then by name:
    what comes `after` one of them, and after whom the next page begins."""
    rows = _own(actor).filter(Q(name__icontains=query) | Q(user__username__icontains=query) if query else Q())
    if after is not None:
        last = _own(actor).filter(pk=after).first()
        if last is None:
            return [], None
        same = Q(active=last.active) & (Q(name__gt=last.name) | Q(name=last.name, pk__gt=last.pk))
        rows = rows.filter(same | Q(active=False) if last.active else same)
    found = [_view(row) for row in rows.order_by("-active", "name", "pk")[: limit + 1]]
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def employee(actor: Actor, employee_id: UUID) -> EmployeeView:
    """One of the actor's organisation; NOT_FOUND otherwise."""
    row = _own(actor).filter(pk=employee_id).first()
    if row is None:
        raise Refused(NOT_FOUND)
    return _view(row)


def _own(actor: Actor) -> QuerySet[Employee]:
    if actor.organisation_id is None:
        return Employee.objects.none()
    return Employee.objects.filter(organisation_id=actor.organisation_id).select_related("user")


def _view(row: Employee) -> EmployeeView:
    return EmployeeView(
        row.pk, row.user.username, row.name, row.role, row.store_id, row.city_id, row.organisation_id, row.active
    )


def names(actor: Actor) -> dict[UUID, str]:
    """The names of who works or worked in the actor's organisation, by user; of who is bound to stores, those of their
    stores and their own."""
    if actor.organisation_id is None:
        return {}
    own = Employee.objects.filter(organisation_id=actor.organisation_id)
    if actor.store_ids is not None:
        own = own.filter(Q(store_id__in=actor.store_ids) | Q(user_id=actor.user_id))
    return dict(own.values_list("user_id", "name"))


def name_of(actor: Actor) -> str:
    row = Employee.objects.filter(pk=actor.employee_id).first() if actor.employee_id else None
    return row.name if row else ""
