"""Packing: everything is picked, short or substituted; the shelf gives up what was held; it is ready."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction

from highstreet.kernel import clock, ids
from highstreet.kernel.policy import Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.states import move
from highstreet.supply.catalog import reads as catalog
from highstreet.supply.inventory import actions as inventory
from highstreet.supply.stores import reads as stores

from ..events import FulfilmentReady
from ..models import Fulfilment, FulfilmentLine, PickupCode
from ..refusals import NOT_ANSWERED, NOTHING_PICKED
from ..rules import in_bag
from ..states import MACHINE
from ..steps import (
    answer_by,
    by_level,
    facts,
    find,
    in_store,
    name_and_unit,
    refuse_unpicked,
    tally,
    tell,
)
from .substitution import lapse_line

CODE_DIGITS = 8
CODE_TRIES = 20


@action("fulfilment.work")
def pack(*, actor: Actor, fulfilment_id: UUID) -> None:
    """Close the bag. Issues what was picked, gives back the rest of the holds, makes the pickup code.

    Refuses NOT_ALL_PICKED with the next item, NOT_ANSWERED while the shopper may still answer.
    """
    row = find(actor, fulfilment_id, lock=True)
    lines = FulfilmentLine.objects.filter(fulfilment=row).order_by("pk")
    for line in lines.filter(substitute_state="asked"):
        lapse_line(actor=in_store(actor), line_id=line.pk)
    row.refresh_from_db(fields=["status", "collect_due"])
    if row.status == "cancelled":
        return
    picked = list(lines.select_for_update(of=("self",), no_key=True))
    if row.status in ("accepted", "picking"):
        _refuse_unfinished(row, picked)
    move(MACHINE, row, "pack", actor=actor.name)
    if row.mode == "pickup":
        _make_code(row)
    move(MACHINE, row, "make_ready", actor=actor.name)
    tell(row, FulfilmentReady(**facts(row), mode=row.mode, at=clock.now().isoformat()))
    _issue(actor, row, picked)


def _refuse_unfinished(row: Fulfilment, lines: list[FulfilmentLine]) -> None:
    views = catalog.variants({line.variant_id for line in lines})
    refuse_unpicked(lines, views)
    for line in lines:
        if line.substitute_state == "asked" and line.asked_at is not None:
            until = answer_by(row, line.asked_at).astimezone(stores.store(row.store_id).zone)
            raise Refused(NOT_ANSWERED, name=name_and_unit(views[line.variant_id]), until=f"{until:%H:%M}")
    if in_bag(tally(line) for line in lines) == 0:
        raise Refused(NOTHING_PICKED)


def _issue(actor: Actor, row: Fulfilment, lines: list[FulfilmentLine]) -> None:
    picked: dict[UUID, int] = {}
    for line in lines:
        picked[line.variant_id] = picked.get(line.variant_id, 0) + line.picked
    for variant_id in by_level(row.store_id, picked):
        issued = inventory.issue(
            actor=in_store(actor),
            store_id=row.store_id,
            variant_id=variant_id,
            quantity=picked[variant_id],
            group=row.group,
            cause=row.order_id,
        )
        if issued != picked[variant_id]:
            raise RuntimeError(f"{row.pk}: {picked[variant_id]} picked, only {issued} were held")


def _make_code(row: Fulfilment) -> None:
    """Eight digits that no waiting order of this store has."""
    for _ in range(CODE_TRIES):
        try:
            with transaction.atomic():
                PickupCode.objects.create(
                    id=ids.new_id(), fulfilment=row, code=ids.random_code(CODE_DIGITS), store_id=row.store_id
                )
            return
        except IntegrityError:
            continue
    raise RuntimeError("no pickup code is free")
