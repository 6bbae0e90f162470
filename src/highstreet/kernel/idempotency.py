"""Idempotency keys: the same request sent again gets the same answer, and its effect happens once.

The record is keyed (subject, endpoint, key), carries the request's hash and is written in the transaction
of the effect. A twin request waits on the unique index until the first one ends, then reads its answer.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connection
from psycopg.errors import LockNotAvailable, QueryCanceled

from . import clock, failpoints
from .ids import new_id
from .models import IdempotencyRecord
from .refusal import Refused
from .refusals import INVALID, KEY_IN_FLIGHT, KEY_MISSING, KEY_REUSED
from .transactions import anew

MAX_KEY = 80
KEY_PATTERN = r"^[!-~]+$"
# How long an answer is kept (privacy/own.py has it forgotten). A caller that tries again later starts anew.
KEPT = timedelta(days=2)


def once(*, subject: str, endpoint: str, key: str, body: bytes, work: Callable[[], tuple[int, Any]]) -> tuple[int, Any]:
    """Run `work` unless this key already has its answer. Returns (status, JSON body).

    A refusal raised by `work` is not kept: nothing happened, so the caller may try again with the same key.
    """
    if not key:
        raise Refused(KEY_MISSING)
    if len(key) > MAX_KEY or not re.fullmatch(KEY_PATTERN, key):
        raise Refused(INVALID, field="Idempotency-Key", problem=f"1-{MAX_KEY}")
    digest = hashlib.sha256(body).hexdigest()
    failpoints.reach("idempotency.begin", endpoint.partition(" ")[0])
    names = (subject[:80], endpoint[:120], key)
    answer = anew(lambda: _once(names=names, digest=digest, work=work))
    failpoints.reach("idempotency.committed", endpoint.partition(" ")[0])
    return answer


def _once(*, names: tuple[str, str, str], digest: str, work: Callable[[], tuple[int, Any]]) -> tuple[int, Any]:
    record = new_id()
    if not _first(record, names, digest):
        kept = IdempotencyRecord.objects.get(subject=names[0], endpoint=names[1], key=names[2])
        if kept.request_hash != digest:
            raise Refused(KEY_REUSED)
        assert kept.status is not None
        return kept.status, kept.body
    status, answer = work()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_idempotencyrecord SET status = %s, body = %s::jsonb WHERE id = %s",
            [status, json.dumps(answer), record],
        )
    failpoints.reach("idempotency.answered", names[1].partition(" ")[0])
    return status, answer


def _first(record: UUID, names: tuple[str, str, str], digest: str) -> bool:
    """Whether this request is the first of its key; waits for a twin that is being worked on, though not for ever.

    The first may then take longer than a read (settings.CHANGE_MS): who waits for the last units is in a queue. Set
    in passing, so that it costs no statement of its own.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO kernel_idempotencyrecord (id, subject, endpoint, key, request_hash, at) "
                "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (subject, endpoint, key) DO NOTHING "
                "RETURNING set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true)",
                [record, *names, digest, clock.now(), *[str(settings.CHANGE_MS)] * 2],
            )
            return bool(cursor.rowcount == 1)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable | QueryCanceled):
            raise Refused(KEY_IN_FLIGHT) from error
        raise
