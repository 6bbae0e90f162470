"""Verbs of the last mile: what stores cause, what couriers do, what the dispatcher decides."""

from .fleet import bring, take_back, take_over, write_off
from .intake import cancel, create, hand_over, mark_ready
from .planning import Epoch, plan
from .work import accept, arrive_door, arrive_store, deliver, give_back, incident, pick_up

__all__ = [
    "Epoch",
    "accept",
    "arrive_door",
    "arrive_store",
    "bring",
    "cancel",
    "create",
    "deliver",
    "give_back",
    "hand_over",
    "incident",
    "mark_ready",
    "pick_up",
    "plan",
    "take_back",
    "take_over",
    "write_off",
]
