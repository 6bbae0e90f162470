"""Search: declared here, replaced by a better one when a higher floor brings it."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from highstreet.kernel.ports import Port


class SearchPort(Protocol):
    """Product ids that match `query`, best first, at most `limit`."""

    def find(self, organisation_ids: list[UUID], query: str, limit: int) -> list[UUID]: ...


search: Port[SearchPort] = Port("catalog.search")
