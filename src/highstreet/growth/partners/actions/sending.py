"""Send what is due: claim a sending, go out with no transaction open, write down what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from cryptography.fernet import InvalidToken
from django.db import connection, transaction

from highstreet.kernel import clock, ids, outbox, queue
from highstreet.kernel.outward import Barred, Outward, Unreachable, outward
from highstreet.kernel.policy import SYSTEM, Actor, action, require

from .. import rules
from ..models import Attempt, Endpoint, Message, Sending
from ..sealing import unseal

log = structlog.get_logger(__name__)
# How many tries an endpoint gets at once; one that fails gets one, so that it cannot keep the workers busy.
AT_ONCE = 4
SWEEP = 200
SHOWN_ANSWER = 500
# A claim outlives the longest try; in seconds of the wall, as the connection is.
CLAIM_SECONDS = 40
_FIRST = (
    "NOT EXISTS (SELECT 1 FROM partners_sending p WHERE p.endpoint_id = s.endpoint_id AND p.entity = s.entity "
    "AND p.status = 'waiting' AND p.event < s.event)"
)
_FREE = "s.status = 'waiting' AND s.next_at <= %(now)s AND (s.claimed_until IS NULL OR s.claimed_until < %(now)s)"
_LOCK = (
    "SELECT e.id FROM partners_endpoint e JOIN partners_sending s ON s.endpoint_id = e.id WHERE s.id = %s "
    "FOR NO KEY UPDATE OF e"
)
_CLAIM = f"""
UPDATE partners_sending s SET claimed_until = %(until)s, tries = s.tries + 1 FROM partners_endpoint e
WHERE s.id = %(id)s AND e.id = s.endpoint_id AND e.active AND {_FREE} AND {_FIRST}
AND (SELECT count(*) FROM partners_sending c WHERE c.endpoint_id = s.endpoint_id AND c.status = 'waiting'
     AND c.claimed_until >= %(now)s) < CASE WHEN e.failing_since IS NULL THEN %(most)s ELSE 1 END
"""  # noqa: S608 (our own constants)
_DUE = f"""
SELECT id FROM (
    SELECT s.id, s.next_at, row_number() OVER (PARTITION BY s.endpoint_id ORDER BY s.next_at, s.event) AS place
    FROM partners_sending s JOIN partners_endpoint e ON e.id = s.endpoint_id
    WHERE e.active AND {_FREE} AND {_FIRST} AND (%(endpoint)s::uuid IS NULL OR s.endpoint_id = %(endpoint)s)
) due WHERE place <= %(each)s ORDER BY next_at LIMIT %(most)s
"""  # noqa: S608 (our own constants)


@dataclass(frozen=True)
class Outcome:
    """What a try came to: an answer's status and beginning, or the error that stood in its place."""

    status: int | None
    error: str
    answer: str
    duration_ms: int

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def send(*, actor: Actor, sending_id: UUID, way: Outward | None = None) -> Outcome | None:
    """Try once, unless it is not due, not the first of its entity, or somebody else is at it (then None).

    Never in a transaction: the endpoint may take 15 seconds to answer.
    """
    require(actor, SYSTEM)
    until = _claim(sending_id)
    if until is None:
        return None
    row = Sending.objects.select_related("endpoint", "message").get(pk=sending_id)
    outcome = _try(row.endpoint, row.message, way or outward())
    _record(sending_id, outcome, until)
    return outcome


send.__policy__ = SYSTEM  # type: ignore[attr-defined]


@action(SYSTEM)
def sweep(*, actor: Actor) -> int:
    """Have everything sent that is due: tries again, and what was lost with its worker. Returns how many."""
    return _defer_due(None, each=AT_ONCE, most=SWEEP)


