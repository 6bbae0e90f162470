"""/store/queue, /fulfilments and /pickups: what a store has to do, and each step of it."""

from . import queue
from .work import router

__all__ = ["queue", "router"]
