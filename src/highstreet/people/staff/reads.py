"""Employees."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from highstreet.kernel.policy import Actor
from highstreet.people.accounts.ports import Badge

from .models import Employee
from .policy import ROLES


@dataclass(frozen=True)
class EmployeeView:
    id: UUID
    username: str
    name: str
    role: str
    store_id: UUID | None
    organisation_id: UUID
    active: bool


def _fields(found: str) -> dict[str, Any]:
    employee, organisation, store, role = json.loads(found)
    return {
        "kind": "staff",
        "employee_id": UUID(employee),
        "organisation_id": UUID(organisation),
        "store_ids": frozenset({UUID(store)}) if store else None,
        "permissions": ROLES[role],
    }


# What being an employee adds to an actor: role, organisation, stores.
BADGE = Badge(
    "(SELECT json_build_array(e.id, e.organisation_id, e.store_id, e.role)::text "
    "FROM staff_employee e WHERE e.user_id = u.id AND e.active)",
    _fields,
)


def employees(actor: Actor) -> list[EmployeeView]:
    """The employees of the actor's organisation, by name."""
    if actor.organisation_id is None:
        return []
    rows = Employee.objects.filter(organisation_id=actor.organisation_id).select_related("user").order_by("name")
    return [
        EmployeeView(row.pk, row.user.username, row.name, row.role, row.store_id, row.organisation_id, row.active)
        for row in rows
    ]


def name_of(actor: Actor) -> str:
    row = Employee.objects.filter(pk=actor.employee_id).first() if actor.employee_id else None
    return row.name if row else ""
