"""Scarce things to try holds on: shelves of the inventory, plain and in shares, and a quarter of an hour's couriers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from highstreet.delivery.promise.models import CapacitySlot
from highstreet.kernel import clock, holds
from highstreet.kernel.holds import Claim
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.supply.inventory import actions as inventory
from highstreet.supply.inventory.models import StockLevel, StockLocation, StockMove, StockShare
from highstreet.supply.inventory.tests.support import a_city, a_store, a_variant


def shelves(*units: int) -> list[UUID]:
    """A shop's levels with so many units, in the order of their ids; the rows lie in the table the other way round."""
    location = StockLocation.objects.get(store=a_store())
    made = []
    for number, on_hand in enumerate(units):
        variant = a_variant(f"MILK-{number}", f"20000000000{number:02}")
        level = StockLevel.objects.create(location=location, variant=variant, on_hand=on_hand)
        StockMove.objects.create(
            level=level, kind="receipt", delta=on_hand, after=on_hand, actor=THE_SYSTEM.name, at=clock.now()
        )
        made.append(level.pk)
    for pk in reversed(made):
        StockLevel.objects.filter(pk=pk).update(incoming=1)
    return made


def flash(level: UUID, on: bool = True) -> None:
    row = StockLevel.objects.select_related("location").get(pk=level)
    inventory.set_flash(actor=THE_SYSTEM, store_id=row.location.store_id, variant_id=row.variant_id, flash=on)


def couriers(capacity: int) -> UUID:
    return CapacitySlot.objects.create(
        city=a_city(), starts_at=datetime(2026, 11, 24, 12, tzinfo=UTC), capacity=capacity
    ).pk


def units(level: UUID, quantity: int = 1, name: str = "") -> Claim:
    return Claim("units", level, quantity, name)


def take(group: UUID, *claims: Claim, confirmed: bool = False) -> None:
    holds.take(group, claims, clock.now() + timedelta(minutes=10), confirmed=confirmed)


def counts(level: UUID) -> tuple[int, int, int, int]:
    """(on_hand, held, allocated, pooled)."""
    row = StockLevel.objects.get(pk=level)
    return row.on_hand, row.held, row.allocated, row.pooled


def shares(level: UUID) -> list[tuple[int, int, int]]:
    """(units, held, allocated) of each share, in the order of their ids."""
    return list(StockShare.objects.filter(level=level).order_by("id").values_list("units", "held", "allocated"))
