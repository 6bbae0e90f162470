"""The order's two axes as tables. `status` is derived from the others; `settle` moves it to what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import models

from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import WRONG_STATE
from highstreet.kernel.states import Machine, move

ORDER = Machine(
    name="order",
    start="pending",
    table={
        ("pending", "confirm"): "confirmed",
        ("pending", "expire"): "expired",
        ("pending", "cancel"): "cancelled",
        ("confirmed", "cancel"): "cancelled",
        ("confirmed", "complete"): "completed",
        # Paid after the expiry while the units were still there: held anew and fulfilled.
        ("expired", "revive"): "confirmed",
    },
    stamps={"completed": "ended_at", "cancelled": "ended_at", "expired": "ended_at"},
)

_TAKEN = ("partially_paid", "paid", "overpaid", "partially_refunded", "refunded")
PAYMENT = Machine(
    name="order_payment",
    start="unpaid",
    # Money may come twice and go back in parts, in any order; it is never not to have come.
    table={(was, now): now for was in ("unpaid", *_TAKEN) for now in _TAKEN if was != now},
    column="payment_status",
)


@dataclass(frozen=True)
class Axes:
    """What an order's status follows from. `end_reason` "" while it lives, "expired" when nobody paid."""

    fulfilment: str | None
    end_reason: str = ""


def derive(axes: Axes) -> str:
    """The order's status."""
    if axes.fulfilment == "delivered":
        return "completed"
    if axes.end_reason == "expired":
        return "expired"
    if axes.end_reason:
        return "cancelled"
    return "pending" if axes.fulfilment is None else "confirmed"


def settle(order: models.Model, axes: Axes, *, actor: str, note: str = "", **columns: Any) -> str:
    """Move the order to the status that its axes say; WRONG_STATE where no event of the table leads there."""
    current, target = getattr(order, ORDER.column), derive(axes)
    for (was, event), now in ORDER.table.items():
        if was == current and now == target:
            return move(ORDER, order, event, actor=actor, note=note, end_reason=axes.end_reason, **columns)
    raise Refused(WRONG_STATE, state=current)
