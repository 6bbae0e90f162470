"""The last order, for the reorder chip."""

from __future__ import annotations

from typing import Any

from .visit import Visit


def last_order(visit: Visit) -> Any:
    return None
