"""Tokens for the event streams: which topics the holder may follow, signed, for a while."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core import signing
from django.core.signing import b62_decode

from . import clock

SALT = "highstreet.streams"
MAX_AGE_SECONDS = 12 * 3600


def token(topics: Iterable[str]) -> str:
    """A signed token for `topics` (`order:<uuid>`, `store:<uuid>`, `courier:<uuid>`, `city:<uuid>`)."""
    return signing.dumps(sorted(set(topics)), salt=SALT, compress=True)


def topics_of(text: str) -> list[str]:
    """The topics a token allows; empty when it is forged or too old."""
    try:
        topics = signing.loads(text, salt=SALT, max_age=MAX_AGE_SECONDS)
    except signing.BadSignature:
        return []
    return [str(topic) for topic in topics]


def made_at(text: str) -> datetime:
    """The business time at which a right token was made, a second early: what its page cannot have shown yet."""
    seconds = b62_decode(text.rsplit(":", 2)[1])
    return clock.at(seconds - 1.0)
