"""Offers and promises as values."""

from .lately import forget
from .offers import ShopOffer, Situation, offers_for, one, situation
from .outcomes import CaseView, KeptDay, PromiseView, Tally, kept, promise, still_open, tally, worst

__all__ = [
    "CaseView",
    "KeptDay",
    "PromiseView",
    "ShopOffer",
    "Situation",
    "Tally",
    "forget",
    "kept",
    "offers_for",
    "one",
    "promise",
    "situation",
    "still_open",
    "tally",
    "worst",
]
