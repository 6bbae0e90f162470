"""What a basket costs, in fen. Pure: plain integers in, plain integers out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from highstreet.kernel.money import MAX_AMOUNT

MAX_QUANTITY = 99


class FeeTerms(Protocol):
    """The terms that price a delivery (`supply.organisations.rules.Terms` fits)."""

    @property
    def delivery_fee(self) -> int: ...

    @property
    def free_delivery_from(self) -> int: ...


@dataclass(frozen=True)
class Item:
    """`quantity` units at `unit_price` fen."""

    unit_price: int
    quantity: int


@dataclass(frozen=True)
class Priced:
    """`total` = `goods_total` + `delivery_fee`; `line_totals` in the order of the items, sum = goods_total."""

    line_totals: tuple[int, ...]
    goods_total: int
    delivery_fee: int
    total: int


def delivery_fee(terms: FeeTerms, goods_total: int) -> int:
    """The fee for bringing goods worth `goods_total`; nothing from `free_delivery_from` on."""
    return 0 if goods_total >= terms.free_delivery_from else terms.delivery_fee


def to_free_delivery(terms: FeeTerms, goods_total: int) -> int:
    """How much more the goods must cost for delivery to be free; 0 when it is."""
    return max(0, terms.free_delivery_from - goods_total) if terms.delivery_fee else 0


def basket(lines: Iterable[Item], terms: FeeTerms, mode: str) -> Priced:
    """Price `lines` for "delivery" or "pickup".

    ValueError for a quantity outside 1..99, a negative price, or a total beyond what money may be.
    """
    items: Sequence[Item] = tuple(lines)
    for item in items:
        if not 1 <= item.quantity <= MAX_QUANTITY or item.unit_price < 0:
            raise ValueError(f"{item.quantity} x {item.unit_price} is no line")
    if mode not in ("delivery", "pickup"):
        raise ValueError(f"unknown mode {mode}")
    totals = tuple(item.unit_price * item.quantity for item in items)
    goods = sum(totals)
    fee = delivery_fee(terms, goods) if mode == "delivery" else 0
    if goods + fee > MAX_AMOUNT:
        raise ValueError("a basket beyond what money may be")
    return Priced(totals, goods, fee, goods + fee)


def refund_of_units(unit_price: int, quantity: int, refunded: int, units: int) -> int:
    """What `units` of a line give back, when `refunded` of its `quantity` already were.

    Any mix of such refunds of one line adds up to exactly unit_price * quantity. ValueError beyond the line.
    """
    if units < 1 or refunded < 0 or refunded + units > quantity or unit_price < 0:
        raise ValueError(f"{units} of {quantity - refunded} units cannot be refunded")
    return unit_price * units


def refund_of_difference(price_below: int, units: int) -> int:
    """What a substitute gives back: the difference when it is cheaper, nothing when it is dearer."""
    return max(0, price_below) * max(0, units)
