"""What a courier who is held up has not picked up yet goes to somebody who has nothing to do."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from highstreet.delivery.couriers import reads as couriers
from highstreet.kernel import ids
from highstreet.kernel.policy import SYSTEM, THE_SYSTEM, Actor, action

from .. import rules, snapshot
from ..engine import Plan
from ..models import Delivery, Override
from ..moving import wait_again
from ..reads import candidates as hands
from ..reads.candidates import Candidate

# So many of the latest an epoch: each is asked about by itself.
MOST = 20


@action(SYSTEM)
def relieve(*, actor: Actor, seen: snapshot.Snapshot, decided: Plan, now: datetime) -> int:
    """Deliveries that are accepted, not picked up and expected after their promise wait again, where a courier with
    nothing to do would be at the door five minutes sooner. Returns how many.

    The next epoch gives them away among all else that waits, and not to who had them. Each courier who could help is
    counted on once. What was decided by hand stays.
    """
    late = sorted((row for row in seen.live if _held_up(row, seen)), key=lambda row: (row.promised_to, row.pk))[:MOST]
    idle = _idle(seen, decided) if late else set()
    if not idle:
        return 0
    barred = snapshot.asked_lately([row.pk for row in late], now)
    laden = couriers.with_too_much(late[0].city_id, idle) if any(row.cash for row in late) else set()
    count = 0
    for row in late:
        asked = idle.difference(laden if row.cash else (), barred[row.pk])
        soonest = _soonest(row, asked, now) if asked else None
        gained = (seen.etas[row.pk] - now).total_seconds() - soonest.door_seconds if soonest else 0.0
        if soonest and gained >= rules.RELIEF_SECONDS and _let_go(actor, row, now):
            idle.remove(soonest.courier.id)
            count += 1
    return count


def _held_up(row: Delivery, seen: snapshot.Snapshot) -> bool:
    eta = seen.etas.get(row.pk)
    return row.status == "accepted" and not row.pinned and eta is not None and eta > row.promised_to


def _idle(seen: snapshot.Snapshot, decided: Plan) -> set[UUID]:
    """Couriers who have nothing to bring and were given nothing."""
    busy = {row.courier_id for row in seen.live} | {seen.couriers[job.courier].id for job in decided.jobs}
    return {one.id for one in seen.couriers if one.id not in busy}


def _soonest(row: Delivery, asked: set[UUID], now: datetime) -> Candidate | None:
    """Who of those asked would be at the door first, and at the store before their orders end."""
    for one in hands.candidates(THE_SYSTEM, row.pk):
        until = one.courier.orders_until
        if one.courier.id in asked and (until is None or now + timedelta(seconds=one.store_seconds) <= until):
            return one
    return None


def _let_go(actor: Actor, row: Delivery, now: datetime) -> bool:
    """Unless its courier picked it up, or somebody decided, since we looked."""
    still = Delivery.objects.select_for_update(no_key=True, skip_locked=True).filter(
        pk=row.pk, status="accepted", pinned=False, courier=row.courier_id
    )
    held = still.defer("proof").first()
    if held is None:
        return False
    was = held.courier_id
    wait_again(actor, held, rules.HELD_UP)
    Override.objects.create(
        id=ids.new_id(), delivery=held, was_courier_id=was, why=rules.HELD_UP, pinned=False, actor=actor.name, at=now
    )
    return True
