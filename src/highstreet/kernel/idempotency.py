"""Idempotency keys: the same request sent again gets the same answer, and its effect happens once.

The record is keyed (subject, endpoint, key), carries the request's hash and is written in the transaction
of the effect. A twin request waits on the unique index until the first one ends, then reads its answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.db import connection

from . import clock
from .ids import new_id
from .models import IdempotencyRecord
from .policy import whole
from .refusal import Refused
from .refusals import INVALID, KEY_MISSING, KEY_REUSED

MAX_KEY = 80


def once(*, subject: str, endpoint: str, key: str, body: bytes, work: Callable[[], tuple[int, Any]]) -> tuple[int, Any]:
    """Run `work` unless this key already has its answer. Returns (status, JSON body).

    A refusal raised by `work` is not kept: nothing happened, so the caller may try again with the same key.
    """
    if not key:
        raise Refused(KEY_MISSING)
    if len(key) > MAX_KEY or not key.isprintable():
        raise Refused(INVALID, field="Idempotency-Key", problem=f"1-{MAX_KEY}")
    digest = hashlib.sha256(body).hexdigest()
    with whole():
        record, names = new_id(), (subject[:80], endpoint[:120], key)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO kernel_idempotencyrecord (id, subject, endpoint, key, request_hash, at) "
                "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (subject, endpoint, key) DO NOTHING",
                [record, *names, digest, clock.now()],
            )
            first = cursor.rowcount == 1
        if not first:
            kept = IdempotencyRecord.objects.get(subject=names[0], endpoint=names[1], key=key)
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
        return status, answer
