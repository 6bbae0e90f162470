"""What may be in a cart. Pure."""

from __future__ import annotations

MAX_QUANTITY = 99
MAX_LINES = 60
KEY_LENGTH = 32
_ALPHABET = frozenset("0123456789abcdefghjkmnpqrstvwxyz")


def is_key(text: str) -> bool:
    """Whether `text` could be a secret key of ours (so that no other text reaches the database)."""
    return len(text) == KEY_LENGTH and _ALPHABET.issuperset(text)


def is_quantity(quantity: object) -> bool:
    """A whole number of units, 0 to 99; True and 1.0 are none."""
    return type(quantity) is int and 0 <= quantity <= MAX_QUANTITY
