"""One epoch of dispatch: what lapsed goes back, the engine decides, couriers are given what is still waiting."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F

from highstreet.delivery.couriers import actions as couriers
from highstreet.kernel import clock, ids, outbox
from highstreet.kernel.policy import SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused

from .. import rules, snapshot
from ..engine import SERVING, Job, Plan, Policy, Problem, visits
from ..events import DeliveryAssigned
from ..meeting import begin_now
from ..models import MOST_SEATS, Delivery, DispatchDecision
from ..moving import step, topics, wait_again
from ..states import BEFORE_PICK_UP, LIVE
from .relieving import relieve
from .vanishing import let_go_of_vanished

ETA_MOVED_SECONDS = 45


@dataclass(frozen=True)
class Epoch:
    """What one call of `plan` did: deliveries given to couriers, taken back, and still waiting; couriers `away`.

    `lapsed` were not accepted in time, `relieved` were with a courier who is held up.
    """

    assigned: int
    lapsed: int
    waiting: int
    away: frozenset[UUID] = frozenset()
    relieved: int = 0


def plan(*, actor: Actor, city_id: UUID, policy: Policy = SERVING) -> Epoch:
    """One epoch for a city. Every assignment is conditional on the delivery still waiting and the courier's room.

    Run by one leader a city (see `loop`); run by two, the second finds nothing waiting. Four transactions, none of
    them open while the city is looked at: a travel service may take its time.
    """
    now = clock.now()
    lapsed = lapse(actor=actor, city_id=city_id)
    away = let_go_of_vanished(actor=actor, city_id=city_id)
    seen = snapshot.take(city_id, now, away)
    decided = policy.assign(seen.problem)
    assigned = give(actor=actor, seen=seen, decided=decided, policy=policy.name, now=now)
    relieved = relieve(actor=actor, seen=seen, decided=decided, now=now)
    return Epoch(assigned, lapsed, len(seen.waiting) - assigned, frozenset(away), relieved)


plan.__policy__ = SYSTEM  # type: ignore[attr-defined]


@action(SYSTEM)
def give(*, actor: Actor, seen: snapshot.Snapshot, decided: Plan, policy: str, now: datetime) -> int:
    """Carry out what was decided upon `seen`, as far as it still holds. Returns how many deliveries were given."""
    assigned = _give(actor, seen, decided, policy, now)
    _begin(seen, decided)
    _tell_etas(seen)
    return assigned


@action(SYSTEM)
def lapse(*, actor: Actor, city_id: UUID) -> int:
    """What was not accepted in time waits again; its courier is not asked for it for a while. Returns how many."""
    before = clock.now() - timedelta(seconds=rules.lapse_seconds(clock.speed()))
    rows = (
        Delivery.objects.select_for_update(no_key=True, skip_locked=True)
        .filter(city_id=city_id, carrier="own", status="assigned", assigned_at__lt=before, pinned=False)
        .order_by("pk")
    )
    count = 0
    for row in rows:
        wait_again(actor, row, "not accepted in time")
        count += 1
    return count


def _give(actor: Actor, seen: snapshot.Snapshot, decided: Plan, policy: str, now: datetime) -> int:
    """Lock the couriers in id order, then give each job's orders while there is room."""
    jobs = sorted(decided.jobs, key=lambda job: seen.couriers[job.courier].id)
    on_duty = couriers.lock_on_shift(actor=actor, courier_ids=[seen.couriers[job.courier].id for job in jobs])
    bags = _bags(on_duty)
    # Whoever decided by hand since we looked has the last word.
    still = _lock_waiting([seen.waiting[order].pk for job in jobs for order in job.orders])
    given = 0
    for job in jobs:
        courier = seen.couriers[job.courier]
        taken = {row.seat for row in bags[courier.id]}
        free = [seat for seat in range(min(courier.capacity, MOST_SEATS)) if seat not in taken]
        if courier.id not in on_duty or len(free) < len(job.orders):
            continue
        after = _last(bags[courier.id]) if job.place is None else _made_room(bags[courier.id], seen, job, still)
        if after is None:
            continue
        # The stops of a ride are counted: its pick-ups, where they are several, then its doors.
        picks = [seen.stores[store].id for store in job.stores] if len(job.stores) > 1 else []
        for place, (order, arrive) in enumerate(zip(job.orders, job.arrive_in, strict=True)):
            row = seen.waiting[order]
            if row.pk not in still:
                continue
            chosen = {
                "courier_id": courier.id,
                "seat": free[place],
                "sequence": after + len(picks) + place + 1,
                "pick": after + picks.index(row.store_id) + 1 if picks else None,
                "eta": now + timedelta(seconds=arrive),
            }
            if _assign(actor, row, chosen):
                given += 1
                _explain(seen, job, order, policy, now)
    return given


def _bags(courier_ids: set[UUID]) -> dict[UUID, list[Delivery]]:
    """What each of these couriers has, in the sequence of the doors."""
    found: dict[UUID, list[Delivery]] = defaultdict(list)
    rows = Delivery.objects.filter(courier_id__in=courier_ids, status__in=LIVE).order_by("sequence", "pk")
    for row in rows.only("courier_id", "seat", "sequence", "status"):
        if row.courier_id is not None:
            found[row.courier_id].append(row)
    return found


