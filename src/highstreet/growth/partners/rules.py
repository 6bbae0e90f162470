"""When to try again, how to sign, what a key may be given. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Collection
from datetime import datetime, timedelta

KEY_PREFIX = "hs_live_"
SECRET_PREFIX = "whsec_"
SHOWN = 12
MAX_NAME = 60
MAX_ENDPOINTS = 10
MAX_KEY_DAYS = 3650
MAX_LIMIT = 10**9
# How long to wait after the first, second … failed try (Standard Webhooks' schedule, and two more).
WAITS = [
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
]
JITTER = 0.2
OVERLAP = timedelta(hours=24)
GIVE_UP_AFTER = timedelta(days=5)
KEPT = timedelta(days=30)
GONE = 410


def next_try(now: datetime, tries: int, chance: float) -> datetime | None:
    """When to try again after `tries` failed ones; `chance` in [0, 1) spreads it later by up to a fifth.

    None when there is no further try.
    """
    if tries > len(WAITS):
        return None
    return now + WAITS[tries - 1] * (1 + JITTER * chance)


def gives_up(failing_since: datetime | None, now: datetime) -> bool:
    """Whether an endpoint has failed for so long that it is switched off."""
    return failing_since is not None and now - failing_since >= GIVE_UP_AFTER


def signature(secrets: list[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The header of Standard Webhooks: one `v1,` and base64 HMAC-SHA256 for each secret, the newest first."""
    content = f"{message_id}.{timestamp}.".encode() + body
    signed = [hmac.new(key_of(secret), content, hashlib.sha256).digest() for secret in secrets]
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in signed)


def secret_of(key: bytes) -> str:
    return SECRET_PREFIX + base64.b64encode(key).decode()


def key_of(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)


def beyond(wanted: Collection[str], allowed: Collection[str]) -> list[str]:
    """Which of the wanted scopes nobody may have, or the maker does not."""
    return sorted(set(wanted) - set(allowed))
