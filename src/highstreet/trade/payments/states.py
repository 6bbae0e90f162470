"""The states of a payment and of a refund. A closed payment may still be captured: money came late."""

from __future__ import annotations

from highstreet.kernel.states import Machine

PAYMENT = Machine(
    name="payment",
    start="created",
    table={
        ("created", "capture"): "captured",
        ("created", "close"): "closed",
        ("created", "fail"): "failed",
        ("closed", "capture"): "captured",
        ("failed", "capture"): "captured",
    },
)
REFUND = Machine(
    name="refund",
    start="requested",
    table={
        ("requested", "send"): "sent",
        ("requested", "succeed"): "succeeded",
        ("requested", "fail"): "failed",
        ("sent", "succeed"): "succeeded",
        ("sent", "fail"): "failed",
        ("failed", "succeed"): "succeeded",
        ("failed", "retry"): "requested",
    },
    stamps={"succeeded": "done_at"},
)
