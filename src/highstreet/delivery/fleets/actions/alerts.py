"""What staff do about what fleets left open: an alert is looked into, a bag was found or is lost."""

from __future__ import annotations

from uuid import UUID

from highstreet.delivery.dispatch import actions as dispatch
from highstreet.kernel import clock
from highstreet.kernel.policy import THE_SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.kernel.states import move

from ..models import FleetAlert, FleetOrder
from ..states import MACHINE
from ..steps import locked


@action("fleets.manage")
def close_alert(*, actor: Actor, alert_id: UUID) -> None:
    """Someone has looked. NOT_FOUND for another organisation's, and for what is closed already."""
    _close(actor, alert_id)


@action("fleets.manage")
def bag_found(*, actor: Actor, alert_id: UUID) -> None:
    """The bag of a delivery that failed is back in the store: the goods go on the shelf, the order is refunded."""
    _end(actor, alert_id, found=True)


@action("fleets.manage")
def bag_lost(*, actor: Actor, alert_id: UUID) -> None:
    """Nobody knows where the bag is: the goods are written off, the order is refunded."""
    _end(actor, alert_id, found=False)


def _end(actor: Actor, alert_id: UUID, *, found: bool) -> None:
    known = FleetAlert.objects.visible_to(actor).filter(pk=alert_id, kind="bag_out").first()
    row = FleetOrder.objects.filter(number=known.subject, status="dropped").first() if known else None
    if row is None:
        raise Refused(NOT_FOUND)
    row = locked(row.pk)
    move(MACHINE, row, "finish", actor=actor.name, note="found" if found else "lost", next_at=None)
    dispatch.write_off(actor=THE_SYSTEM, delivery_id=row.delivery_id, found=found)
    _close(actor, alert_id)


def _close(actor: Actor, alert_id: UUID) -> None:
    moved = FleetAlert.objects.filter(pk__in=FleetAlert.objects.visible_to(actor).filter(pk=alert_id), closed_at=None)
    if moved.update(closed_at=clock.now()) != 1:
        raise Refused(NOT_FOUND)
