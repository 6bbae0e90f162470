"""Which fleet a store uses, who brings an order, what an organisation's fleets have and said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth

from highstreet.delivery.couriers.rules import first_name
from highstreet.delivery.dispatch.ports import FleetCourier
from highstreet.kernel import clock, paging
from highstreet.kernel.policy import THE_SYSTEM, Actor, require
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations.reads import remembered

from . import rules
from .models import Fleet, FleetAlert, FleetEvent, FleetOrder, FleetUse
from .states import LIVE


@dataclass(frozen=True)
class UseView:
    """Where a fleet brings things; `store_id` None: in all the city's stores that name no other."""

    id: UUID
    fleet_id: UUID
    city_id: UUID
    store_id: UUID | None
    shop_no: str
    couriers: int
    since: datetime


@dataclass(frozen=True)
class FleetView:
    """A fleet as its organisation sees it: never its secrets. `busy`: orders that are with it now."""

    id: UUID
    provider: str
    name: str
    base_url: str
    active: bool
    created_at: datetime
    uses: list[UseView]
    busy: int
    heard_at: datetime | None


@dataclass(frozen=True)
class EventView:
    """A callback; `state` is its code in our words, "" where we know none."""

    id: UUID
    number: str
    code: str
    state: str
    received_at: datetime
    outcome: str
    order_id: UUID | None
    order_number: str


@dataclass(frozen=True)
class AlertView:
    id: UUID
    fleet_id: UUID
    fleet: str
    kind: str
    subject: str
    order_id: UUID | None
    facts: dict[str, Any]
    at: datetime
    bag_out: bool


@dataclass(frozen=True)
class BillView:
    """What our books say that a fleet is owed for a month (its first moment, in the current time zone): orders that it
    brought, or brought back, those called off at a cost, and fen."""

    month: datetime
    brought: int
    called_off: int
    amount: int


def use_of(store_id: UUID, city_id: UUID) -> UseView | None:
    """Which fleet brings this store's deliveries now: its own, or the city's."""
    found = sorted(_uses(city_id, [store_id]), key=lambda row: row.store_id is None)
    return _use(found[0]) if found else None


def _uses(city_id: UUID, store_ids: Collection[UUID]) -> QuerySet[FleetUse]:
    """Of these stores, or of the whole city."""
    here = Q(store_id__in=store_ids) | Q(store=None, city_id=city_id)
    return FleetUse.objects.filter(here, ended_at=None, fleet__active=True, fleet__removed_at=None)


@remembered
def couriers_in(city_id: UUID) -> dict[UUID | None, int]:
    """How many couriers the fleets used in a city count for, by their store; None: by the stores without one. Stores
    that were closed down are left out."""
    rows = FleetUse.objects.filter(city_id=city_id, ended_at=None, fleet__active=True, fleet__removed_at=None)
    return dict(rows.exclude(store__active=False).values_list("store_id", "couriers"))


class Hired:
    """Fills `dispatch.ports.fleets`."""

    def serving(self, *, city_id: UUID, store_ids: Collection[UUID]) -> set[UUID]:
        used = set(_uses(city_id, store_ids).values_list("store_id", flat=True))
        return set(store_ids) if None in used else used

    def give(self, *, delivery_id: UUID) -> None:
        from . import actions

        actions.give(actor=THE_SYSTEM, delivery_id=delivery_id)

    def couriers(self, delivery_ids: Collection[UUID]) -> dict[UUID, FleetCourier]:
        rows = FleetOrder.objects.filter(delivery_id__in=delivery_ids).exclude(courier_name="").order_by("attempt")
        last = {row.delivery_id: row for row in rows}
        return {
            delivery_id: FleetCourier(first_name(row.courier_name), rules.phone_tail(row.courier_phone))
            for delivery_id, row in last.items()
            if row.status not in ("lost", "stopped")
        }


def brought_by(delivery_id: UUID) -> str:
    """The fleet that has a delivery now, or had it last, with its courier's name and phone; for staff who may see the
    order."""
    row = FleetOrder.objects.filter(delivery_id=delivery_id).select_related("fleet").order_by("-attempt").first()
    if row is None:
        return ""
    return " · ".join(part for part in (row.fleet.name, row.courier_name, row.courier_phone) if part)


