"""Hire, change a role, dismiss; set what roles may at most. Whoever's role changes is signed out everywhere."""

from __future__ import annotations

from uuid import UUID

from django.db.models import F, Q

from highstreet.kernel import ids
from highstreet.kernel.policy import SYSTEM, THE_SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID, NOT_FOUND
from highstreet.people.accounts import actions as accounts
from highstreet.people.accounts import reads as users

from .models import Employee, RoleLimit, Safeguard
from .policy import LIMITED, ROLES
from .refusals import EMPLOYED_ELSEWHERE, LAST_OWNER, OWNERS_HAVE_NONE, YOURSELF_FIRST

OWNER = "owner"
MOST = 10**9


@action("staff.manage")
def hire(
    *,
    actor: Actor,
    user_id: UUID,
    organisation_id: UUID,
    role: str,
    name: str,
    store_id: UUID | None = None,
    city_id: UUID | None = None,
) -> UUID:
    """Give a user a job in the actor's organisation; the same user again changes the job they have there.

    In a store, in the stores of a city, or (neither) in all.
    Refuses INVALID, NOT_FOUND (another organisation, or a store that is not its own), EMPLOYED_ELSEWHERE and
    LAST_OWNER.
    """
    if role not in ROLES or (store_id is not None and city_id is not None):
        raise Refused(INVALID, field="role", problem=role)
    if actor.kind != SYSTEM and organisation_id != actor.organisation_id:
        raise Refused(NOT_FOUND)
    owners = _owners(organisation_id)
    known = Employee.objects.select_for_update(no_key=True).filter(user_id=user_id).first()
    if known is not None and known.organisation_id != organisation_id:
        if known.active:
            raise Refused(EMPLOYED_ELSEWHERE)
        known.delete()
    job = {
        "organisation_id": organisation_id,
        "role": role,
        "name": name,
        "store_id": store_id,
        "city_id": city_id,
        "active": True,
    }
    row, _ = Employee.objects.update_or_create(
        user_id=user_id, defaults=job, create_defaults={"id": ids.new_id(), **job}
    )
    own = Q(store=None) | Q(store__organisation=F("organisation")) | Q(store__city__retailer=F("organisation"))
    if not Employee.objects.filter(own, Q(city=None) | Q(city__retailer=F("organisation")), pk=row.pk).exists():
        raise Refused(NOT_FOUND)
    _keep_an_owner(owners, row.pk, stays=role == OWNER)
    if known is not None and (known.role, known.store_id, known.city_id) != (role, store_id, city_id):
        accounts.end_sign_ins(actor=THE_SYSTEM, user_id=user_id)
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
    if not active:
        _sign_out(employee_id)


@action("staff.manage")
def set_role(*, actor: Actor, employee_id: UUID, role: str) -> None:
    """Change what an employee of the actor's organisation may do. Refuses INVALID, NOT_FOUND and LAST_OWNER."""
    if role not in ROLES:
        raise Refused(INVALID, field="role", problem=role)
    owners = _owners(_own(actor))
    row = Employee.objects.select_for_update(no_key=True).filter(pk=employee_id, organisation_id=_own(actor)).first()
    if row is None:
        raise Refused(NOT_FOUND)
    if row.role == role:
        return
    Employee.objects.filter(pk=row.pk).update(role=role)
    _keep_an_owner(owners, employee_id, stays=role == OWNER)
    _sign_out(employee_id)


@action("staff.manage")
def set_limit(*, actor: Actor, role: str, permission: str, most: int | None) -> None:
    """What a role may at most in the actor's organisation, in the permission's unit; None: no limit.

    It counts from the next request on. Refuses INVALID and OWNERS_HAVE_NONE.
    """
    if role not in ROLES or permission not in LIMITED or permission not in ROLES[role]:
        raise Refused(INVALID, field="permission", problem=f"{role}: {permission}"[:80])
    if role == OWNER:
        raise Refused(OWNERS_HAVE_NONE)
    if most is not None and not 0 <= most <= MOST:
        raise Refused(INVALID, field="most", problem=f"0-{MOST}")
    RoleLimit.objects.update_or_create(
        organisation_id=_own(actor),
        role=role,
        permission=permission,
        defaults={"most": most},
        create_defaults={"id": ids.new_id(), "most": most},
    )


@action("staff.manage")
def ask_second_factor(*, actor: Actor, asked: bool) -> None:
    """Whether roles that move money, stock, prices or people need a second factor. From the next request on.

    Refuses YOURSELF_FIRST to who has none of their own.
    """
    if asked and (actor.user_id is None or not users.has_second_factor(actor.user_id)):
        raise Refused(YOURSELF_FIRST)
    Safeguard.objects.update_or_create(organisation_id=_own(actor), defaults={"second_factor": asked})


def _sign_out(employee_id: UUID) -> None:
    user_id = Employee.objects.values_list("user_id", flat=True).get(pk=employee_id)
    accounts.end_sign_ins(actor=THE_SYSTEM, user_id=user_id)


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
