"""Make and revoke keys; keep endpoints; tell them of events."""

from .endpoints import add_endpoint, change_endpoint, look_up, remove_endpoint, rotate_secret
from .keys import make_key, revoke_key
from .sending import send, sweep
from .telling import publish, replay, resend

__all__ = [
    "add_endpoint",
    "change_endpoint",
    "look_up",
    "make_key",
    "publish",
    "remove_endpoint",
    "replay",
    "resend",
    "revoke_key",
    "rotate_secret",
    "send",
    "sweep",
]
