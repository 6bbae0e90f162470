"""Rosters: from the orders of past days to shifts that cover what comes. Arrays in, a roster out; no Django, no clock.

`profile` says what is ordered when and how far days differ; `staffing` how many couriers that needs in each bin;
`cover` which shifts bring them for the fewest paid minutes; `naming` who gets one of those they asked for.
"""

from .cover import GOODWILL, Asked, Cover, Pattern, Shifts, allowed, fit
from .naming import named
from .profile import LEAST_SPREAD, Profile, learn
from .staffing import LEVEL, Need, Work, need

__all__ = [
    "GOODWILL",
    "LEAST_SPREAD",
    "LEVEL",
    "Asked",
    "Cover",
    "Need",
    "Pattern",
    "Profile",
    "Shifts",
    "Work",
    "allowed",
    "fit",
    "learn",
    "named",
    "need",
]
