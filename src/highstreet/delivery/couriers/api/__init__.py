"""/courier and /rosters: a courier's duty, shifts and earnings; the planner's roster."""

from . import roster
from .duty import router

__all__ = ["roster", "router"]
