"""Identifiers: UUIDv7 inside, a prefix and Crockford base 32 at the edge (`ord_01h…`)."""

from __future__ import annotations

import os
import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {char: index for index, char in enumerate(_ALPHABET)}
_source: list[random.Random] = []
_lock = threading.Lock()
_last = [0]


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562 §5.7): 48 bits of unix milliseconds, 12 of a counter, 62 random bits.

    Within a process every identifier is greater than the one before (§6.2, method 1), so that rows written
    in one millisecond keep their order.
    """
    with _lock:
        ticks = max((time.time_ns() // 1_000_000) << 12, _last[0] + 1)
        _last[0] = ticks
    value = ((ticks >> 12) & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76
    value |= (ticks & 0xFFF) << 64
    value |= 0b10 << 62
    value |= int.from_bytes(random_bytes(8), "big") & ((1 << 62) - 1)
    return uuid.UUID(int=value)


def random_bytes(count: int) -> bytes:
    """`count` random bytes: the system's, or a seeded source's inside `seeded`."""
    if _source:
        return _source[-1].randbytes(count)
    return os.urandom(count)


def random_below(limit: int) -> int:
    """A uniform integer in [0, limit)."""
    return int.from_bytes(random_bytes(16), "big") % limit


def random_code(digits: int) -> str:
    """A code of `digits` decimal digits, leading zeros kept."""
    return str(random_below(10**digits)).zfill(digits)


def random_token(length: int = 32) -> str:
    """A secret of `length` characters of base 32 (5 bits each)."""
    return "".join(_ALPHABET[byte & 31] for byte in random_bytes(length))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw identifiers and codes from a seeded source (simulations, replays)."""
    _source.append(random.Random(seed))
    try:
        yield
    finally:
        _source.pop()


def public(prefix: str, value: uuid.UUID) -> str:
    """`ord`, UUID -> `ord_` and 26 characters."""
    number = value.int
    chars = []
    for _ in range(26):
        chars.append(_ALPHABET[number & 31])
        number >>= 5
    return f"{prefix}_{''.join(reversed(chars))}"


def private(prefix: str, text: str) -> uuid.UUID | None:
    """The UUID behind a public identifier; None if it is not one of this prefix."""
    head, _, body = text.partition("_")
    if head != prefix or len(body) != 26:
        return None
    number = 0
    for char in body.lower():
        digit = _VALUES.get(char)
        if digit is None:
            return None
        number = (number << 5) | digit
    if number >> 128:
        return None
    return uuid.UUID(int=number)
