"""Tokens for the event streams: which topics the holder may follow, signed, for a while.

A token names the sign-in it was made for (`Actor.sign_in`), if there was one: the stream ends with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core import signing
from django.core.signing import b62_decode

from . import clock

SALT = "highstreet.streams.2"
MAX_AGE_SECONDS = 12 * 3600


def token(topics: Iterable[str], sign_in: str = "") -> str:
    """A signed token for `topics` (`order:<uuid>`, `store:<uuid>`, `courier:<uuid>`, `city:<uuid>`)."""
    return signing.dumps([sign_in, *sorted(set(topics))], salt=SALT, compress=True)


def topics_of(text: str) -> list[str]:
    """The topics a token allows; empty when it is forged or too old."""
    return _loaded(text)[1:]


def sign_in_of(text: str) -> str:
    """The sign-in a right token was made for; empty for a guest's."""
    return _loaded(text)[0]


def _loaded(text: str) -> list[str]:
    try:
        told = signing.loads(text, salt=SALT, max_age=MAX_AGE_SECONDS)
    except signing.BadSignature:
        return [""]
    return [str(part) for part in told]


def made_at(text: str) -> datetime:
    """The business time at which a right token was made, a second early: what its page cannot have shown yet."""
    seconds = b62_decode(text.rsplit(":", 2)[1])
    return clock.at(seconds - 1.0)
