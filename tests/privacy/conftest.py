"""One person's life with us: an account, orders brought to the door and collected, a review, sessions, webhooks."""

from __future__ import annotations

from highstreet.web.shop.tests.conftest import guest, town

__all__ = ["guest", "town"]
