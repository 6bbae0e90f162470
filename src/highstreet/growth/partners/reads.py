"""Keys, endpoints and their log as values; and whose an API key is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from highstreet.kernel import clock, paging
from highstreet.kernel.policy import Actor, require
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.people.accounts.reads import digest
from highstreet.people.staff.policy import SCOPES
from highstreet.supply.stores import reads as stores

from . import rules
from .models import ApiKey, Attempt, Endpoint, Sending

USED_EVERY = timedelta(minutes=1)


class KeyBearer:
    """Fills `people.accounts.ports.bearers`: nothing is remembered, so what is revoked is revoked at once."""

    prefix = rules.KEY_PREFIX

    def actor_of(self, token: str, *, language: str) -> Actor | None:
        at = clock.now()
        live = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=at))
        row = ApiKey.objects.filter(live, digest=digest(token)).first()
        if row is None:
            return None
        if row.last_used_at is None or row.last_used_at <= at - USED_EVERY:
            stale = Q(last_used_at=None) | Q(last_used_at__lte=at - USED_EVERY)
            ApiKey.objects.filter(stale, pk=row.pk).update(last_used_at=at)
        return Actor(
            kind="partner",
            key_id=row.pk,
            organisation_id=row.organisation_id,
            store_ids=_store_ids(row),
            permissions=SCOPES & frozenset(row.scopes),
            limits=row.limits,
            language=language,
        )


def _store_ids(row: ApiKey) -> frozenset[UUID] | None:
    if row.city_id is not None:
        return stores.ids_in(row.city_id)
    return None if row.stores is None else frozenset(UUID(one) for one in row.stores)


@dataclass(frozen=True)
class KeyView:
    """A key without what opens anything. `store_ids` None: the city's stores, or (without `city_id`) every store."""

    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    store_ids: list[UUID] | None
    city_id: UUID | None
    limits: dict[str, int]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    @property
    def live(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > clock.now())


@dataclass(frozen=True)
class EndpointView:
    """An endpoint without its secrets. `both_sign_until`: while an old secret still signs."""

    id: UUID
    url: str
    events: list[str]
    active: bool
    disabled_reason: str
    failing_since: datetime | None
    both_sign_until: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class TryView:
    at: datetime
    duration_ms: int
    status: int | None
    error: str
    answer: str


@dataclass(frozen=True)
class SendingView:
    """A message on its way to an endpoint; `tries` are those of the log, the last first."""

    id: UUID
    message_id: UUID
    type: str
    entity: UUID
    body: str
    status: str
    next_at: datetime
    created_at: datetime
    tries: list[TryView]


def keys(actor: Actor, *, cursor: str = "", limit: int = 50) -> tuple[list[KeyView], str]:
    """The organisation's keys, newest first, and the next page's cursor."""
    rows = _own_keys(actor).filter(paging.beyond(cursor, "created_at"))
    found = [_key(row) for row in rows.order_by("-created_at", "-pk")[: limit + 1]]
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], paging.cursor(last.created_at, last.id) if last else ""


def key(actor: Actor, key_id: UUID) -> KeyView:
    """One key of the organisation; NOT_FOUND otherwise."""
    row = _own_keys(actor).filter(pk=key_id).first()
    if row is None:
        raise Refused(NOT_FOUND)
    return _key(row)


def endpoints(actor: Actor) -> list[EndpointView]:
    """The organisation's endpoints, oldest first; at most ten."""
    return [_endpoint(row) for row in _own(actor).order_by("created_at", "pk")[: rules.MAX_ENDPOINTS]]


def endpoint(actor: Actor, endpoint_id: UUID) -> EndpointView:
    """One endpoint of the organisation; NOT_FOUND otherwise."""
    row = _own(actor).filter(pk=endpoint_id).first()
    if row is None:
        raise Refused(NOT_FOUND)
    return _endpoint(row)


def switched_off(actor: Actor) -> list[EndpointView]:
    """The endpoints that we switched off, for the console's alerts: somebody must look."""
    return [_endpoint(row) for row in _own(actor).filter(disabled_reason__in=["gone", "failing"]).order_by("pk")]


def sendings(
    actor: Actor, endpoint_id: UUID, *, status: str = "", cursor: str = "", limit: int = 30
) -> tuple[list[SendingView], str]:
    """An endpoint's log, newest first, and the next page's cursor. NOT_FOUND unless it is the actor's."""
    if not _own(actor).filter(pk=endpoint_id).exists():
        raise Refused(NOT_FOUND)
    rows = Sending.objects.filter(endpoint_id=endpoint_id).select_related("message").prefetch_related("attempts")
    if status:
        rows = rows.filter(status=status)
    rows = rows.filter(paging.beyond(cursor, "created_at"))
    found = [_sending(row) for row in rows.order_by("-created_at", "-pk")[: limit + 1]]
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], paging.cursor(last.created_at, last.id) if last else ""


def _own_keys(actor: Actor) -> QuerySet[ApiKey]:
    require(actor, "keys.manage")
    if actor.organisation_id is None:
        return ApiKey.objects.none()
    return ApiKey.objects.filter(organisation_id=actor.organisation_id)


def _own(actor: Actor) -> QuerySet[Endpoint]:
    require(actor, "webhooks.manage")
    if actor.organisation_id is None or actor.store_ids is not None:
        return Endpoint.objects.none()
    return Endpoint.objects.filter(organisation_id=actor.organisation_id, removed_at=None)


def _key(row: ApiKey) -> KeyView:
    return KeyView(
        row.pk,
        row.name,
        row.prefix,
        list(row.scopes),
        None if row.stores is None else [UUID(one) for one in row.stores],
        row.city_id,
        row.limits,
        row.created_at,
        row.expires_at,
        row.revoked_at,
        row.last_used_at,
    )


def _endpoint(row: Endpoint) -> EndpointView:
    overlap = row.old_until if row.old_until is not None and row.old_until > clock.now() else None
    return EndpointView(
        row.pk, row.url, list(row.events), row.active, row.disabled_reason, row.failing_since, overlap, row.created_at
    )


def _sending(row: Sending) -> SendingView:
    tries: list[Attempt] = sorted(row.attempts.all(), key=lambda one: (one.at, one.pk), reverse=True)
    return SendingView(
        row.pk,
        row.message_id,
        row.message.type,
        row.entity,
        row.message.body,
        row.status,
        row.next_at,
        row.created_at,
        [TryView(one.at, one.duration_ms, one.status, one.error, one.answer) for one in tries],
    )
