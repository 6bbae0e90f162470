"""The fulfilment's states. They may be skipped and never flow back, but for a second try at the door."""

from __future__ import annotations

from highstreet.kernel.states import Machine

MACHINE = Machine(
    name="fulfilment",
    start="pending",
    table={
        ("pending", "accept"): "accepted",
        ("pending", "reject"): "rejected",
        ("pending", "cancel"): "cancelled",
        ("accepted", "start"): "picking",
        ("accepted", "cancel"): "cancelled",
        ("picking", "pack"): "packed",
        ("picking", "cancel"): "cancelled",
        ("packed", "make_ready"): "ready",
        ("packed", "cancel"): "cancelled",
        ("ready", "hand_over"): "handed_over",
        ("ready", "collect"): "delivered",
        ("ready", "cancel"): "cancelled",
        ("handed_over", "depart"): "in_transit",
        ("handed_over", "deliver"): "delivered",
        ("handed_over", "fail"): "failed",
        ("in_transit", "deliver"): "delivered",
        ("in_transit", "fail"): "failed",
        ("failed", "depart"): "in_transit",
        ("failed", "deliver"): "delivered",
        ("failed", "turn_back"): "returning",
        ("handed_over", "turn_back"): "returning",
        ("in_transit", "turn_back"): "returning",
        ("failed", "give_back"): "returned",
        ("returning", "give_back"): "returned",
    },
    stamps={
        "accepted": "accepted_at",
        "ready": "ready_at",
        "handed_over": "handed_over_at",
        "delivered": "ended_at",
        "rejected": "ended_at",
        "cancelled": "ended_at",
        "returned": "ended_at",
    },
)
NOT_BEGUN = ("pending", "accepted")
UNPACKED = ("accepted", "picking")
OPEN = ("pending", "accepted", "picking", "packed", "ready")
WITH_COURIER = ("handed_over", "in_transit", "failed", "returning")
ENDED = ("delivered", "rejected", "cancelled", "returned")
STOCK_TAKEN = ("packed", "ready", "handed_over", "in_transit", "failed", "returning")
