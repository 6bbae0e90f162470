"""Pure decisions of an order: who serves it, what is owed, what words may be kept."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

MODES = ("delivery", "pickup")
METHODS = ("wechat", "at_pickup", "at_door")
# Paid in cash when it is handed over: the store begins at once.
ON_HANDOVER = ("at_pickup", "at_door")
SUBSTITUTIONS = ("best", "ask", "refund")
REROUTE_GRACE = timedelta(minutes=15)
LATE_PAYMENT_GRACE = timedelta(minutes=60)
MAX_ASKED = 4
_PHONE = re.compile(r"\+?[0-9]{5,15}")
_SPACES = re.compile(r"[\s\-().]+")
_NUMBERS = 32**6
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Candidate:
    """A store that might serve: what it lacks of the basket, whether it is open, how far it is."""

    store_id: UUID
    missing: tuple[UUID, ...]
    open: bool
    distance_m: float


@dataclass(frozen=True)
class Offered:
    """What a candidate promised; `later` when it is not the soonest that it would be at its best."""

    store_id: UUID
    promised_to: datetime
    distance_m: float
    later: bool


def to_ask(candidates: Sequence[Candidate], preferred: UUID | None) -> list[Candidate]:
    """Whom to ask for a promise, in order: those with everything; the preferred, the open, the near first."""
    whole = [candidate for candidate in candidates if not candidate.missing]
    whole.sort(key=lambda one: (one.store_id != preferred, not one.open, one.distance_m, one.store_id))
    return whole[:MAX_ASKED]


def best(offers: Sequence[Offered], preferred: UUID | None) -> Offered | None:
    """The preferred store if it promises without delay, else the earliest promise, else the nearest."""
    for offer in offers:
        if offer.store_id == preferred and not offer.later:
            return offer
    return min(offers, key=lambda one: (one.promised_to, one.distance_m, one.store_id), default=None)


def nearest_to_whole(candidates: Sequence[Candidate]) -> Candidate | None:
    """The candidate that lacks least, to say what is sold out."""
    return min(candidates, key=lambda one: (len(one.missing), not one.open, one.distance_m, one.store_id), default=None)


def payment_state(*, due: int, captured: int, returned: int) -> str:
    """The payment axis from what is owed, what was taken and what has gone back, all in fen."""
    if captured == 0:
        return "unpaid"
    if returned >= captured:
        return "refunded"
    surplus = captured - due
    if surplus < 0:
        return "partially_refunded" if returned else "partially_paid"
    if returned > surplus:
        return "partially_refunded"
    return "paid" if returned == surplus else "overpaid"


def surplus_of(*, due: int, captured: int, amount: int) -> int:
    """How much of the payment of `amount`, the latest in `captured`, was not owed."""
    return max(0, captured - due) - max(0, captured - amount - due)


def split_compensation(amount: int, left: int) -> tuple[int, int]:
    """(money, points): money up to what is `left` of the payment, the rest in points, 1 point = 1 fen."""
    money = max(0, min(amount, left))
    return money, amount - money


def still_wanted(promised_to: datetime, offered_to: datetime, grace: timedelta) -> bool:
    """Whether a new promise is near enough to the one the shopper agreed to."""
    return offered_to <= promised_to + grace


def kept_slot(slot: str | None, mode: str, promised_from: datetime, promised_to: datetime) -> datetime | None:
    """The beginning of the window that was chosen (`slot`, ISO, as quoted), if the promise is still that one's.

    Who paid too late for it was promised something else. A pick-up is ready when its window begins.
    """
    chosen = datetime.fromisoformat(slot) if slot else None
    return chosen if chosen == (promised_to if mode == "pickup" else promised_from) else None


def clean(text: str, most: int) -> str | None:
    """`text` on one line, trimmed; None when it is longer than `most` or has signs that no one types."""
    words = " ".join(text.split())
    if len(words) > most or any(not (char.isprintable()) for char in words):
        return None
    return words


def clean_phone(text: str) -> str | None:
    """Digits with an optional leading +; None when it is no phone number."""
    bare = _SPACES.sub("", text) if len(text) <= 40 else ""
    return bare if _PHONE.fullmatch(bare) else None


def is_place(lat: float, lon: float) -> bool:
    return math.isfinite(lat) and math.isfinite(lon) and -90 <= lat <= 90 and -180 <= lon <= 180


def number_of(sequence: int) -> str:
    """An order's number for people: six characters, different for each of the first 2^30, not in order."""
    mixed = (sequence * 0x2545F491 + 0x1F3D5B79) % _NUMBERS
    chars = []
    for _ in range(6):
        chars.append(_ALPHABET[mixed & 31])
        mixed >>= 5
    return "".join(chars)
