"""Couriers, who is on shift and where, what was earned; the roster and its rules."""

from .people import (
    BADGE,
    CourierView,
    EarningsView,
    EarningView,
    ShiftPayView,
    count_on_shift,
    courier,
    earnings,
    me,
    names,
    on_shift,
)
from .roster import DayView, Offering, ShiftView, day, mine, riders, shift, to_take, week
from .terms import earning_terms, work_terms

__all__ = [
    "BADGE",
    "CourierView",
    "DayView",
    "EarningView",
    "EarningsView",
    "Offering",
    "ShiftPayView",
    "ShiftView",
    "count_on_shift",
    "courier",
    "day",
    "earning_terms",
    "earnings",
    "me",
    "mine",
    "names",
    "on_shift",
    "riders",
    "shift",
    "to_take",
    "week",
    "work_terms",
]
