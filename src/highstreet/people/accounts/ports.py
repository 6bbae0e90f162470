"""What higher floors add to an actor: staff and couriers know who works for them."""

from __future__ import annotations

from typing import Any, Protocol
from uuid import UUID


class Badge(Protocol):
    """Given a user, the fields it adds to the actor (permissions are united); {} when it knows nothing."""

    def __call__(self, user_id: UUID) -> dict[str, Any]: ...


badges: list[Badge] = []
