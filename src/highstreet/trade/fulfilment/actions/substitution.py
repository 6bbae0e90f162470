"""What is not on the shelf: short, or another item in its place if the shopper wants one.

A substitute's units leave the shelf when they are proposed, since they are in the picker's hand; a no puts
them back. Units under a question count as short until the answer, and their money goes back on a no only.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import F

from highstreet.kernel import clock
from highstreet.kernel.policy import SYSTEM, Actor, action, require
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID, WRONG_STATE
from highstreet.supply.catalog import reads as catalog
from highstreet.supply.inventory import actions as inventory

from ..events import LineShort, LineSubstituted, SubstituteAsked
from ..models import Fulfilment, FulfilmentLine
from ..refusals import ALREADY_SUBSTITUTED, NO_SUBSTITUTES, NOT_A_SUBSTITUTE, NOT_ASKED, TOO_MANY_UNITS
from ..rules import hopeless
from ..steps import (
    answer_by,
    begin,
    facts,
    find_of_line,
    in_store,
    name_and_unit,
    put_back,
    stop,
    tally,
    tell,
)


@action("fulfilment.work")
def mark_short(*, actor: Actor, line_id: UUID, units: int) -> None:
    """`units` of a line are not there: their money goes back. Nothing left of the order cancels it."""
    row, line = find_of_line(actor, line_id)
    _be_picking(actor, row)
    _shorten(line, units)
    _refund(row, line, units)
    _end_if_hopeless(actor, row)


@action("fulfilment.work")
def propose_substitute(*, actor: Actor, line_id: UUID, variant_id: UUID, units: int) -> str:
    """Put `units` of another variant in the place of missing ones, as the shopper prefers.

    Returns "agreed" (preference best) or "asked". Refuses NO_SUBSTITUTES, ALREADY_SUBSTITUTED (one
    substitute a line), NOT_A_SUBSTITUTE, TOO_MANY_UNITS, and the stock's refusal when too few are free.
    """
    row, line = find_of_line(actor, line_id)
    _be_picking(actor, row)
    if row.substitution == "refund":
        raise Refused(NO_SUBSTITUTES)
    views = catalog.variants([line.variant_id, variant_id])
    if line.substitute_state in ("asked", "agreed"):
        raise Refused(ALREADY_SUBSTITUTED, name=name_and_unit(views[line.variant_id]))
    price = catalog.prices(row.store_id, [variant_id]).get(variant_id)
    if variant_id not in views or variant_id == line.variant_id or price is None:
        shown = name_and_unit(views[variant_id]) if variant_id in views else "?"
        raise Refused(NOT_A_SUBSTITUTE, name=shown)
    _shorten(line, units)
    now = clock.now()
    line.substitute_id, line.substitute_quantity, line.asked_at = variant_id, units, now
    line.substitute_state = "agreed" if row.substitution == "best" else "asked"
    line.save(update_fields=["substitute", "substitute_quantity", "asked_at", "substitute_state"])
    if line.substitute_state == "agreed":
        _tell_substituted(row, line, price)
    else:
        tell(
            row,
            SubstituteAsked(
                **facts(row),
                line_id=line.pk,
                order_line_id=line.order_line_id,
                variant_id=variant_id,
                units=units,
                answer_by=answer_by(row, now).isoformat(),
            ),
        )
    inventory.issue_free(
        actor=in_store(actor),
        store_id=row.store_id,
        variant_id=variant_id,
        quantity=units,
        cause=row.order_id,
    )
    return line.substitute_state


@action(SYSTEM)
def answer_substitute(*, actor: Actor, line_id: UUID, agreed: bool) -> None:
    """The shopper's yes or no. Called by `trade.orders`, which has checked that the order is theirs."""
    row, line = find_of_line(actor, line_id)
    _answer(actor, row, line, agreed)


def lapse_unanswered(*, actor: Actor, limit: int = 200) -> int:
    """Silence past the retailer's `ask_minutes` is a no. Returns how many lines. A transaction for each."""
    require(actor, SYSTEM)
    asked = FulfilmentLine.objects.filter(substitute_state="asked", fulfilment__status="picking")
    lines = list(asked.order_by("asked_at").values_list("pk", flat=True)[:limit])
    return sum(lapse_line(actor=actor, line_id=line_id) for line_id in lines)


lapse_unanswered.__policy__ = SYSTEM  # type: ignore[attr-defined]


@action(SYSTEM)
def lapse_line(*, actor: Actor, line_id: UUID) -> bool:
    """Take silence about one line for a no if its time is over. Whether it was."""
    row, line = find_of_line(actor, line_id)
    if row.status != "picking" or line.substitute_state != "asked" or line.asked_at is None:
        return False
    if clock.now() < answer_by(row, line.asked_at):
        return False
    _answer(actor, row, line, False)
    return True


def _answer(actor: Actor, row: Fulfilment, line: FulfilmentLine, agreed: bool) -> None:
    substitute, units = line.substitute_id, line.substitute_quantity
    state = "agreed" if agreed else "refused"
    moved = FulfilmentLine.objects.filter(pk=line.pk, substitute_state="asked").update(
        substitute_state=state, substitute_quantity=units if agreed else 0
    )
    if moved != 1 or substitute is None or row.status != "picking":
        raise Refused(NOT_ASKED, name=name_and_unit(catalog.variants([line.variant_id])[line.variant_id]))
    line.substitute_state, line.substitute_quantity = state, units if agreed else 0
    if agreed:
        _tell_substituted(row, line, catalog.prices(row.store_id, [substitute]).get(substitute))
        return
    _refund(row, line, units)
    put_back(actor, row, {substitute: units})
    _end_if_hopeless(actor, row)


def _be_picking(actor: Actor, row: Fulfilment) -> None:
    if row.status == "accepted":
        begin(actor, row)
    if row.status != "picking":
        raise Refused(WRONG_STATE, state=row.status)


def _shorten(line: FulfilmentLine, units: int) -> None:
    if units < 1:
        raise Refused(INVALID, field="units", problem=str(units))
    left = tally(line).left
    moved = (
        FulfilmentLine.objects.filter(pk=line.pk, quantity__gte=F("picked") + F("short") + units).update(
            short=F("short") + units
        )
        if units <= left
        else 0
    )
    if moved != 1:
        name = name_and_unit(catalog.variants([line.variant_id])[line.variant_id])
        raise Refused(TOO_MANY_UNITS, left=left, name=name)
    line.short += units


def _refund(row: Fulfilment, line: FulfilmentLine, units: int) -> None:
    """Say that `units` will not come; what is still to be paid at the counter shrinks at once."""
    if row.collect_due > 0:
        row.collect_due = max(0, row.collect_due - units * line.unit_price)
        Fulfilment.objects.filter(pk=row.pk).update(collect_due=row.collect_due)
    tell(row, LineShort(**facts(row), order_line_id=line.order_line_id, units=units))


def _tell_substituted(row: Fulfilment, line: FulfilmentLine, price: int | None) -> None:
    assert line.substitute_id is not None
    below = max(0, line.unit_price - price) if price is not None else 0
    tell(
        row,
        LineSubstituted(
            **facts(row),
            order_line_id=line.order_line_id,
            variant_id=line.substitute_id,
            units=line.substitute_quantity,
            price_below=below,
        ),
    )


def _end_if_hopeless(actor: Actor, row: Fulfilment) -> None:
    if hopeless(tally(line) for line in FulfilmentLine.objects.filter(fulfilment=row)):
        stop(actor, row, "nothing_left")
