"""Offers and promises as values."""

from . import lately, paces
from .offers import ShopOffer, Situation, offers_for, one, situation
from .outcomes import CaseView, KeptDay, PromiseView, Tally, kept, promise, still_open, tally, worst
from .records import Record, Running, day, running
from .room import QuarterRoom, ZoneRoom, room
from .slots import at_slot, slots
from .zones import Zones, capacities, zones


def forget() -> None:
    """Drop what this process remembers of the last hours for some seconds."""
    lately.forget()
    paces.forget()


__all__ = [
    "CaseView",
    "KeptDay",
    "PromiseView",
    "QuarterRoom",
    "Record",
    "Running",
    "ShopOffer",
    "Situation",
    "Tally",
    "ZoneRoom",
    "Zones",
    "at_slot",
    "capacities",
    "day",
    "forget",
    "kept",
    "offers_for",
    "one",
    "promise",
    "room",
    "running",
    "situation",
    "slots",
    "still_open",
    "tally",
    "worst",
    "zones",
]
