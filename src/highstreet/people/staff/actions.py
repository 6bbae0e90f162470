"""Hire, change a role, dismiss."""

from __future__ import annotations

from uuid import UUID

from highstreet.kernel import ids
from highstreet.kernel.policy import Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID, NOT_FOUND

from .models import Employee
from .policy import ROLES


@action("staff.manage")
def hire(
    *, actor: Actor, user_id: UUID, organisation_id: UUID, role: str, name: str, store_id: UUID | None = None
) -> UUID:
    """Give a user a job; the same user again changes the job they have."""
    if role not in ROLES:
        raise Refused(INVALID, field="role", problem=role)
    row, _ = Employee.objects.update_or_create(
        user_id=user_id,
        defaults={"organisation_id": organisation_id, "role": role, "name": name, "store_id": store_id, "active": True},
        create_defaults={
            "id": ids.new_id(),
            "organisation_id": organisation_id,
            "role": role,
            "name": name,
            "store_id": store_id,
        },
    )
    return row.pk


@action("staff.manage")
def set_active(*, actor: Actor, employee_id: UUID, active: bool) -> None:
    """Dismiss or take back an employee of the actor's organisation; takes effect on the next request."""
    changed = Employee.objects.filter(pk=employee_id, organisation_id=_own(actor)).update(active=active)
    if changed != 1:
        raise Refused(NOT_FOUND)


@action("staff.manage")
def set_role(*, actor: Actor, employee_id: UUID, role: str) -> None:
    """Change what an employee of the actor's organisation may do."""
    if role not in ROLES:
        raise Refused(INVALID, field="role", problem=role)
    changed = Employee.objects.filter(pk=employee_id, organisation_id=_own(actor)).update(role=role)
    if changed != 1:
        raise Refused(NOT_FOUND)


def _own(actor: Actor) -> UUID:
    if actor.organisation_id is None:
        raise Refused(NOT_FOUND)
    return actor.organisation_id
