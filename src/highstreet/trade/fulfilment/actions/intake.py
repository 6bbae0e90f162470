"""An order reaches a store: created, accepted, rejected or called off."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import DurationField, ExpressionWrapper, F, Value

from highstreet.kernel import clock, ids, rows
from highstreet.kernel.policy import SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.states import move

from ..events import FulfilmentAccepted, FulfilmentCreated, StartMoved
from ..models import Fulfilment, FulfilmentLine
from ..refusals import BAD_REASON
from ..rules import MODES, PREFERENCES, REJECT_REASONS, NewFulfilment
from ..states import MACHINE, NOT_BEGUN
from ..steps import facts, find, stop, tell, turn_down

HANDOVER_DIGITS = 4


@action(SYSTEM)
def create(*, actor: Actor, spec: NewFulfilment) -> UUID:
    """Give an order to a store. Called by `trade.orders` only, which has decided that it may be.

    ValueError for a spec that makes no sense (a programming error of the caller).
    """
    if spec.mode not in MODES or spec.substitution not in PREFERENCES or not spec.lines:
        raise ValueError("a fulfilment has a known mode, a known preference and lines")
    if spec.collect_due < 0 or any(line.quantity < 1 or line.unit_price < 0 for line in spec.lines):
        raise ValueError("a line has at least one unit; money is not negative")
    row = Fulfilment(
        id=ids.new_id(),
        order_id=spec.order_id,
        order_number=spec.order_number,
        group=spec.group,
        store_id=spec.store_id,
        mode=spec.mode,
        substitution=spec.substitution,
        phone_tail=spec.phone_tail,
        address=spec.address,
        note=spec.note,
        lat=spec.lat,
        lon=spec.lon,
        promised_from=spec.promised_from,
        promised_to=spec.promised_to,
        ready_by=spec.ready_by,
        start_at=spec.start_at,
        not_before=spec.not_before,
        collect_due=spec.collect_due,
        handover_code=ids.random_code(HANDOVER_DIGITS),
        created_at=clock.now(),
    )
    rows.put([row])
    rows.put(
        [
            FulfilmentLine(
                id=ids.new_id(),
                fulfilment_id=row.pk,
                order_line_id=line.order_line_id,
                variant_id=line.variant_id,
                quantity=line.quantity,
                unit_price=line.unit_price,
            )
            for line in spec.lines
        ]
    )
    tell(row, FulfilmentCreated(**facts(row), mode=row.mode))
    return row.pk


@action("fulfilment.work")
def accept(*, actor: Actor, fulfilment_id: UUID) -> None:
    """The store takes the order and will have it ready by `ready_by`."""
    row = find(actor, fulfilment_id)
    move(MACHINE, row, "accept", actor=actor.name)
    starts = row.start_at.isoformat() if row.start_at else ""
    tell(row, FulfilmentAccepted(**facts(row), mode=row.mode, ready_by=row.ready_by.isoformat(), start_at=starts))


@action(SYSTEM)
def start_sooner(*, actor: Actor, fulfilment_id: UUID, at: datetime) -> bool:
    """The courier comes sooner than was thought: the store is to begin at `at`, and has as long to pack as it had.

    Called by `delivery.dispatch`. False, and nothing is changed, where the store has begun or is to begin by then.
    """
    sooner = ExpressionWrapper(Value(at) - F("start_at"), DurationField())
    waiting = Fulfilment.objects.filter(pk=fulfilment_id, status__in=NOT_BEGUN, start_at__gt=at)
    if waiting.update(start_at=at, ready_by=F("ready_by") + sooner) != 1:
        return False
    row = Fulfilment.objects.get(pk=fulfilment_id)
    tell(row, StartMoved(**facts(row), start_at=at.isoformat()))
    return True


@action("fulfilment.work")
def reject(*, actor: Actor, fulfilment_id: UUID, reason: str) -> None:
    """The store cannot. Its holds stay with the order, which looks for another store (`trade.orders`)."""
    if reason not in REJECT_REASONS:
        raise Refused(BAD_REASON)
    turn_down(actor, find(actor, fulfilment_id), reason)


@action(SYSTEM)
def cancel(*, actor: Actor, fulfilment_id: UUID, reason: str = "") -> None:
    """Stop it before it leaves the store: the holds go free, what was packed goes back on the shelf.

    Called by `trade.orders` only, which has decided who may. Refuses with WRONG_STATE once handed over.
    """
    stop(actor, Fulfilment.objects.select_related("store__city").get(pk=fulfilment_id), reason)
