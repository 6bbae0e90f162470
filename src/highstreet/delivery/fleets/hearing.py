"""What comes of a fleet's word, in the caller's transaction: by callback, or by an answer to our question."""

from __future__ import annotations

from highstreet.kernel import clock
from highstreet.kernel.policy import Actor
from highstreet.kernel.states import move

from . import rules
from .models import FleetOrder
from .providers import Told
from .states import MACHINE, OVER
from .steps import charge, follow, lost, raise_alert, stopped


def hear(actor: Actor, row: FleetOrder, told: Told) -> str:
    """Take note of what a fleet tells of a locked order, and let the delivery follow. Returns what came of it.

    An older state moves nothing, the same again at most changes who brings it, and after an end there is nothing.
    """
    code = rules.meaning(row.fleet.provider, told.code)
    if code is None:
        raise_alert(row, "code_unknown", code=told.code)
        return "code unknown"
    if row.status in OVER:
        return _after_all(row, code)
    _heard(row, told)
    if row.status == "asked":
        # Its callback was faster than its answer to us.
        move(MACHINE, row, "place", actor=actor.name, note="told by callback")
    if not rules.is_news(row.told, code.state):
        return "repeated" if code.state == row.told else "late"
    if row.status == "dropped" and code.state == "cancelled":
        return "repeated"
    if code.state == "cancelled":
        return _cancelled(actor, row, told, code)
    FleetOrder.objects.filter(pk=row.pk).update(told=code.state, code=told.code, since=clock.now())
    row.told, row.code = code.state, told.code
    if row.status == "stopping" and rules.RANK[row.told] >= rules.RANK["picked_up"]:
        _too_late(actor, row)
    outcome = follow(actor, row, eta=told.eta)
    if row.told in rules.FINAL:
        move(MACHINE, row, "finish", actor=actor.name, note=row.told, next_at=None)
        charge(actor, row, row.fee or 0)
    return outcome


def _heard(row: FleetOrder, told: Told) -> None:
    """When we heard last, and whom they name: the newest by the fleet's own time."""
    now = clock.now()
    row.heard_at, row.provider_id = now, row.provider_id or told.provider_id
    changed = ["heard_at", "provider_id"]
    if told.courier_name and (row.courier_at is None or told.at >= row.courier_at):
        row.courier_name, row.courier_phone, row.courier_at = told.courier_name, told.courier_phone, told.at
        changed += ["courier_name", "courier_phone", "courier_at"]
    if row.status == "placed" and now < row.promised_to + rules.GIVE_UP_LATE:
        # Past that it is asked however much it says.
        row.next_at = now + rules.SILENT
        changed.append("next_at")
    row.save(update_fields=changed)


def _cancelled(actor: Actor, row: FleetOrder, told: Told, code: rules.Code) -> str:
    row.code = told.code
    FleetOrder.objects.filter(pk=row.pk).update(code=told.code)
    if row.status == "stopping":
        stopped(actor, row, f"told {told.code}")
        return "stopped"
    lost(actor, row, code.reason or "fleet")
    return row.status


def _too_late(actor: Actor, row: FleetOrder) -> None:
    """We called it off, and the courier has it all the same."""
    if row.reason == "cancelled":
        raise_alert(row, "came_after_all", told=row.told)
    elif row.told not in rules.FINAL:
        move(MACHINE, row, "keep", actor=actor.name, note=f"told {row.told}", next_at=clock.now() + rules.SILENT)


def _after_all(row: FleetOrder, code: rules.Code) -> str:
    if row.status != "done" and (code.state in rules.CARRIED or code.state == "delivered"):
        raise_alert(row, "came_after_all", told=code.state)
    return "over"
