"""Couriers, who is on shift and where, what was earned; the roster and its rules."""

from .expected import coming, expected
from .people import (
    BADGE,
    CourierView,
    DutyView,
    EarningsView,
    EarningView,
    ShiftPayView,
    count_at_work,
    count_on_shift,
    courier,
    duties,
    earnings,
    me,
    names,
    on_shift,
    silent,
)
from .roster import DayView, Offering, ShiftView, absent, day, mine, riders, shift, to_take, week
from .terms import earning_terms, work_terms
from .wishes import MOST_WISHES, WishView, wishes

__all__ = [
    "BADGE",
    "MOST_WISHES",
    "CourierView",
    "DayView",
    "DutyView",
    "EarningView",
    "EarningsView",
    "Offering",
    "ShiftPayView",
    "ShiftView",
    "WishView",
    "absent",
    "coming",
    "count_at_work",
    "count_on_shift",
    "courier",
    "day",
    "duties",
    "earning_terms",
    "earnings",
    "expected",
    "me",
    "mine",
    "names",
    "on_shift",
    "riders",
    "shift",
    "silent",
    "to_take",
    "week",
    "wishes",
    "work_terms",
]