def fleets(actor: Actor) -> list[FleetView]:
    """The actor's organisation's fleets, oldest first."""
    require(actor, "fleets.manage")
    rows = list(Fleet.objects.visible_to(actor).filter(removed_at=None).order_by("created_at", "pk"))
    keys = [row.pk for row in rows]
    uses: dict[UUID, list[UseView]] = defaultdict(list)
    for use in FleetUse.objects.filter(fleet__in=keys, ended_at=None).order_by("since", "pk"):
        uses[use.fleet_id].append(_use(use))
    known = FleetOrder.objects.filter(fleet__in=keys, status__in=LIVE).values("fleet").annotate(count=Count("pk"))
    busy = {row["fleet"]: row["count"] for row in known}
    last = FleetEvent.objects.filter(fleet__in=keys).values("fleet").annotate(at=Max("received_at"))
    heard = {row["fleet"]: row["at"] for row in last}
    return [
        FleetView(
            row.pk,
            row.provider,
            row.name,
            row.base_url,
            row.active,
            row.created_at,
            uses[row.pk],
            busy.get(row.pk, 0),
            heard.get(row.pk),
        )
        for row in rows
    ]


def fleet(actor: Actor, fleet_id: UUID) -> FleetView:
    """One of them; NOT_FOUND otherwise."""
    for known in fleets(actor):
        if known.id == fleet_id:
            return known
    raise Refused(NOT_FOUND)


def names(organisation_id: UUID) -> dict[UUID, str]:
    """An organisation's fleets by name, removed ones too: they may still be owed."""
    return dict(Fleet.objects.filter(organisation_id=organisation_id).values_list("pk", "name"))


def bills(actor: Actor, fleet_id: UUID) -> list[BillView]:
    """This month and those before it, newest first, at most three; months without a charge are left out."""
    require(actor, "fleets.manage")
    rows = FleetOrder.objects.filter(fleet__in=Fleet.objects.visible_to(actor), fleet_id=fleet_id, charged__gt=0)
    recent = rows.filter(created_at__gte=clock.now() - timedelta(days=100), ended_at__isnull=False)
    months = recent.values(month=TruncMonth("ended_at")).annotate(
        brought=Count("pk", filter=Q(status="done")),
        called_off=Count("pk", filter=~Q(status="done")),
        amount=Sum("charged"),
    )
    return [BillView(**row) for row in months.order_by("-month")[:3]]


def events(actor: Actor, fleet_id: UUID | None, *, cursor: str = "", limit: int = 30) -> tuple[list[EventView], str]:
    """What fleets told last, newest first (of one, or of all), and where the list goes on."""
    require(actor, "fleets.manage")
    rows = FleetEvent.objects.filter(fleet__in=Fleet.objects.visible_to(actor)).select_related("fleet")
    if fleet_id is not None:
        rows = rows.filter(fleet_id=fleet_id)
    found = list(rows.filter(paging.beyond(cursor, "received_at")).order_by("-received_at", "-pk")[: limit + 1])
    more = paging.cursor(found[limit - 1].received_at, found[limit - 1].pk) if len(found) > limit else ""
    orders = {row.number: row for row in FleetOrder.objects.filter(number__in=[one.number for one in found[:limit]])}
    views = []
    for row in found[:limit]:
        code, order = rules.meaning(row.fleet.provider, row.code), orders.get(row.number)
        views.append(
            EventView(
                row.pk,
                row.number,
                row.code,
                code.state if code else "",
                row.received_at,
                row.outcome,
                order.order_id if order else None,
                order.order_number if order else "",
            )
        )
    return views, more


def alerts(actor: Actor, limit: int = 100) -> list[AlertView]:
    """What somebody must look at, newest first."""
    require(actor, "fleets.manage")
    rows = list(
        FleetAlert.objects.visible_to(actor).filter(closed_at=None).select_related("fleet").order_by("-at")[:limit]
    )
    dropped = FleetOrder.objects.filter(number__in=[row.subject for row in rows], status="dropped")
    out = set(dropped.values_list("number", flat=True))
    return [
        AlertView(
            row.pk,
            row.fleet_id,
            row.fleet.name,
            row.kind,
            row.subject,
            row.order_id,
            row.facts,
            row.at,
            row.kind == "bag_out" and row.subject in out,
        )
        for row in rows
    ]


def _use(row: FleetUse) -> UseView:
    return UseView(row.pk, row.fleet_id, row.city_id, row.store_id, row.shop_no, row.couriers, row.since)
