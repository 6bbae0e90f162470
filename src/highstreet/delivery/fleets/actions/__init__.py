"""Accounts with fleets and where they are used; deliveries given, followed and called off; what they tell."""

from .accounts import add_fleet, change_fleet, end_use, remove_fleet, use_fleet
from .alerts import bag_found, bag_lost, close_alert
from .callbacks import apply_event, greet, receive_callback
from .calling import call
from .giving import call_off, end_order, give
from .looking import look_after

__all__ = [
    "add_fleet",
    "apply_event",
    "bag_found",
    "bag_lost",
    "call",
    "call_off",
    "change_fleet",
    "close_alert",
    "end_order",
    "end_use",
    "give",
    "greet",
    "look_after",
    "receive_callback",
    "remove_fleet",
    "use_fleet",
]
