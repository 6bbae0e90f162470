"""Facts of fleets."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class NobodyBrings:
    """No fleet and no courier of ours brings it: the order has to end."""

    delivery_id: UUID
    order_id: UUID
    store_id: UUID
