"""Hire, change a role, dismiss."""

from __future__ import annotations

from uuid import UUID

from django.db.models import F, Q

from highstreet.kernel import ids
from highstreet.kernel.policy import SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID, NOT_FOUND

from .models import Employee
from .policy import ROLES
from .refusals import EMPLOYED_ELSEWHERE, LAST_OWNER

OWNER = "owner"


@action("staff.manage")
def hire(
    *, actor: Actor, user_id: UUID, organisation_id: UUID, role: str, name: str, store_id: UUID | None = None
) -> UUID:
    """Give a user a job in the actor's organisation; the same user again changes the job they have there.

    Refuses INVALID, NOT_FOUND (another organisation, or a store that is not its own), EMPLOYED_ELSEWHERE and
    LAST_OWNER.
    """
    if role not in ROLES:
        raise Refused(INVALID, field="role", problem=role)
    if actor.kind != SYSTEM and organisation_id != actor.organisation_id:
        raise Refused(NOT_FOUND)
    owners = _owners(organisation_id)
    known = Employee.objects.select_for_update(no_key=True).filter(user_id=user_id).first()
    if known is not None and known.organisation_id != organisation_id:
        if known.active:
            raise Refused(EMPLOYED_ELSEWHERE)
        known.delete()
    job = {"organisation_id": organisation_id, "role": role, "name": name, "store_id": store_id, "active": True}
    row, _ = Employee.objects.update_or_create(
        user_id=user_id, defaults=job, create_defaults={"id": ids.new_id(), **job}
    )
    own = Q(store=None) | Q(store__organisation=F("organisation")) | Q(store__city__retailer=F("organisation"))
    if not Employee.objects.filter(own, pk=row.pk).exists():
        raise Refused(NOT_FOUND)
    _keep_an_owner(owners, row.pk, stays=role == OWNER)
    return row.pk


@action("staff.manage")
def set_active(*, actor: Actor, employee_id: UUID, active: bool) -> None:
    """Dismiss or take back an employee of the actor's organisation; takes effect on the next request.

    Refuses NOT_FOUND and LAST_OWNER.
    """
    owners = _owners(_own(actor))
    changed = Employee.objects.filter(pk=employee_id, organisation_id=_own(actor)).update(active=active)
    if changed != 1:
        raise Refused(NOT_FOUND)
    _keep_an_owner(owners, employee_id, stays=active)


@action("staff.manage")
def set_role(*, actor: Actor, employee_id: UUID, role: str) -> None:
    """Change what an employee of the actor's organisation may do. Refuses INVALID, NOT_FOUND and LAST_OWNER."""
    if role not in ROLES:
        raise Refused(INVALID, field="role", problem=role)
    owners = _owners(_own(actor))
    changed = Employee.objects.filter(pk=employee_id, organisation_id=_own(actor)).update(role=role)
    if changed != 1:
        raise Refused(NOT_FOUND)
    _keep_an_owner(owners, employee_id, stays=role == OWNER)


def _owners(organisation_id: UUID) -> set[UUID]:
    """Who owns now, locked, so that two owners cannot dismiss each other at once."""
    rows = Employee.objects.select_for_update(no_key=True).filter(
        organisation_id=organisation_id, role=OWNER, active=True
    )
    return set(rows.order_by("pk").values_list("pk", flat=True))


def _keep_an_owner(before: set[UUID], changed: UUID, *, stays: bool) -> None:
    if not stays and before == {changed}:
        raise Refused(LAST_OWNER)


def _own(actor: Actor) -> UUID:
    if actor.organisation_id is None:
        raise Refused(NOT_FOUND)
    return actor.organisation_id
