"""Levels, availability, and why a level is what it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import F

from highstreet.kernel.policy import Actor
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND

from .models import StockLevel, StockMove


@dataclass(frozen=True)
class LevelView:
    id: UUID
    variant_id: UUID
    on_hand: int
    held: int
    allocated: int

    @property
    def free(self) -> int:
        return self.on_hand - self.held - self.allocated


@dataclass(frozen=True)
class MoveView:
    kind: str
    delta: int
    after: int
    reason: str
    actor: str
    cause: UUID | None
    at: datetime


_LEVELS = """
SELECT s.id, s.variant_id, s.on_hand, s.held, s.allocated FROM inventory_stocklevel s
JOIN inventory_stocklocation o ON o.id = s.location_id WHERE o.store_id = %s AND s.variant_id = ANY(%s)
"""


def levels(store_id: UUID, variant_ids: Iterable[UUID]) -> dict[UUID, LevelView]:
    """Stock levels at a store by variant; what it never stocked is left out."""
    with connection.cursor() as cursor:
        cursor.execute(_LEVELS, [store_id, list(variant_ids)])
        return {row[1]: LevelView(*row) for row in cursor.fetchall()}


def availability(store_ids: Iterable[UUID], variant_ids: Iterable[UUID]) -> dict[tuple[UUID, UUID], int]:
    """(store, variant) -> units free to promise; what a store never stocked is left out."""
    rows = StockLevel.objects.filter(location__store_id__in=list(store_ids), variant_id__in=list(variant_ids))
    triples = rows.values_list("location__store_id", "variant_id", F("on_hand") - F("held") - F("allocated"))
    return {(store_id, variant_id): free for store_id, variant_id, free in triples}


def moves(actor: Actor, store_id: UUID, variant_id: UUID, limit: int = 50) -> list[MoveView]:
    """Why this level is what it is: its last moves, newest first."""
    if not actor.at_store(store_id):
        raise Refused(NOT_FOUND)
    rows = StockMove.objects.filter(level__location__store_id=store_id, level__variant_id=variant_id)
    return [
        MoveView(row.kind, row.delta, row.after, row.reason, row.actor, row.cause, row.at)
        for row in rows.order_by("-at", "-id")[:limit]
    ]


def stock_of(store_ids: Iterable[UUID], variant_ids: Iterable[UUID]) -> dict[tuple[UUID, UUID], tuple[int, int]]:
    """(store, variant) -> (on hand, free); what a store never stocked is left out."""
    rows = StockLevel.objects.filter(location__store_id__in=list(store_ids), variant_id__in=list(variant_ids))
    return {
        (row.location.store_id, row.variant_id): (row.on_hand, row.on_hand - row.held - row.allocated)
        for row in rows.select_related("location")
    }
