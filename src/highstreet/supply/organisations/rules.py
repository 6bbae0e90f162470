"""An organisation's terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

# Windows lie within a day, today or in the next fortnight.
MOST = {"slot_minutes": 24 * 60, "slot_cutoff_minutes": 14 * 24 * 60, "slot_days": 14, "slot_share": 100}


@dataclass(frozen=True)
class Terms:
    """What an organisation promises and pays. Amounts in fen; each may be set in its `policy`.

    Shoppers may choose a window of `slot_minutes` (0: none), `slot_cutoff_minutes` before it begins at the latest, on
    `slot_days` days, today the first; of the couriers hours ahead `slot_share` per cent are given away so.
    An order of up to `cash_at_door` may be paid to the courier in cash (0: none); a courier with more than
    `courier_cash` in hand is given no further ones.
    """

    quote_minutes: int = 10
    delivery_fee: int = 500
    free_delivery_from: int = 4900
    late_credit: int = 500
    late_grace_minutes: int = 0
    courier_pay_base: int = 600
    courier_pay_per_km: int = 100
    promise_quantile: int = 90
    ask_minutes: int = 2
    pickup_hold_hours: int = 4
    slot_minutes: int = 60
    slot_cutoff_minutes: int = 60
    slot_days: int = 2
    slot_share: int = 60
    cash_at_door: int = 50000
    courier_cash: int = 200000

    @classmethod
    def of(cls, policy: Mapping[str, Any]) -> Terms:
        """The terms in `policy`; unknown names, non-integers and windows of odd minutes or times are refused with
        ValueError."""
        known = {field.name for field in fields(cls)}
        for name, value in policy.items():
            if name not in known:
                raise ValueError(f"unknown term {name}")
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise ValueError(f"{name} must be a whole number, not {value!r}")
        terms = cls(**policy)
        if terms.slot_minutes % 15:
            raise ValueError("slot_minutes must be whole quarters of an hour: couriers are counted by them")
        for name, most in MOST.items():
            if getattr(terms, name) > most:
                raise ValueError(f"{name} is at most {most}")
        return terms
