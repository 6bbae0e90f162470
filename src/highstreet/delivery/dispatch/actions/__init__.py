"""Verbs of the last mile: what stores cause, what couriers do, what the dispatcher decides."""

from .fleet import bring, take_back, take_over, write_off
from .giving_up import give_up, give_up_stuck
from .intake import cancel, create, hand_over, mark_ready, store_begins
from .learning import learn_speeds
from .override import Overridden, override
from .places import place_idle
from .planning import Epoch, plan
from .relieving import relieve
from .replaying import advance_replay, ask_replay, fail_replay, finish_replay
from .vanishing import let_go_of_vanished
from .work import accept, arrive_door, arrive_store, decline, deliver, give_back, incident, pick_up

__all__ = [
    "Epoch",
    "Overridden",
    "accept",
    "advance_replay",
    "arrive_door",
    "arrive_store",
    "ask_replay",
    "bring",
    "cancel",
    "create",
    "decline",
    "deliver",
    "fail_replay",
    "finish_replay",
    "give_back",
    "give_up",
    "give_up_stuck",
    "hand_over",
    "incident",
    "learn_speeds",
    "let_go_of_vanished",
    "mark_ready",
    "override",
    "pick_up",
    "place_idle",
    "plan",
    "relieve",
    "store_begins",
    "take_back",
    "take_over",
    "write_off",
]
