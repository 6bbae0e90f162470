"""Cursors: where a page of a list ended, by (moment, id), so that what comes in meanwhile repeats or hides nothing.

Opaque to whoever holds one; a text that is none is refused.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Q

from .refusal import Refused
from .refusals import INVALID

PATTERN = r"^([0-9]{1,18}-[0-9a-f]{32})?$"
MAX_CURSOR = 60
_MOST_MICROSECONDS = 253_402_300_799_000_000


def cursor(at: datetime, row: UUID) -> str:
    """The cursor after a row."""
    seconds = int(at.replace(microsecond=0).timestamp())
    return f"{seconds * 1_000_000 + at.microsecond}-{row.hex}"


def after(text: str) -> tuple[datetime, UUID] | None:
    """The row a cursor stands for; None for the first page. INVALID for what is no cursor."""
    if not text:
        return None
    moment, _, row = text.partition("-")
    if not re.fullmatch(PATTERN, text) or int(moment) > _MOST_MICROSECONDS:
        raise no_cursor()
    seconds, micros = divmod(int(moment), 1_000_000)
    return datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=micros), UUID(hex=row)


def beyond(text: str, field: str, *, newest_first: bool = True) -> Q:
    """What comes after a cursor in a list ordered by (`field`, pk)."""
    since = after(text)
    if since is None:
        return Q()
    way = "lt" if newest_first else "gt"
    return Q((f"{field}__{way}", since[0])) | Q((field, since[0]), (f"pk__{way}", since[1]))


def no_cursor() -> Refused:
    return Refused(INVALID, field="cursor", problem="not one of ours")
