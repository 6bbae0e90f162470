"""/courier, /rosters and /stores/…/cash: a courier's duty, shifts, wishes, earnings and cash; the planner's roster."""

from . import cash, roster, wishes
from .duty import router

__all__ = ["cash", "roster", "router", "wishes"]
