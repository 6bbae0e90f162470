"""A delivery goes to a fleet when it begins, and is called off there when its order ends."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from highstreet.delivery.dispatch import reads as dispatch
from highstreet.kernel.policy import SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.states import move
from highstreet.trade.orders import actions as orders

from .. import reads
from ..models import FleetOrder
from ..states import MACHINE
from ..steps import ask, call_soon, locked, raise_alert


@action(SYSTEM)
def give(*, actor: Actor, delivery_id: UUID) -> None:
    """Write down, in the transaction in which the delivery begins, that a fleet brings it."""
    brief = dispatch.brief(delivery_id)
    use = reads.use_of(brief.store_id, brief.city_id)
    assert use is not None, "asked for a store that uses no fleet"
    ask(
        use.fleet_id,
        delivery_id=delivery_id,
        order_id=brief.order_id,
        order_number=brief.order_number,
        store_id=brief.store_id,
        shop_no=use.shop_no,
        promised_to=brief.promised_to,
        attempt=1,
        not_before=brief.not_before,
    )


@action(SYSTEM)
def call_off(*, actor: Actor, delivery_id: UUID) -> None:
    """The delivery was cancelled: the fleet, if it has it, is told so until it has heard."""
    live = FleetOrder.objects.filter(delivery_id=delivery_id, status__in=["asked", "placed"])
    found = live.values_list("pk", flat=True).first()
    if found is None:
        return
    row = locked(found)
    if row.status in ("asked", "placed"):
        move(MACHINE, row, "stop", actor=actor.name, note="the order ended", reason="cancelled", behind=False)
        call_soon(row)


@action(SYSTEM)
def end_order(*, actor: Actor, order_id: UUID, delivery_id: UUID) -> None:
    """Nobody brings it: the order is cancelled, all of its money goes back, and the broken promise is made good."""
    try:
        with transaction.atomic():
            orders.let_down(actor=actor, order_id=order_id, reason="no_courier")
    except Refused as refused:
        row = FleetOrder.objects.filter(delivery_id=delivery_id).order_by("-attempt").first()
        if row is not None and refused.reason.code != "wrong_state":
            raise_alert(row, "not_ended", refusal=refused.reason.code)
