"""Levels, availability, and why a level is what it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from highstreet.kernel.policy import Actor
from highstreet.supply.stores import reads as stores

from .models import StockMove


@dataclass(frozen=True)
class LevelView:
    id: UUID
    variant_id: UUID
    on_hand: int
    held: int
    allocated: int
    flash: bool = False

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


# What is claimed of a level, its shares' included: the level's columns count the rest. Only a level with shares asks.
_HELD, _ALLOCATED = (
    f"s.{column} + CASE WHEN s.pooled = 0 THEN 0 ELSE (SELECT COALESCE(SUM(b.{column}), 0)::bigint "  # noqa: S608
    "FROM inventory_stockshare b WHERE b.level_id = s.id) END"
    for column in ("held", "allocated")
)
_LEVELS = f"""
SELECT s.id, s.variant_id, s.on_hand, {_HELD}, {_ALLOCATED}, s.flash, o.store_id FROM inventory_stocklevel s
JOIN inventory_stocklocation o ON o.id = s.location_id WHERE o.store_id = ANY(%s) AND s.variant_id = ANY(%s)
"""  # noqa: S608
_FREE = f"SELECT s.on_hand - ({_HELD}) - ({_ALLOCATED}) FROM inventory_stocklevel s WHERE s.id = %s"  # noqa: S608


def _levels(store_ids: Iterable[UUID], variant_ids: Iterable[UUID]) -> dict[tuple[UUID, UUID], LevelView]:
    with connection.cursor() as cursor:
        cursor.execute(_LEVELS, [list(store_ids), list(variant_ids)])
        return {(row[6], row[1]): LevelView(*row[:6]) for row in cursor.fetchall()}


def levels(store_id: UUID, variant_ids: Iterable[UUID]) -> dict[UUID, LevelView]:
    """Stock levels at a store by variant; what it never stocked is left out."""
    return {variant_id: level for (_, variant_id), level in _levels([store_id], variant_ids).items()}


def free_of(level_id: UUID) -> int:
    """Units of a level that are free to promise."""
    with connection.cursor() as cursor:
        cursor.execute(_FREE, [level_id])
        return int(cursor.fetchone()[0])


def availability(store_ids: Iterable[UUID], variant_ids: Iterable[UUID]) -> dict[tuple[UUID, UUID], int]:
    """(store, variant) -> units free to promise; what a store never stocked is left out."""
    return {place: level.free for place, level in _levels(store_ids, variant_ids).items()}


def moves(actor: Actor, store_id: UUID, variant_id: UUID, limit: int = 50) -> list[MoveView]:
    """Why this level is what it is: its last moves, newest first."""
    stores.must_work_at(actor, store_id)
    rows = StockMove.objects.filter(level__location__store_id=store_id, level__variant_id=variant_id)
    return [
        MoveView(row.kind, row.delta, row.after, row.reason, row.actor, row.cause, row.at)
        for row in rows.order_by("-at", "-id")[:limit]
    ]


def stock_of(store_ids: Iterable[UUID], variant_ids: Iterable[UUID]) -> dict[tuple[UUID, UUID], tuple[int, int]]:
    """(store, variant) -> (on hand, free); what a store never stocked is left out."""
    return {place: (level.on_hand, level.free) for place, level in _levels(store_ids, variant_ids).items()}
