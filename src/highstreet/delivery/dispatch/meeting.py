"""Goods and courier meet at the store: who comes sooner than was planned has the store begin at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import DurationField, ExpressionWrapper, F, QuerySet, Value

from highstreet.kernel import clock
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.trade.fulfilment import actions as fulfilments

from .models import Delivery


def begin_now(rows: Iterable[Delivery]) -> None:
    """Have the stores of these deliveries begin at once, where they were to begin later.

    In the caller's transaction, in the order of the fulfilments' ids. The goods' new time is written to the rows too.
    """
    for row in sorted(rows, key=lambda row: row.fulfilment_id):
        now = clock.now()
        if row.ready_at is not None or row.start_at is None or row.start_at <= now:
            continue
        if plan_start(Delivery.objects.filter(pk=row.pk), now):
            row.refresh_from_db(fields=["start_at", "ready_by"])
            fulfilments.start_sooner(actor=THE_SYSTEM, fulfilment_id=row.fulfilment_id, at=now)


def plan_start(rows: QuerySet[Delivery], at: datetime) -> int:
    """Goods that were to be begun later than `at` are begun then, and ready as much sooner. Never the other way."""
    sooner = ExpressionWrapper(Value(at) - F("start_at"), DurationField())
    return rows.filter(start_at__gt=at).update(start_at=at, ready_by=F("ready_by") + sooner)
