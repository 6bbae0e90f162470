"""Employees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from highstreet.kernel.policy import Actor

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


def badge(user_id: UUID) -> dict[str, Any]:
    """What being an employee adds to an actor: role, organisation, stores."""
    row = Employee.objects.filter(user_id=user_id, active=True).first()
    if row is None:
        return {}
    return {
        "kind": "staff",
        "employee_id": row.pk,
        "organisation_id": row.organisation_id,
        "store_ids": frozenset({row.store_id}) if row.store_id else None,
        "permissions": ROLES[row.role],
    }


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
