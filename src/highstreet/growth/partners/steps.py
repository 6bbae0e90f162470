"""What several actions do first: whose it is, and whether we may go there."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from highstreet.kernel.policy import Actor
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND

from .models import Endpoint
from .refusals import NOT_ALL_STORES, PERSONS_ONLY, TARGET_BARRED


def person_of(actor: Actor) -> UUID:
    """The organisation of a person; a key makes no keys, however it came by the permission."""
    if actor.key_id is not None:
        raise Refused(PERSONS_ONLY)
    if actor.organisation_id is None:
        raise Refused(NOT_FOUND)
    return actor.organisation_id


def organisation_of(actor: Actor) -> UUID:
    """Whose endpoints `actor` keeps. Events are of all stores, so who has some of them keeps none."""
    if actor.organisation_id is None:
        raise Refused(NOT_FOUND)
    if actor.store_ids is not None:
        raise Refused(NOT_ALL_STORES)
    return actor.organisation_id


def one_at_a_time(organisation_id: UUID) -> None:
    """Whoever adds something that is counted waits for who does so now, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"partners:{organisation_id}"])


def own_endpoint(actor: Actor, endpoint_id: UUID) -> Endpoint:
    """The endpoint, locked. Refuses NOT_FOUND."""
    rows = Endpoint.objects.select_for_update(no_key=True)
    row = rows.filter(pk=endpoint_id, organisation_id=organisation_of(actor), removed_at=None).first()
    if row is None:
        raise Refused(NOT_FOUND)
    return row


@dataclass(frozen=True)
class Place:
    """An address that was looked up; `barred` says why we do not go there, and is empty when we do."""

    url: str
    barred: str


def must_be_open(place: Place) -> None:
    if place.barred:
        raise Refused(TARGET_BARRED, why=place.barred)
