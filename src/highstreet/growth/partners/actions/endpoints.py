"""Where an organisation hears of its orders."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from highstreet.kernel import clock, ids
from highstreet.kernel.outward import Barred, outward
from highstreet.kernel.policy import Actor, action, require
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID

from .. import payloads, rules
from ..models import Endpoint
from ..refusals import TOO_MANY
from ..sealing import seal
from ..steps import Place, must_be_open, one_at_a_time, organisation_of, own_endpoint


@dataclass(frozen=True)
class MadeEndpoint:
    """`secret` is told here and nowhere else."""

    id: UUID
    secret: str


def look_up(*, actor: Actor, url: str) -> Place:
    """Where `url` leads now, before `add_endpoint` or `change_endpoint`: these hold locks, and resolvers take time."""
    require(actor, "webhooks.manage")
    try:
        outward().addresses(url)
    except Barred as barred:
        return Place(url, barred.code)
    return Place(url, "")


look_up.__policy__ = "webhooks.manage"  # type: ignore[attr-defined]


@action("webhooks.manage")
def add_endpoint(*, actor: Actor, place: Place, events: Collection[str]) -> MadeEndpoint:
    """Tell `place` of these types of events from now on.

    Refuses INVALID, TARGET_BARRED (not a public https address, now), NOT_ALL_STORES and TOO_MANY.
    """
    organisation_id = organisation_of(actor)
    wanted = _known(events)
    must_be_open(place)
    one_at_a_time(organisation_id)
    if Endpoint.objects.filter(organisation_id=organisation_id, removed_at=None).count() >= rules.MAX_ENDPOINTS:
        raise Refused(TOO_MANY, most=rules.MAX_ENDPOINTS)
    at, secret = clock.now(), rules.secret_of(ids.random_bytes(32))
    row = Endpoint.objects.create(
        id=ids.new_id(),
        organisation_id=organisation_id,
        url=place.url,
        events=wanted,
        secret=seal(secret),
        created_at=at,
        changed_at=at,
    )
    return MadeEndpoint(row.pk, secret)


@action("webhooks.manage")
def change_endpoint(
    *,
    actor: Actor,
    endpoint_id: UUID,
    place: Place | None = None,
    events: Collection[str] | None = None,
    active: bool | None = None,
) -> None:
    """Change what is not None. Off: what comes meanwhile can be replayed; on: what waited goes out, in order.

    Refuses NOT_FOUND, INVALID, TARGET_BARRED and NOT_ALL_STORES.
    """
    row = own_endpoint(actor, endpoint_id)
    if place is not None:
        must_be_open(place)
        row.url = place.url
    if events is not None:
        row.events = _known(events)
    if active is not None and active != row.active:
        row.active, row.disabled_reason, row.failing_since = active, "" if active else "person", None
    row.changed_at = clock.now()
    row.save()


@action("webhooks.manage")
def rotate_secret(*, actor: Actor, endpoint_id: UUID) -> MadeEndpoint:
    """A new secret. For a day both sign, so that the receiver may change over. Refuses NOT_FOUND."""
    row = own_endpoint(actor, endpoint_id)
    secret = rules.secret_of(ids.random_bytes(32))
    row.old_secret, row.old_until = row.secret, clock.now() + rules.OVERLAP
    row.secret, row.changed_at = seal(secret), clock.now()
    row.save()
    return MadeEndpoint(row.pk, secret)


@action("webhooks.manage")
def remove_endpoint(*, actor: Actor, endpoint_id: UUID) -> None:
    """Nothing is told there any more; its log stays for a month. Refuses NOT_FOUND."""
    row = own_endpoint(actor, endpoint_id)
    row.active, row.disabled_reason, row.removed_at = False, "person", clock.now()
    row.save()


def _known(events: Collection[str]) -> list[str]:
    unknown = sorted(set(events) - payloads.TYPES.keys())
    if unknown or not events:
        raise Refused(INVALID, field="events", problem=", ".join(unknown)[:100] or "1+")
    return sorted(set(events))
