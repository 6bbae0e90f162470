"""Couriers of whom nothing is heard any more: what they had to bring does not wait for them."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q
from django.db.models.functions import Greatest

from highstreet.delivery.couriers import actions as couriers
from highstreet.delivery.couriers import reads as courier_reads
from highstreet.kernel import clock
from highstreet.kernel.policy import SYSTEM, Actor, action

from .. import rules
from ..models import Delivery
from ..moving import lose, wait_again
from ..states import BEFORE_PICK_UP, LIVE


@action(SYSTEM)
def let_go_of_vanished(*, actor: Actor, city_id: UUID) -> set[UUID]:
    """Couriers on shift without a sign of life for ten minutes, who are given nothing new. Returns their ids.

    What they have not picked up waits for somebody else. What they have is given up 45 minutes after its promise and
    their last sign: refunded and compensated. After an hour with nothing in hand their shift ends.
    """
    now = clock.now()
    before = now - timedelta(seconds=rules.vanished_seconds(clock.speed()))
    quiet = _without_a_tap(courier_reads.silent(city_id, before), before)
    if not quiet:
        return set()
    locked = couriers.lock_on_shift(actor=actor, courier_ids=list(quiet), switched_off=True)
    still = set(courier_reads.silent(city_id, before)) & locked
    rows = Delivery.objects.select_for_update(no_key=True).filter(courier_id__in=still, status__in=LIVE).order_by("pk")
    left = set()
    for row in rows.defer("proof"):
        assert row.courier_id is not None
        if row.status in BEFORE_PICK_UP:
            wait_again(actor, row, "vanished")
        elif now >= rules.given_up_at(row.promised_to, quiet[row.courier_id]):
            lose(actor, row)
        else:
            left.add(row.courier_id)
    abandoned = now - timedelta(seconds=rules.ABANDONED_SECONDS)
    for courier_id in sorted(still - left):
        if quiet[courier_id] < abandoned:
            couriers.clock_off(actor=actor, courier_id=courier_id)
    return still


def _without_a_tap(silent: dict[UUID, datetime], before: datetime) -> dict[UUID, datetime]:
    """A phone that tells no place may still be in a hand: who has tapped a step since is not gone."""
    moments = [F(name) for name in ("accepted_at", "arrived_at", "picked_up_at", "at_door_at", "ended_at")]
    recent = Q(ended_at=None) | Q(ended_at__gte=before)
    rows = Delivery.objects.filter(recent, courier_id__in=list(silent)).annotate(tapped=Greatest(*moments))
    tapped: dict[UUID, datetime] = {}
    for courier_id, at in rows.exclude(tapped=None).values_list("courier_id", "tapped").order_by("tapped"):
        tapped[courier_id] = at
    last = {courier: max(at, tapped.get(courier, at)) for courier, at in silent.items()}
    return {courier: at for courier, at in last.items() if at < before}
