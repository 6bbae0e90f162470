"""The outbox: facts written in the transaction of their effect, handled at least once, applied exactly once.

`emit` writes the event, one delivery row for each handler, and the jobs that run them; `deliver` claims a
delivery row and runs its handler in one transaction. Event streams follow the table by id, woken by NOTIFY.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import structlog
from django.db import connection, transaction

from . import clock, failpoints, queue, rows
from .models import OutboxDelivery

log = structlog.get_logger(__name__)
E = TypeVar("E")
CHANNEL = "highstreet"
MAX_FAILURES = 8

_handlers: dict[str, list[str]] = {}
_functions: dict[str, Callable[[Any], None]] = {}
_events: dict[str, type[Any]] = {}
_handling: ContextVar[int] = ContextVar("the event being handled")


def on(event: type[E], handler: Callable[[E], None]) -> None:
    """Have `handler` run once for each `event`. Called when the application is ready; not in tests' bodies."""
    name = f"{handler.__module__}.{handler.__qualname__}".removeprefix("highstreet.")
    _events[event.__name__] = event
    _functions[name] = handler
    names = _handlers.setdefault(event.__name__, [])
    if name not in names:
        names.append(name)


def emit(event: Any, *, topics: Iterable[str] = ()) -> None:
    """Write a frozen dataclass of plain values and UUIDs; tell the streams of `topics`.

    A topic is `kind:uuid` (`order:…`, `store:…`). Must run inside a transaction; within `rows.together` the facts
    are written when it ends.
    """
    name = type(event).__name__
    fact = {
        "name": name,
        "payload": _plain(dataclasses.asdict(event)),
        "topics": sorted(set(topics)),
        "handlers": _handlers.get(name, []),
    }
    kept = rows.pile(_write)
    if kept is None:
        _write([fact])
    else:
        kept.append(fact)


# One statement for all facts: the events in their order, their handlers' duties, and word to the streams.
_EMIT = """
WITH fact AS MATERIALIZED (
  SELECT nextval('kernel_outboxevent_id_seq') AS id, f.name, f.payload, f.topics, f.handlers
  FROM jsonb_to_recordset(%s::jsonb) AS f (name text, payload jsonb, topics jsonb, handlers jsonb)
), written AS (
  INSERT INTO kernel_outboxevent (id, name, payload, topics, at)
  SELECT id, name, payload, topics, %s::timestamptz FROM fact
), duty AS (
  INSERT INTO kernel_outboxdelivery (event_id, handler, failures, error)
  SELECT fact.id, handler.name, 0, ''
  FROM fact, jsonb_array_elements_text(fact.handlers) WITH ORDINALITY AS handler (name, place)
  ORDER BY fact.id, handler.place RETURNING id
), told AS MATERIALIZED (
  SELECT pg_notify(%s, jsonb_build_object('topics', topics, 'id', id, 'name', name)::text) AS note
  FROM fact WHERE topics <> '[]'
)
SELECT ARRAY(SELECT id FROM duty ORDER BY id), (SELECT count(note) FROM told)
"""


def _write(facts: list[dict[str, Any]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_EMIT, [json.dumps(facts), clock.now(), CHANNEL])
        duties = cursor.fetchone()[0]
    queue.defer_all("kernel.deliver", [{"delivery_id": duty} for duty in duties])
    for fact in facts:
        failpoints.reach("outbox.emit", fact["name"])


def tell(topics: Iterable[str], data: dict[str, Any]) -> None:
    """Wake the streams without keeping anything (positions). Sent when the transaction commits."""
    with connection.cursor() as cursor:
        message = json.dumps({"topics": list(topics), **data}, separators=(",", ":"))
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, message])


def deliver(delivery_id: int) -> bool:
    """Run one delivery's handler, unless it is done. Returns whether it ran. Errors are counted and raised."""
    try:
        with transaction.atomic():
            claimed = OutboxDelivery.objects.filter(pk=delivery_id, done_at=None).update(done_at=clock.now())
            if claimed == 0:
                return False
            delivery = OutboxDelivery.objects.select_related("event").get(pk=delivery_id)
            event = delivery.event
            kind = _events[event.name]
            before = _handling.set(event.pk)
            try:
                _functions[delivery.handler](kind(**_typed(kind, event.payload)))
            finally:
                _handling.reset(before)
            failpoints.reach("outbox.deliver", delivery.handler)
            return True
    except Exception as error:
        OutboxDelivery.objects.filter(pk=delivery_id).update(
            failures=_plus_one(), error=f"{type(error).__name__}: {error}"[:500]
        )
        log.exception("outbox.failed", delivery=delivery_id)
        raise


def event_id() -> int:
    """The number of the event that the calling handler handles; events of one entity are numbered in order."""
    return _handling.get()


def waiting(handler: str, *, naming: UUID, before: int) -> bool:
    """Whether an event numbered below `before` that names `naming` still waits for `handler` (and is not given up)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM kernel_outboxdelivery d JOIN kernel_outboxevent e ON e.id = d.event_id "
            "WHERE d.done_at IS NULL AND d.handler = %s AND d.failures < %s AND e.id < %s "
            "AND EXISTS (SELECT 1 FROM jsonb_each_text(e.payload) f WHERE f.value = %s))",
            [handler, MAX_FAILURES, before, str(naming)],
        )
        return bool(cursor.fetchone()[0])


class Early(Exception):
    """An earlier fact about the same thing has not been handled yet: this one is tried again."""


def after(handler: str, *, naming: UUID) -> None:
    """In a handler: raise `Early` while an earlier event that names `naming` waits for `handler`."""
    if waiting(handler, naming=naming, before=event_id()):
        raise Early(f"{handler} comes first")


def redeliver(older_than: timedelta = timedelta(minutes=2)) -> int:
    """Deliver what has waited too long: its job died with its worker. Returns how many ran; errors are counted."""
    late = OutboxDelivery.objects.filter(
        done_at=None, failures__lt=MAX_FAILURES, event__at__lt=clock.now() - older_than
    )
    ran = 0
    for delivery_id in list(late.order_by("id").values_list("pk", flat=True)[:200]):
        try:
            ran += deliver(delivery_id)
        except Exception:
            log.warning("outbox.still_failing", delivery=delivery_id)
    return ran


def drain(limit: int = 1000) -> int:
    """Deliver what is pending, in order, until nothing is; for tests and operators. Returns how many."""
    done = 0
    while done < limit:
        pending = OutboxDelivery.objects.filter(done_at=None, failures__lt=MAX_FAILURES).order_by("id")
        ids = list(pending.values_list("pk", flat=True)[:100])
        if not ids:
            return done
        for delivery_id in ids:
            deliver(delivery_id)
            done += 1
    return done


def _plus_one() -> Any:
    from django.db.models import F

    return F("failures") + 1


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, UUID) else value


def _typed(kind: type[Any], payload: dict[str, Any]) -> dict[str, Any]:
    """Turn the JSON back into the event's fields: UUIDs where the annotation says so."""
    typed: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        value = payload[field.name]
        typed[field.name] = UUID(value) if value is not None and "UUID" in str(field.type) else value
    return typed
