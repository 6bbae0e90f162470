"""What fleets tell us: verified, kept, answered; then applied by a job, however often and in whatever order."""

from __future__ import annotations

from uuid import UUID

import structlog
from cryptography.fernet import InvalidToken
from django.db import transaction

from highstreet.kernel import clock, failpoints, ids, queue
from highstreet.kernel.policy import PUBLIC, SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused

from ..hearing import hear
from ..models import Fleet, FleetEvent, FleetOrder
from ..providers import Called, FleetProvider, Forged, Unconcerned
from ..refusals import FLEET_NOT_BELIEVED
from ..steps import alert, locked, provider_of

log = structlog.get_logger(__name__)


def receive_callback(*, actor: Actor, fleet_id: UUID, called: Called) -> bytes:
    """Verify a callback and keep it, once; returns what the fleet wants to hear.

    Verified outside the transaction, without any outbound call. FLEET_NOT_BELIEVED, without saying why, for whatever is
    not genuine, or for a fleet that we do not have.
    """
    speaker = _speaker(fleet_id)
    try:
        notice = speaker.verify(called)
    except Unconcerned:
        return speaker.reply
    except Forged as forged:
        log.warning("fleets.not_believed", fleet=str(fleet_id), why=forged.reason)
        raise Refused(FLEET_NOT_BELIEVED) from None
    row = FleetEvent(
        id=ids.new_id(),
        fleet_id=fleet_id,
        event_id=notice.event_id,
        number=notice.number,
        code=notice.code,
        resource=notice.resource,
        received_at=clock.now(),
    )
    with transaction.atomic():
        FleetEvent.objects.bulk_create([row], ignore_conflicts=True)
        kept = FleetEvent.objects.values_list("pk", flat=True).get(fleet_id=fleet_id, event_id=notice.event_id)
        if kept == row.pk:
            queue.defer("fleets.apply", event_id=str(row.pk))
    failpoints.reach("fleets.inbox", "kept")
    return speaker.reply


receive_callback.__policy__ = PUBLIC  # type: ignore[attr-defined]


def greet(*, actor: Actor, fleet_id: UUID, called: Called) -> bytes:
    """The fleet asks whether the address that it was given is ours. FLEET_NOT_BELIEVED when it is not the fleet."""
    try:
        return _speaker(fleet_id).greet(called)
    except Forged as forged:
        log.warning("fleets.not_believed", fleet=str(fleet_id), why=forged.reason)
        raise Refused(FLEET_NOT_BELIEVED) from None


greet.__policy__ = PUBLIC  # type: ignore[attr-defined]


@action(SYSTEM)
def apply_event(*, actor: Actor, event_id: UUID) -> str:
    """Do what a kept callback says, once. Returns its outcome."""
    event = FleetEvent.objects.select_for_update(of=("self",), no_key=True).select_related("fleet").get(pk=event_id)
    if event.applied_at is not None:
        return event.outcome
    known = FleetOrder.objects.filter(fleet_id=event.fleet_id, number=event.number).values_list("pk", flat=True).first()
    if known is None:
        alert(event.fleet_id, "order_unknown", event.number, None, code=event.code)
        outcome = "unknown"
    elif event.fleet.removed_at is not None:
        outcome = "over"
    else:
        told = provider_of(event.fleet).read(event.resource)
        outcome = hear(actor, locked(known), told)
    event.applied_at, event.outcome = clock.now(), outcome[:60]
    event.save(update_fields=["applied_at", "outcome"])
    return outcome


def _speaker(fleet_id: UUID) -> FleetProvider:
    fleet = Fleet.objects.filter(pk=fleet_id, removed_at=None).first()
    try:
        if fleet is not None:
            return provider_of(fleet)
    except InvalidToken:
        log.warning("fleets.secrets", fleet=str(fleet_id))
    raise Refused(FLEET_NOT_BELIEVED)
