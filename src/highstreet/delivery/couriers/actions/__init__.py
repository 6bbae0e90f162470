"""Verbs of couriers: duty and breaks, wishes, the roster, and cash handed in."""

from .cash import take_cash
from .duty import (
    clock_off,
    create,
    end_break,
    end_shift,
    lock_on_shift,
    no_more_orders,
    report_position,
    start_break,
    start_shift,
    take_orders,
)
from .roster import assign, keep, offer, propose, publish, release, take, withdraw
from .wishes import unwish, wish

__all__ = [
    "assign",
    "clock_off",
    "create",
    "end_break",
    "end_shift",
    "keep",
    "lock_on_shift",
    "no_more_orders",
    "offer",
    "propose",
    "publish",
    "release",
    "report_position",
    "start_break",
    "start_shift",
    "take",
    "take_cash",
    "take_orders",
    "unwish",
    "wish",
    "withdraw",
]