def _last(bag: list[Delivery]) -> int:
    return max((row.sequence for row in bag), default=0)


def _made_room(bag: list[Delivery], seen: snapshot.Snapshot, job: Job, still: set[UUID]) -> int | None:
    """Where an order that rides along comes after in the courier's counting, once all behind it has moved on by one.
    None where what it was to ride along with has been fetched, or is not the courier's any more, or it was given."""
    wanted = seen.fetching[job.courier].deliveries
    mine = [row for row in bag if row.pk in wanted and row.status in BEFORE_PICK_UP]
    if len(mine) < len(wanted) or seen.waiting[job.orders[0]].pk not in still:
        return None
    assert job.place is not None
    sequence = mine[job.place].sequence if job.place < len(mine) else mine[-1].sequence + 1
    behind = Delivery.objects.filter(courier=mine[0].courier_id, status__in=LIVE)
    behind.filter(sequence__gte=sequence).update(sequence=F("sequence") + 1)
    behind.filter(pick__gte=sequence).update(pick=F("pick") + 1)
    return sequence - 1


def _begin(seen: snapshot.Snapshot, decided: Plan) -> None:
    """Stores that were to begin later begin now for who was told to come, or is kept from it by the goods alone."""
    told = {order for job in decided.jobs for order in job.orders}
    begin_now(seen.waiting[order] for order in told.union(decided.held))


def _lock_waiting(delivery_ids: list[UUID]) -> set[UUID]:
    rows = Delivery.objects.select_for_update(no_key=True).filter(pk__in=delivery_ids, status="waiting", pinned=False)
    return set(rows.order_by("pk").values_list("pk", flat=True))


def _assign(actor: Actor, row: Delivery, chosen: dict[str, Any]) -> bool:
    try:
        step(actor, row, "assign", **chosen)
    except Refused:
        return False
    told = DeliveryAssigned(row.pk, row.order_id, row.store_id, chosen["courier_id"], chosen["eta"].isoformat())
    outbox.emit(told, topics=topics(row))
    return True


def _explain(seen: snapshot.Snapshot, job: Job, order: int, policy: str, now: datetime) -> None:
    row = seen.waiting[order]
    others = [
        {"courier": str(seen.couriers[other].id), "cost": round(cost), **_basis(seen.problem, job, order, other)}
        for other, cost in job.alternatives
    ]
    DispatchDecision.objects.create(
        id=ids.new_id(),
        delivery=row,
        courier_id=seen.couriers[job.courier].id,
        policy=policy,
        cost_seconds=round(job.cost),
        alternatives=others,
        basis={**_basis(seen.problem, job, order, job.courier), "eta": row.eta.isoformat() if row.eta else ""},
        at=now,
    )


def _basis(problem: Problem, job: Job, order: int, courier: int) -> dict[str, int]:
    """Seconds: until the courier is free, the way to the store, the wait for the goods there, the way to the door.

    Of a ride to `stores` of them: by way of those before it, and to the door by way of those after it. What rides
    `along` with so many: until they `leave` the store, and from then to the door.
    """
    if job.place is not None and courier == job.courier:
        leave, with_it = job.pick_up_in, next(len(one.doors_in) for one in problem.rides if one.courier == courier)
        told = {"leave": round(leave), "door": round(job.arrive_in[0] - leave), "along": with_it}
        return {"free": 0, "ride": 0, "wait": 0, "stores": 1, **told}
    counters = visits(problem, job, courier)
    mine = counters[job.stores.index(int(problem.store[order]))]
    free = max(float(problem.free_in[courier]), 0.0)
    wait = mine.in_hand - mine.arrive - problem.service.before_pickup
    door = problem.pace_of(courier) * float(problem.drop[order])
    if len(job.stores) > 1:
        by_plan = visits(problem, job, job.courier)[-1].leave
        door = counters[-1].leave - mine.leave + job.arrive_in[job.orders.index(order)] - by_plan
    parts = {"free": free, "ride": mine.arrive - free, "wait": wait, "door": door}
    return {**{name: round(value) for name, value in parts.items()}, "stores": len(job.stores)}


def _tell_etas(seen: snapshot.Snapshot) -> None:
    """Write the arrival times that moved, and tell whoever follows those orders."""
    moved = []
    for row in seen.live:
        eta = seen.etas.get(row.pk)
        if eta is None:
            continue
        if row.eta is None or abs((eta - row.eta).total_seconds()) >= ETA_MOVED_SECONDS:
            moved.append((row, eta))
    for row, eta in moved:
        if Delivery.objects.filter(pk=row.pk, status__in=LIVE).exclude(status="failed").update(eta=eta):
            outbox.tell(
                [f"order:{row.order_id}", f"courier:{row.courier_id}"],
                {"name": "eta", "order": str(row.order_id), "eta": eta.isoformat()},
            )
