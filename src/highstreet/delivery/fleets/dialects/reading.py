"""Texts, numbers and times of what a fleet says, however it says them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

MOST_TEXT = 200
# 2000 to 2100: what is no time of a delivery is none.
_FIRST, _LAST = 946_684_800, 4_102_444_800


def objects(body: bytes) -> dict[str, Any]:
    """A JSON object; numbers with a point are kept exact. ValueError for anything else."""
    try:
        found = json.loads(body.decode("utf-8"), parse_float=str)
    except (ValueError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def text(found: Mapping[str, Any], name: str, most: int = MOST_TEXT) -> str:
    """A text or a whole number as text, on one line; "" for what is neither. Only what a database can keep."""
    value = found.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**40 else ""
    if not isinstance(value, str):
        return ""
    kept = value.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")
    return " ".join(kept.split())[:most]


def moment(found: Mapping[str, Any], name: str) -> datetime | None:
    """Unix seconds as a time."""
    value = text(found, name, 20)
    if not (value.isascii() and value.isdigit()) or not _FIRST <= int(value) <= _LAST:
        return None
    return datetime.fromtimestamp(int(value), tz=UTC)


def fen(found: Mapping[str, Any], name: str) -> int | None:
    """Yuan as fen."""
    try:
        yuan = Decimal(text(found, name, 20) or "x")
    except InvalidOperation:
        return None
    return int((yuan * 100).to_integral_value()) if yuan.is_finite() and 0 <= yuan < 10**7 else None


def yuan(amount: int) -> str:
    return f"{amount // 100}.{amount % 100:02d}"


def fingerprint(*facts: str) -> str:
    """An identifier of what was said: fleets number orders, not messages, so the same words are the same message."""
    return hashlib.sha256("\x00".join(facts).encode()).hexdigest()[:40]
