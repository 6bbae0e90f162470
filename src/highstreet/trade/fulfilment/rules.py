"""Pure decisions of picking: what a code names, what is left, what may be packed or go back on the shelf."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from stdnum import ean

MODES = ("delivery", "pickup")
PREFERENCES = ("best", "ask", "refund")
REJECT_REASONS = ("out_of_stock", "too_busy", "closing", "equipment", "other")
# What is said of a store that said nothing; no store can choose it.
NO_ANSWER = "no_answer"
# So long a store has for its yes or no once it may begin; never under 15 s on the wall (fast clocks).
ANSWER_SECONDS, ANSWER_WALL_SECONDS = 600, 15
# What is not packed so long after the promise is not wanted any more.
PACK_WITHIN = timedelta(hours=2)
MAX_CODE = 64
_SKU = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]{0,39}")
_PARTS = re.compile(r"\d+|\D+")


def guesser(actor: str, store_id: UUID) -> str:
    """Whose unknown pickup codes are counted together: one person's (`Actor.name`) at one store."""
    return f"{actor}@{store_id}"


@dataclass(frozen=True)
class NewLine:
    """What the order asks of one line: `quantity` units at `unit_price` fen."""

    order_line_id: UUID
    variant_id: UUID
    quantity: int
    unit_price: int


@dataclass(frozen=True)
class NewFulfilment:
    """Everything a store needs to know of an order. `group` is the group of its confirmed holds;
    `collect_due` the fen to take at the counter (0 when paid); `start_at` when to begin (None: at once), `not_before`
    the beginning of the window that the shopper chose for the door."""

    order_id: UUID
    order_number: str
    group: UUID
    store_id: UUID
    mode: str
    substitution: str
    phone_tail: str
    lat: float
    lon: float
    promised_from: datetime
    promised_to: datetime
    ready_by: datetime
    lines: tuple[NewLine, ...]
    address: str = ""
    note: str = ""
    collect_due: int = 0
    start_at: datetime | None = None
    not_before: datetime | None = None


@dataclass(frozen=True)
class Tally:
    """A line in numbers: picked + short <= quantity; `swapped` of the short have a substitute in the bag."""

    quantity: int
    picked: int
    short: int
    swapped: int = 0
    asked: bool = False

    @property
    def left(self) -> int:
        return self.quantity - self.picked - self.short


def spellings(text: str) -> list[str]:
    """The ways `text` may be written in the catalogue: a barcode (EAN-13, UPC-A, EAN-8) or an SKU.

    Empty when it cannot be either. A 12-digit UPC-A is the EAN-13 with a 0 before it; 8 digits may be an
    EAN-8 or, padded, an EAN-13.
    """
    code = text.strip()
    if not code or len(code) > MAX_CODE or not code.isascii() or not code.isprintable():
        return []
    found = []
    bare = code.replace(" ", "")
    if bare.isdigit() and len(bare) in (8, 12, 13) and ean.is_valid(bare):
        found = [bare, bare.zfill(13)]
        if len(bare) == 13 and bare.startswith("0"):
            found.append(bare[1:])
    if _SKU.fullmatch(code):
        found += [code, code.upper()]
    return list(dict.fromkeys(found))


def answer_seconds(speed: float) -> float:
    """Business seconds that a store has to answer an order, where business time runs `speed` times the wall's."""
    return max(ANSWER_SECONDS, ANSWER_WALL_SECONDS * speed)


def aisle_order(aisle: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts A2-01 before A10-01; a line without a place comes last."""
    if not aisle:
        return ((2, 0, ""),)
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in _PARTS.findall(aisle))


def in_bag(lines: Iterable[Tally]) -> int:
    """Units in the bag, substitutes included."""
    return sum(line.picked + line.swapped for line in lines)


def hopeless(lines: Iterable[Tally]) -> bool:
    """Every unit is short, nothing stands for any of them and nobody is asked."""
    return all(line.short == line.quantity and line.swapped == 0 and not line.asked for line in lines)


def restockable(temperature: str) -> bool:
    """May goods that left the store go back on the shelf? Not what had to be kept cold."""
    return temperature == "ambient"


def pick_minutes(accepted_at: datetime, start_at: datetime | None, ready_at: datetime) -> int:
    """Whole minutes that packing took; the time before it was to begin is nobody's."""
    return (ready_at - max(accepted_at, start_at or accepted_at)) // timedelta(minutes=1)


def on_time(ready_at: datetime, ready_by: datetime) -> bool:
    return ready_at <= ready_by
