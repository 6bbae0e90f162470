"""Picking: one scan is one conditional UPDATE on what is still to pick."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import F

from highstreet.kernel.policy import Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID, WRONG_STATE
from highstreet.supply.catalog import reads as catalog
from highstreet.supply.catalog.reads import VariantView

from ..events import LinePicked
from ..models import Fulfilment, FulfilmentLine
from ..refusals import ALREADY_PICKED, UNKNOWN_CODE, WRONG_ITEM
from ..rules import spellings
from ..steps import begin, facts, find, first_needed, name_and_unit, tally, tell

MAX_UNITS = 99


@dataclass(frozen=True)
class ScanResult:
    """`picked` of `quantity` of the line are in the bag; `done` when nothing of the order is left to pick."""

    line_id: UUID
    name: str
    picked: int
    quantity: int
    done: bool


@action("fulfilment.work")
def start_picking(*, actor: Actor, fulfilment_id: UUID) -> None:
    """Begin; the first scan does so by itself."""
    begin(actor, find(actor, fulfilment_id))


@action("fulfilment.work")
def scan(*, actor: Actor, fulfilment_id: UUID, code: str, units: int = 1) -> ScanResult:
    """Put `units` of what `code` names (barcode or SKU) in the bag.

    Refuses WRONG_ITEM with both items' names, UNKNOWN_CODE, ALREADY_PICKED; nothing is counted then.
    """
    if not 1 <= units <= MAX_UNITS:
        raise Refused(INVALID, field="units", problem=str(units))
    row = find(actor, fulfilment_id)
    if row.status == "accepted":
        begin(actor, row)
    if row.status != "picking":
        raise Refused(WRONG_STATE, state=row.status)
    lines = list(FulfilmentLine.objects.filter(fulfilment=row))
    views = catalog.variants({line.variant_id for line in lines})
    line = _line_of(lines, views, code)
    # The counts must be conditions on the row itself: inside a join's subquery they would not be looked at
    # again after another scan has committed.
    counted = FulfilmentLine.objects.filter(
        pk=line.pk,
        fulfilment__in=Fulfilment.objects.filter(pk=row.pk, status="picking"),
        quantity__gte=F("picked") + F("short") + units,
    ).update(picked=F("picked") + units)
    line.refresh_from_db(fields=["picked", "short"])
    name = name_and_unit(views[line.variant_id])
    if counted != 1:
        raise Refused(ALREADY_PICKED, quantity=line.quantity - line.short, name=name)
    tell(row, LinePicked(**facts(row), order_line_id=line.order_line_id, picked=line.picked, quantity=line.quantity))
    done = all(tally(other).left == 0 for other in lines if other.pk != line.pk) and tally(line).left == 0
    return ScanResult(line.pk, name, line.picked, line.quantity, done)


def _line_of(lines: list[FulfilmentLine], views: dict[UUID, VariantView], code: str) -> FulfilmentLine:
    """The line that `code` names, one with units left before one without."""
    names = set(spellings(code))
    found = [line for line in lines if {views[line.variant_id].barcode, views[line.variant_id].sku} & names]
    if found:
        return min(found, key=lambda line: tally(line).left == 0)
    needed = first_needed(lines, views)
    for name in sorted(names):
        other = catalog.by_barcode(name)
        if other is not None:
            raise Refused(WRONG_ITEM, scanned=name_and_unit(other), needed=needed)
    raise Refused(UNKNOWN_CODE, code="".join(char for char in code if char.isprintable())[:20], needed=needed)
