"""A courier's tasks and the steps of a delivery, decisions by hand, how a customer follows it, replays of past days."""

from . import following, hand, replays
from .work import router

__all__ = ["following", "hand", "replays", "router"]
