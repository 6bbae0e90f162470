"""What is done to an order: quoted, checked out, paid, re-routed, refunded, ended."""

from ..steps.placing import Placed
from .checkout import checkout
from .direct import PlacedNow, order_now
from .ending import cancel, complete, expire, expire_due, fulfilment_ended, let_down
from .paying import OrderPayments, open_intent, pay, payment_captured, refund_settled
from .quoting import quote
from .refunds import Compensation, compensate, refund_difference, refund_short, refund_units
from .routing import lose_store, reroute
from .shopping import answer_substitute, reorder

__all__ = [
    "Compensation",
    "OrderPayments",
    "Placed",
    "PlacedNow",
    "answer_substitute",
    "cancel",
    "checkout",
    "compensate",
    "complete",
    "expire",
    "expire_due",
    "fulfilment_ended",
    "let_down",
    "lose_store",
    "open_intent",
    "order_now",
    "pay",
    "payment_captured",
    "quote",
    "refund_difference",
    "refund_settled",
    "refund_short",
    "refund_units",
    "reorder",
    "reroute",
]
