"""Cursors of lists that grow at the top: where a page ended, by (moment, id). Opaque to whoever holds one."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

_MOST_MICROSECONDS = 253_402_300_799_000_000


def cursor(at: datetime, row: UUID) -> str:
    """The cursor after a row."""
    seconds = int(at.replace(microsecond=0).timestamp())
    return f"{seconds * 1_000_000 + at.microsecond}-{row.hex}"


def after(text: str) -> tuple[datetime, UUID] | None:
    """The row a cursor stands for; None for the first page and for what is no cursor."""
    moment, _, row = text.partition("-")
    if not (moment.isascii() and moment.isdigit() and len(moment) <= 18 and int(moment) <= _MOST_MICROSECONDS):
        return None
    try:
        seconds, micros = divmod(int(moment), 1_000_000)
        return datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=micros), UUID(hex=row)
    except ValueError:
        return None
