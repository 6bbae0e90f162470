"""The delivery's states. Nothing flows back except to be given to another courier before the pick-up."""

from __future__ import annotations

from highstreet.kernel.states import Machine

MACHINE = Machine(
    name="delivery",
    start="waiting",
    table={
        ("waiting", "assign"): "assigned",
        ("assigned", "accept"): "accepted",
        ("assigned", "lapse"): "waiting",
        ("accepted", "let_go"): "waiting",
        ("at_store", "let_go"): "waiting",
        ("assigned", "reassign"): "assigned",
        ("accepted", "reassign"): "assigned",
        ("at_store", "reassign"): "assigned",
        ("assigned", "take_back"): "waiting",
        ("accepted", "take_back"): "waiting",
        ("at_store", "take_back"): "waiting",
        ("accepted", "arrive_store"): "at_store",
        ("assigned", "pick_up"): "picked_up",
        ("accepted", "pick_up"): "picked_up",
        ("at_store", "pick_up"): "picked_up",
        ("picked_up", "arrive_door"): "at_door",
        ("picked_up", "deliver"): "delivered",
        ("at_door", "deliver"): "delivered",
        ("picked_up", "fail"): "failed",
        ("at_door", "fail"): "failed",
        ("failed", "deliver"): "delivered",
        ("failed", "give_back"): "returned",
        ("waiting", "cancel"): "cancelled",
        ("assigned", "cancel"): "cancelled",
        ("accepted", "cancel"): "cancelled",
        ("at_store", "cancel"): "cancelled",
    },
    stamps={
        "assigned": "assigned_at",
        "accepted": "accepted_at",
        "at_store": "arrived_at",
        "picked_up": "picked_up_at",
        "at_door": "at_door_at",
        "delivered": "ended_at",
        "returned": "ended_at",
        "cancelled": "ended_at",
    },
)
LIVE = ("assigned", "accepted", "at_store", "picked_up", "at_door", "failed")
BEFORE_PICK_UP = ("assigned", "accepted", "at_store")
CARRIED = ("picked_up", "at_door", "failed")
# While the customer may see where the courier is.
FOLLOWED = ("picked_up", "at_door")
ENDED = ("delivered", "returned", "cancelled")
