"""What actions are made of: steps in the caller's transaction, under the caller's permission."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from highstreet.kernel import clock, holds, outbox
from highstreet.kernel.policy import SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.kernel.states import move
from highstreet.supply.catalog.reads import VariantView
from highstreet.supply.inventory import actions as inventory
from highstreet.supply.inventory import reads as levels
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores

from .events import FulfilmentCancelled, FulfilmentRejected, PickingStarted, StartMoved
from .models import Fulfilment, FulfilmentLine
from .refusals import NOT_ALL_PICKED
from .rules import Tally, aisle_order
from .states import MACHINE, STOCK_TAKEN


def find(actor: Actor, fulfilment_id: UUID, *, lock: bool = False) -> Fulfilment:
    """The fulfilment, if the actor may see it; NOT_FOUND otherwise."""
    rows = Fulfilment.objects.visible_to(actor)
    if lock:
        rows = rows.select_for_update(of=("self",), no_key=True)
    row = rows.select_related("store__city").filter(pk=fulfilment_id).first()
    if row is None:
        raise Refused(NOT_FOUND)
    return row


def find_of_line(actor: Actor, line_id: UUID) -> tuple[Fulfilment, FulfilmentLine]:
    """A line and its fulfilment, both locked; NOT_FOUND unless the actor may see them."""
    owner = FulfilmentLine.objects.filter(pk=line_id).values_list("fulfilment_id", flat=True).first()
    if owner is None:
        raise Refused(NOT_FOUND)
    row = find(actor, owner, lock=True)
    return row, FulfilmentLine.objects.select_for_update(of=("self",), no_key=True).get(pk=line_id)


def facts(row: Fulfilment) -> dict[str, UUID]:
    """What every event of a fulfilment says."""
    return {"fulfilment_id": row.pk, "order_id": row.order_id, "store_id": row.store_id}


def tell(row: Fulfilment, event: Any) -> None:
    outbox.emit(
        event, topics=[f"order:{row.order_id}", f"store:{row.store_id}", f"city:{stores.city_of(row.store_id)}"]
    )


def tally(line: FulfilmentLine) -> Tally:
    swapped = line.substitute_quantity if line.substitute_state == "agreed" else 0
    return Tally(line.quantity, line.picked, line.short, swapped, line.substitute_state == "asked")


def place_and_name(view: VariantView) -> str:
    """`A2-01 broccoli 300 g`: where it lies and what it is, for a picker."""
    return " ".join(part for part in (view.aisle, view.name, view.unit) if part)


def name_and_unit(view: VariantView) -> str:
    return " ".join(part for part in (view.name, view.unit) if part)


def answer_by(row: Fulfilment, asked_at: datetime) -> datetime:
    """Until when a shopper may answer."""
    retailer = organisations.city(row.store.city_id).retailer_id
    return asked_at + timedelta(minutes=organisations.terms(retailer).ask_minutes)


def in_store(actor: Actor) -> Actor:
    """The same person with the platform's rights, for the stock that a permitted action moves."""
    return replace(actor, kind=SYSTEM, store_ids=None)


def by_level(store_id: UUID, variant_ids: Iterable[UUID]) -> list[UUID]:
    """Variants in the order of their stock levels' ids: the order in which everyone locks them."""
    known = levels.levels(store_id, set(variant_ids))
    return sorted(known, key=lambda variant_id: known[variant_id].id)


def put_back(actor: Actor, row: Fulfilment, units: dict[UUID, int]) -> None:
    """Return units to the shelf, level by level. The last statements of a transaction."""
    wanted = {variant_id: count for variant_id, count in units.items() if count > 0}
    for variant_id in by_level(row.store_id, wanted):
        inventory.put_back(
            actor=in_store(actor),
            store_id=row.store_id,
            variant_id=variant_id,
            quantity=wanted[variant_id],
            cause=row.order_id,
        )


def bag(lines: Iterable[FulfilmentLine], *, picked: bool) -> dict[UUID, int]:
    """Units taken off the shelf by variant: substitutes always, what was picked only once it was packed."""
    units: dict[UUID, int] = {}
    for line in lines:
        if picked:
            units[line.variant_id] = units.get(line.variant_id, 0) + line.picked
        if line.substitute_id is not None and line.substitute_state in ("asked", "agreed"):
            units[line.substitute_id] = units.get(line.substitute_id, 0) + line.substitute_quantity
    return units


def begin(actor: Actor, row: Fulfilment) -> None:
    """Picking begins; sooner than it was to, that is when it began."""
    now = clock.now()
    sooner = row.start_at is not None and row.start_at > now
    start_at = now if sooner else row.start_at
    move(MACHINE, row, "start", actor=actor.name, picker_id=actor.employee_id, start_at=start_at)
    tell(row, PickingStarted(**facts(row)))
    if sooner:
        tell(row, StartMoved(**facts(row), start_at=now.isoformat()))


def turn_down(actor: Actor, row: Fulfilment, reason: str) -> None:
    """The store does not do it: WRONG_STATE unless it has still to answer."""
    move(MACHINE, row, "reject", actor=actor.name, note=reason, reject_reason=reason)
    tell(row, FulfilmentRejected(**facts(row), reason=reason))


def stop(actor: Actor, row: Fulfilment, reason: str) -> None:
    """`cancel` for a row at hand, in the caller's transaction."""
    # Under the row's lock: whether stock was taken must not change between the look and the move.
    before = Fulfilment.objects.select_for_update(no_key=True).values_list("status", flat=True).get(pk=row.pk)
    move(MACHINE, row, "cancel", actor=actor.name, note=reason)
    tell(row, FulfilmentCancelled(**facts(row), reason=reason))
    lines = list(FulfilmentLine.objects.filter(fulfilment=row))
    holds.release(row.group)
    put_back(actor, row, bag(lines, picked=before in STOCK_TAKEN))


def first_needed(lines: list[FulfilmentLine], views: dict[UUID, VariantView]) -> str:
    """The next item of the walk through the shop, or a dash when nothing is left."""
    left = [views[line.variant_id] for line in lines if tally(line).left > 0]
    if not left:
        return "—"
    return place_and_name(min(left, key=lambda view: (aisle_order(view.aisle), view.sku)))


def refuse_unpicked(lines: list[FulfilmentLine], views: dict[UUID, VariantView]) -> None:
    units = sum(tally(line).left for line in lines)
    if units:
        raise Refused(NOT_ALL_PICKED, units=units, needed=first_needed(lines, views))
