"""From an event to who hears of it; and telling it again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from highstreet.kernel import clock, ids, outbox, queue
from highstreet.kernel.policy import SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.trade.orders import reads as orders

from .. import payloads
from ..models import Endpoint, Message, Sending
from ..refusals import STILL_OFF
from ..steps import own_endpoint

MAX_REPLAY = 5000
# As streams look back for what had drawn its number and was not committed yet.
LOOK_BACK = 50


@action(SYSTEM)
def publish(*, actor: Actor, event: Any) -> None:
    """Write an event down for each organisation whose order it is and that has an endpoint for it, and send it."""
    kind = payloads.kind_of(event)
    wanted = Endpoint.objects.filter(removed_at=None, events__contains=[kind.name])
    if not wanted.exists():
        return
    order_id: UUID = getattr(event, kind.order)
    parties, at, number = orders.parties(order_id), clock.now(), outbox.event_id()
    told: dict[UUID, Message] = {}
    sendings = []
    for endpoint in wanted.filter(organisation_id__in=parties.organisation_ids).order_by("created_at"):
        if endpoint.organisation_id not in told:
            told[endpoint.organisation_id] = Message.objects.create(
                id=ids.new_id(),
                organisation_id=endpoint.organisation_id,
                event=number,
                type=kind.name,
                entity=order_id,
                body=payloads.body(
                    kind, event, at=at, number=parties.number, order_id=order_id, store_id=parties.store_id
                ),
                at=at,
            )
        if endpoint.active:
            sendings.append(_sending(endpoint, told[endpoint.organisation_id]))
    Sending.objects.bulk_create(sendings)
    queue.defer_all("partners.send", [{"sending_id": str(one.pk)} for one in sendings])


@action("webhooks.manage")
def resend(*, actor: Actor, endpoint_id: UUID, sending_id: UUID) -> None:
    """Send one message of an endpoint again, with its own id, from its first try on.

    Refuses NOT_FOUND, and STILL_OFF while the endpoint is.
    """
    row = own_endpoint(actor, endpoint_id)
    if not row.active:
        raise Refused(STILL_OFF)
    found = Sending.objects.filter(pk=sending_id, endpoint=row)
    again = {"status": "waiting", "tries": 0, "next_at": clock.now(), "claimed_until": None, "ended_at": None}
    if found.exclude(status="waiting").update(**again) == 0:
        if not found.exists():
            raise Refused(NOT_FOUND)
        found.update(next_at=clock.now())
    queue.defer("partners.send", sending_id=str(sending_id))


@action("webhooks.manage")
def replay(*, actor: Actor, endpoint_id: UUID, after: UUID | None) -> int:
    """Send everything that came after the message `after` (None: all that is kept), at most 5,000. Returns how many.

    What is waiting already is not doubled. Refuses NOT_FOUND (the endpoint, or the message), and STILL_OFF.
    """
    row = own_endpoint(actor, endpoint_id)
    if not row.active:
        raise Refused(STILL_OFF)
    since = 0
    if after is not None:
        known = Message.objects.filter(pk=after, organisation_id=row.organisation_id).values_list("event", flat=True)
        if (number := known.first()) is None:
            raise Refused(NOT_FOUND)
        since = number
    messages = Message.objects.filter(organisation_id=row.organisation_id, type__in=row.events)
    # An event's number is drawn before its transaction commits: what has a smaller one and was never sent came later.
    never = Q(event__gt=since - LOOK_BACK) & ~Exists(Sending.objects.filter(endpoint=row, message=OuterRef("pk")))
    chosen = list(messages.filter(Q(event__gt=since) | never).order_by("event")[:MAX_REPLAY])
    rows = [_sending(row, message) for message in chosen]
    Sending.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE partners_sending SET status = 'waiting', tries = 0, next_at = %s, claimed_until = NULL, "
            "ended_at = NULL WHERE endpoint_id = %s AND status <> 'waiting' AND message_id = ANY(%s)",
            [clock.now(), row.pk, [message.pk for message in chosen]],
        )
    return len(chosen)


def _sending(endpoint: Endpoint, message: Message) -> Sending:
    at = clock.now()
    return Sending(
        id=ids.new_id(),
        endpoint=endpoint,
        message=message,
        event=message.event,
        entity=message.entity,
        next_at=at,
        created_at=at,
    )
