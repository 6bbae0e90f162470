"""/courier and /rosters: a courier's duty, shifts, wishes and earnings; the planner's roster."""

from . import roster, wishes
from .duty import router

__all__ = ["roster", "router", "wishes"]
