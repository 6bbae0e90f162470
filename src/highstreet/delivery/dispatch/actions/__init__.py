"""Verbs of the last mile: what stores cause, what couriers do, what the dispatcher decides."""

from .intake import cancel, create, hand_over, mark_ready
from .learning import learn_speeds
from .planning import Epoch, plan
from .vanishing import let_go_of_vanished
from .work import accept, arrive_door, arrive_store, deliver, give_back, incident, pick_up

__all__ = [
    "Epoch",
    "accept",
    "arrive_door",
    "arrive_store",
    "cancel",
    "create",
    "deliver",
    "give_back",
    "hand_over",
    "incident",
    "learn_speeds",
    "let_go_of_vanished",
    "mark_ready",
    "pick_up",
    "plan",
]
