"""Couriers, who is on shift and where, what was earned, cash in hand; the roster and its rules."""

from ..rules import DayCost, Duty, EarningTerms, day_cost
from .cash import CashView, HandInView, TillView, my_cash, till, with_too_much
from .expected import Hands, coming, expected
from .people import (
    BADGE,
    CourierView,
    EarningsView,
    EarningView,
    ShiftPayView,
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
    "CashView",
    "CourierView",
    "DayCost",
    "DayView",
    "Duty",
    "EarningTerms",
    "EarningView",
    "EarningsView",
    "HandInView",
    "Hands",
    "Offering",
    "ShiftPayView",
    "ShiftView",
    "Stint",
    "TillView",
    "WishView",
    "absent",
    "coming",
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
    "my_cash",
    "names",
    "on_shift",
    "proposal",
    "published",
    "riders",
    "shift",
    "silent",
    "till",
    "to_take",
    "vehicles",
    "week",
    "wishes",
    "with_too_much",
    "work_terms",
    "worked",
]
