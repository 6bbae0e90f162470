"""Rounding: whatever is split or given back in parts adds up to the fen."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from highstreet.kernel.money import split_by_weight
from highstreet.trade.pricing import rules as pricing
from tests.conftest import Add

SEED = 20261126
Split = Callable[[int, Sequence[int]], Sequence[int]]


def wrong_splits(split: Split, count: int, dice: random.Random) -> int:
    """Of `count` random splits: how many do not sum exactly, have a part below 0, or are unfair by a fen or more."""
    wrong = 0
    for _ in range(count):
        amount = dice.choice([0, 1, 99, dice.randrange(10**4), dice.randrange(10**12)])
        weights = [dice.choice([0, 1, dice.randrange(10**6)]) for _ in range(dice.randint(1, 12))]
        parts, total = split(amount, weights), sum(weights)
        unfair = total and any(
            abs(part * total - amount * weight) >= total for part, weight in zip(parts, weights, strict=True)
        )
        wrong += sum(parts) != amount or min(parts) < 0 or bool(unfair)
    return wrong


def wrong_refunds(count: int, dice: random.Random) -> int:
    """Of `count` lines given back in random parts: how many do not close to 0, or go below it meanwhile."""
    wrong = 0
    for _ in range(count):
        price, quantity = dice.randrange(10**6), dice.randint(1, pricing.MAX_QUANTITY)
        left, refunded = price * quantity, 0
        while refunded < quantity:
            units = dice.randint(1, quantity - refunded)
            left -= pricing.refund_of_units(price, quantity, refunded, units)
            refunded += units
            wrong += left < 0
        wrong += left != 0
    return wrong


@pytest.mark.parametrize("count", [4_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_whatever_is_split_adds_up(row: Add, count: int) -> None:
    dice = random.Random(SEED)
    splits, refunds = wrong_splits(split_by_weight, count // 2, dice), wrong_refunds(count // 2, dice)
    row(
        "M6",
        "splits by weight, and lines refunded in random parts",
        n=count,
        accepted=count - splits - refunds,
        refused=0,
        invariants="sums exact, no part below 0",
        seed=SEED,
        notes="VAT and commission do not exist yet",
    )
    assert (splits, refunds) == (0, 0)


def test_rounding_each_part_by_itself_is_found_out() -> None:
    """The negative control."""

    def each(amount: int, weights: Sequence[int]) -> list[int]:
        return [amount * weight // (sum(weights) or 1) for weight in weights]

    assert wrong_splits(each, 500, random.Random(SEED)) > 0
