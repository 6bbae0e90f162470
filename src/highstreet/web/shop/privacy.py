"""What a shopper's browser keeps for us."""

from __future__ import annotations

from highstreet.kernel.privacy import place

place(
    "cookies of the shop, signed",
    holds="where, cart, keys of the last 8 guest orders, phone and unit of the last checkout, a guest's consents",
    until="a year, or erasure; phone and unit until personalisation is refused",
)
