"""Money with providers: asked for, captured, sent back. Providers are never called inside a transaction."""

from .alerts import close_alert
from .callbacks import apply_event, receive_notification
from .capturing import capture_at_counter
from .intents import close, close_now, create_intent, query, start, sweep_intents
from .refunds import refund, retry_refund, send_refund, sweep_refunds

__all__ = [
    "apply_event",
    "capture_at_counter",
    "close",
    "close_alert",
    "close_now",
    "create_intent",
    "query",
    "receive_notification",
    "refund",
    "retry_refund",
    "send_refund",
    "start",
    "sweep_intents",
    "sweep_refunds",
]
