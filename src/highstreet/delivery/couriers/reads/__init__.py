"""Couriers, who is on shift and where, what was earned; the roster and its rules."""

from ..rules import DayCost, Duty, EarningTerms, day_cost
from .expected import Hands, coming, expected
from .people import (
    BADGE,
    CourierView,
    EarningsView,
    EarningView,
    ShiftPayView,
    count_at_work,
    count_on_shift,
    courier,
    earnings,
    hired,
    me,
    names,
    on_shift,
    silent,
)
from .roster import DayView, Offering, ShiftView, absent, day, mine, riders, shift, to_take, week
from .stints import Stint, learnt, proposal, published, vehicles, worked
from .terms import earning_terms, work_terms
from .wishes import MOST_WISHES, WishView, wishes

__all__ = [
    "BADGE",
    "MOST_WISHES",
    "CourierView",
    "DayCost",
    "DayView",
    "Duty",
    "EarningTerms",
    "EarningView",
    "EarningsView",
    "Hands",
    "Offering",
    "ShiftPayView",
    "ShiftView",
    "Stint",
    "WishView",
    "absent",
    "coming",
    "count_at_work",
    "count_on_shift",
    "courier",
    "day",
    "day_cost",
    "earning_terms",
    "earnings",
    "expected",
    "hired",
    "learnt",
    "me",
    "mine",
    "names",
    "on_shift",
    "proposal",
    "published",
    "riders",
    "shift",
    "silent",
    "to_take",
    "vehicles",
    "week",
    "wishes",
    "work_terms",
    "worked",
]
