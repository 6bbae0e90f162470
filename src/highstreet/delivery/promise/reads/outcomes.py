"""What was promised and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any
from uuid import UUID

from django.db.models import Avg, Count, F, Q, QuerySet, Sum
from django.db.models.functions import ExtractHour, TruncDate

from highstreet.kernel.policy import SYSTEM, Actor, require
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations import reads as organisations

from ..models import Promise


@dataclass(frozen=True)
class KeptDay:
    """A local day's promises. `percent` of those judged were kept; minutes from promise made to fulfilled."""

    day: date
    mode: str
    made: int
    kept: int
    broken: int
    void: int
    open: int
    quantile: int
    mean_minutes: float | None
    credit: int

    @property
    def percent(self) -> float | None:
        judged = self.kept + self.broken
        return round(100 * self.kept / judged, 1) if judged else None


@dataclass(frozen=True)
class PromiseView:
    """What an order was promised and what came of it: open, kept, broken or void. `begins_at`: the shopper chose the
    window, and the store begins with it then."""

    order_id: UUID
    mode: str
    quantile: int
    promised_from: datetime
    promised_to: datetime
    basis: dict[str, Any]
    begins_at: datetime | None
    outcome: str
    fulfilled_at: datetime | None
    late_seconds: int | None
    compensation: int


@dataclass(frozen=True)
class Tally:
    """Promises of one day, hour or shop (`key`), and what came of them."""

    key: date | int | UUID
    kept: int
    broken: int
    open: int
    void: int

    @property
    def judged(self) -> int:
        return self.kept + self.broken


@dataclass(frozen=True)
class CaseView:
    """One promise, to be looked into. `late_seconds` < 0: in time; None until it is judged."""

    order_id: UUID
    store_id: UUID
    mode: str
    quantile: int
    made_at: datetime
    promised_to: datetime
    fulfilled_at: datetime | None
    late_seconds: int | None
    outcome: str
    compensation: int


def promise(order_id: UUID) -> PromiseView | None:
    """What an order was promised. Whoever calls has checked that the order may be seen."""
    row = Promise.objects.filter(order_id=order_id).first()
    if row is None:
        return None
    return PromiseView(
        row.order_id,
        row.mode,
        row.quantile,
        row.promised_from,
        row.promised_to,
        row.basis,
        row.begins_at,
        row.outcome,
        row.fulfilled_at,
        row.late_seconds,
        row.compensation,
    )


def kept(actor: Actor, city_id: UUID, start: date, end: date) -> list[KeptDay]:
    """Promises made on the local days [start, end), by day and mode, newest first."""
    require(actor, "console.read")
    city = organisations.city(city_id)
    if actor.kind != SYSTEM and actor.organisation_id != city.retailer_id:
        raise Refused(NOT_FOUND)
    first = datetime(start.year, start.month, start.day, tzinfo=city.zone)
    last = datetime(end.year, end.month, end.day, tzinfo=city.zone)
    rows = (
        Promise.objects.filter(city_id=city_id, made_at__gte=first, made_at__lt=last)
        .annotate(day=TruncDate("made_at", tzinfo=city.zone))
        .values("day", "mode")
        .annotate(
            made=Count("pk"),
            kept=Count("pk", filter=Q(outcome="kept")),
            broken=Count("pk", filter=Q(outcome="broken")),
            void=Count("pk", filter=Q(outcome="void")),
            open=Count("pk", filter=Q(outcome="open")),
            mean=Avg(F("fulfilled_at") - F("made_at")),
            asked=Avg("quantile"),
            credit=Sum("compensation"),
        )
        .order_by("-day", "mode")
    )
    return [
        KeptDay(
            row["day"],
            row["mode"],
            row["made"],
            row["kept"],
            row["broken"],
            row["void"],
            row["open"],
            round(row["asked"]),
            round(row["mean"].total_seconds() / 60, 1) if row["mean"] else None,
            row["credit"] or 0,
        )
        for row in rows
    ]


def tally(actor: Actor, start: datetime, end: datetime, by: str, zone: tzinfo) -> list[Tally]:
    """Promises made in [start, end) that the actor's organisation made or kept, by "day", "hour" or "store"."""
    what = {"day": TruncDate("made_at", tzinfo=zone), "hour": ExtractHour("made_at", tzinfo=zone), "store": F("store")}
    rows = (
        _of_staff(actor)
        .filter(made_at__gte=start, made_at__lt=end)
        .annotate(key=what[by])
        .values("key")
        .annotate(
            kept=Count("pk", filter=Q(outcome="kept")),
            broken=Count("pk", filter=Q(outcome="broken")),
            open=Count("pk", filter=Q(outcome="open")),
            void=Count("pk", filter=Q(outcome="void")),
        )
        .order_by("key")
    )
    return [Tally(row["key"], row["kept"], row["broken"], row["open"], row["void"]) for row in rows]


def worst(actor: Actor, start: datetime, end: datetime, limit: int = 20) -> list[CaseView]:
    """The broken promises made in [start, end), the latest arrivals first; never fulfilled ones on top."""
    rows = _of_staff(actor).filter(made_at__gte=start, made_at__lt=end, outcome="broken")
    return _cases(rows.order_by(F("late_seconds").desc(nulls_first=True), "made_at")[:limit])


def still_open(actor: Actor, limit: int = 300) -> list[CaseView]:
    """What is promised and not yet done, the most urgent first."""
    return _cases(_of_staff(actor).filter(outcome="open").order_by("promised_to", "pk")[:limit])


def _of_staff(actor: Actor) -> QuerySet[Promise]:
    require(actor, "console.read")
    own = actor.organisation_id
    if actor.kind == SYSTEM:
        return Promise.objects.all()
    if own is None:
        return Promise.objects.none()
    rows = Promise.objects.filter(Q(city__retailer_id=own) | Q(store__organisation_id=own))
    return rows if actor.store_ids is None else rows.filter(store_id__in=actor.store_ids)


def _cases(rows: QuerySet[Promise]) -> list[CaseView]:
    return [
        CaseView(
            row.order_id,
            row.store_id,
            row.mode,
            row.quantile,
            row.made_at,
            row.promised_to,
            row.fulfilled_at,
            row.late_seconds,
            row.outcome,
            row.compensation,
        )
        for row in rows
    ]
