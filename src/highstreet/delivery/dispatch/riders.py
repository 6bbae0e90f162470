"""Fills `fulfilment.ports.riders`: who comes for a bag, which is theirs at once when the store hands it over."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from highstreet.kernel.policy import THE_SYSTEM
from highstreet.trade.fulfilment.ports import Rider

from . import actions
from .reads import fetching


class Riders:
    def coming(self, *, fulfilment_ids: Collection[UUID]) -> dict[UUID, Rider]:
        return fetching.coming(fulfilment_ids)

    def take_along(self, *, fulfilment_id: UUID) -> bool:
        return actions.hand_over(actor=THE_SYSTEM, fulfilment_id=fulfilment_id)
