"""What is done to a fulfilment: taken in, picked, handed on."""

from ..rules import NewFulfilment, NewLine
from .giving_up import give_up_unanswered, give_up_uncollected, give_up_unpacked
from .handing import collect, collect_now, deliver, depart, fail, hand_over, return_, turn_back
from .intake import accept, cancel, create, reject, start_sooner
from .packing import pack
from .picking import ScanResult, scan, start_picking
from .substitution import answer_substitute, lapse_unanswered, mark_short, propose_substitute

__all__ = [
    "NewFulfilment",
    "NewLine",
    "ScanResult",
    "accept",
    "answer_substitute",
    "cancel",
    "collect",
    "collect_now",
    "create",
    "deliver",
    "depart",
    "fail",
    "give_up_unanswered",
    "give_up_uncollected",
    "give_up_unpacked",
    "hand_over",
    "lapse_unanswered",
    "mark_short",
    "pack",
    "propose_substitute",
    "reject",
    "return_",
    "scan",
    "start_picking",
    "start_sooner",
    "turn_back",
]
