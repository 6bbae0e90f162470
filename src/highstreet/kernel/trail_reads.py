"""The audit trail as it is searched: by person, object, permission and day. Callers have checked who may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from . import paging
from .models import Trail


@dataclass(frozen=True)
class TrailView:
    """One deed. `actor` is kind:id; `subjects` are what it was done to, `facts` what was asked for."""

    id: UUID
    at: datetime
    actor: str
    action: str
    permission: str
    request: str
    subjects: list[UUID]
    facts: dict[str, Any]


@dataclass(frozen=True)
class Search:
    """What is looked for; empty: everything. `platform`: also what Highstreet itself did, which has no organisation.
    `among`: only what these people did."""

    among: frozenset[UUID] | None = None
    actor: str = ""
    subject: UUID | None = None
    permission: str = ""
    start: datetime | None = None
    end: datetime | None = None
    platform: bool = False


def found(organisation_id: UUID, search: Search, *, cursor: str = "", limit: int = 50) -> tuple[list[TrailView], str]:
    """An organisation's deeds, newest first, and the next page's cursor."""
    rows = Trail.objects.filter(Q(organisation_id=organisation_id))
    if search.platform and search.subject is not None:
        rows = Trail.objects.filter(Q(organisation_id=organisation_id) | Q(organisation_id=None))
    if search.among is not None:
        rows = rows.filter(actor__in=[f"{kind}:{user}" for kind in ("staff", "system") for user in search.among])
    if search.actor:
        # The same person, whatever they acted as.
        rows = rows.filter(actor__in=[f"{kind}:{search.actor}" for kind in ("staff", "system", "partner")])
    if search.subject is not None:
        rows = rows.filter(subjects__contains=[search.subject])
    if search.permission:
        rows = rows.filter(permission=search.permission)
    if search.start is not None and search.end is not None:
        rows = rows.filter(at__gte=search.start, at__lt=search.end)
    since = paging.after(cursor)
    if since is not None:
        rows = rows.filter(Q(at__lt=since[0]) | Q(at=since[0], pk__lt=since[1]))
    read = list(rows.order_by("-at", "-id")[: limit + 1])
    more = paging.cursor(read[limit - 1].at, read[limit - 1].pk) if len(read) > limit else ""
    return [_view(row) for row in read[:limit]], more


def _view(row: Trail) -> TrailView:
    return TrailView(
        row.pk, row.at, row.actor, row.action, row.permission, row.request, list(row.subjects), dict(row.facts)
    )
