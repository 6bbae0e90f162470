"""Money: integers of the currency's minor unit, never a float."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAX_AMOUNT = 10**12


@dataclass(frozen=True, order=True)
class Money:
    """`amount` in minor units (fen, cents; points for the currency PTS)."""

    amount: int
    currency: str

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add")
        return Money(self.amount + other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)


def in_words(fen: int) -> str:
    """An amount as refusals say it: ¥12.50."""
    yuan, rest = divmod(fen, 100)
    return f"¥{yuan}.{rest:02d}"


def split_by_weight(amount: int, weights: Sequence[int]) -> list[int]:
    """Split `amount` >= 0 in proportion to `weights` >= 0 by largest remainder; the parts sum exactly.

    All-zero weights split evenly. Ties go to the earlier part, so the result is deterministic.
    """
    if amount < 0 or any(weight < 0 for weight in weights):
        raise ValueError("amounts and weights must not be negative")
    if not weights:
        raise ValueError("nothing to split over")
    total = sum(weights)
    if total == 0:
        weights = [1] * len(weights)
        total = len(weights)
    parts = [amount * weight // total for weight in weights]
    remainders = [amount * weight % total for weight in weights]
    order = sorted(range(len(weights)), key=lambda index: (-remainders[index], index))
    for index in order[: amount - sum(parts)]:
        parts[index] += 1
    return parts
