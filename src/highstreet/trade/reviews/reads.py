"""Reviews of an order and of a store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Avg, Count

from .models import Review


@dataclass(frozen=True)
class ReviewView:
    order_id: UUID
    store_id: UUID
    stars: int
    text: str
    at: datetime


@dataclass(frozen=True)
class Rating:
    """`tenths` of a star on average (47 is 4.7) over `count` reviews."""

    tenths: int
    count: int


def of_order(order_id: UUID) -> ReviewView | None:
    """The review of an order. Callers have checked the order."""
    row = Review.objects.filter(order_id=order_id).first()
    return _view(row) if row else None


def of_store(store_id: UUID, limit: int = 20) -> list[ReviewView]:
    """A store's latest reviews; nobody's name is in them."""
    return [_view(row) for row in Review.objects.filter(store_id=store_id).order_by("-at")[:limit]]


def ratings(store_ids: Iterable[UUID]) -> dict[UUID, Rating]:
    """Average stars by store; stores nobody has rated are left out."""
    rows = (
        Review.objects.filter(store_id__in=list(store_ids))
        .values("store_id")
        .annotate(mean=Avg("stars"), count=Count("id"))
    )
    return {row["store_id"]: Rating(round(row["mean"] * 10), row["count"]) for row in rows}


def _view(row: Review) -> ReviewView:
    return ReviewView(row.order_id, row.store_id, row.stars, row.text, row.at)