def _claim(sending_id: UUID) -> datetime | None:
    """Until when it is ours; None when it is not. Before it, no earlier event of the entity may still be on its way to
    us. One conditional UPDATE under the endpoint's lock: two who count its claims at once would both find room."""
    known = Sending.objects.filter(pk=sending_id).values_list("entity", "event").first()
    if known is None or outbox.waiting("growth.partners.handlers.publish", naming=known[0], before=known[1]):
        return None
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK, [sending_id])
        now = clock.now()
        until = now + timedelta(seconds=CLAIM_SECONDS * clock.speed())
        cursor.execute(_CLAIM, {"id": sending_id, "now": now, "until": until, "most": AT_ONCE})
        return until if cursor.rowcount == 1 else None


def _try(endpoint: Endpoint, message: Message, way: Outward) -> Outcome:
    began = clock.wall()
    status, error, answer = None, "", ""
    try:
        body = message.body.encode()
        reply = way.post(endpoint.url, body, _headers(endpoint, message, body))
        status, answer = reply.status, reply.body.decode("utf-8", "replace").replace("\x00", "")[:SHOWN_ANSWER]
    except (Barred, Unreachable) as failed:
        error = failed.code
    except InvalidToken:
        error = "secret"
    return Outcome(status, error, answer, round((clock.wall() - began) * 1000))


def _headers(endpoint: Endpoint, message: Message, body: bytes) -> dict[str, str]:
    secrets = [unseal(endpoint.secret)]
    if endpoint.old_until is not None and endpoint.old_until > clock.now():
        secrets.append(unseal(endpoint.old_secret))
    name, timestamp = ids.public("evt", message.pk), int(clock.wall())
    return {
        "Content-Type": "application/json",
        "User-Agent": "Highstreet-Webhooks/1",
        "webhook-id": name,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": rules.signature(secrets, name, timestamp, body),
    }


def _record(sending_id: UUID, outcome: Outcome, until: datetime) -> None:
    """Write down what came of a try. Whoever took longer than the claim of `until` decides nothing by failing: somebody
    else has it, or has sent it."""
    now = clock.now()
    with transaction.atomic():
        # The endpoint before its sending, as everybody locks them.
        endpoint_id = Sending.objects.values_list("endpoint_id", flat=True).get(pk=sending_id)
        endpoint = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint_id)
        row = Sending.objects.select_for_update(no_key=True).get(pk=sending_id)
        Attempt.objects.create(
            id=ids.new_id(),
            sending=row,
            at=now,
            duration_ms=outcome.duration_ms,
            status=outcome.status,
            error=outcome.error,
            answer=outcome.answer,
        )
        if row.status != "waiting" or (row.claimed_until != until and not outcome.taken):
            return
        row.claimed_until = None
        if outcome.taken:
            row.status, row.ended_at = "sent", now
        else:
            chance = ids.random_below(1000) / 1000
            again = rules.next_try(now, row.tries, chance) if outcome.status != rules.GONE else None
            row.status, row.next_at = ("waiting", again) if again else ("failed", row.next_at)
            row.ended_at = None if again else now
        row.save()
        _judge(endpoint, outcome, now)
        _defer_due(endpoint.pk, each=1, most=1)


def _judge(endpoint: Endpoint, outcome: Outcome, now: datetime) -> None:
    """An endpoint that is gone, or has failed for five days, is switched off; the console says so."""
    if outcome.taken:
        if endpoint.failing_since is not None:
            Endpoint.objects.filter(pk=endpoint.pk).update(failing_since=None)
        return
    since = endpoint.failing_since or now
    off = "gone" if outcome.status == rules.GONE else "failing" if rules.gives_up(since, now) else ""
    values: dict[str, object] = {"failing_since": since}
    if off and endpoint.active:
        values |= {"active": False, "disabled_reason": off, "changed_at": now}
        log.warning("partners.endpoint_off", endpoint=str(endpoint.pk), reason=off)
    Endpoint.objects.filter(pk=endpoint.pk).update(**values)


def _defer_due(endpoint_id: UUID | None, *, each: int, most: int) -> int:
    values = {"now": clock.now(), "endpoint": endpoint_id, "each": each, "most": most}
    with connection.cursor() as cursor:
        cursor.execute(_DUE, values)
        due = [{"sending_id": str(row[0])} for row in cursor.fetchall()]
    queue.defer_all("partners.send", due)
    return len(due)
