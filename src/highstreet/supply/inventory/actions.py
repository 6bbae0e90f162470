"""Everything that changes on_hand: each one conditional UPDATE, with the move that explains it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.db.models import F, Func, Sum

from highstreet.kernel import clock, holds, ids
from highstreet.kernel.policy import SYSTEM, Actor, action, within
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID, NOT_FOUND
from highstreet.supply.stores import reads as stores

from .models import StockLevel, StockLocation, StockMove, StockShare
from .reads import free_of
from .refusals import NOT_ENOUGH, SOLD_OUT

MAX_UNITS = 1_000_000
# More than the connections that sell at once on a small machine (bench: docs/decisions/0026).
SHARES = 16
UNITS = holds.scarce(
    holds.Scarce(
        kind="units",
        table="inventory_stocklevel",
        free="on_hand - held - allocated - pooled",
        held="held",
        taken="allocated",
        rank=90,
        reason=SOLD_OUT,
        shares=holds.Shares(kind="unit_shares", owner="level_id", units="units", pooled="pooled", spread="flash"),
    )
)
holds.scarce(
    holds.Scarce(
        kind="unit_shares",
        table="inventory_stockshare",
        free="units - held - allocated",
        held="held",
        taken="allocated",
        rank=91,
        reason=SOLD_OUT,
    )
)


@action(SYSTEM)
def issue(*, actor: Actor, store_id: UUID, variant_id: UUID, quantity: int, group: UUID, cause: UUID) -> int:
    """Take picked units off the shelf: end `group`'s hold on them, give back what was not picked.

    `quantity` 0 only gives back. Returns the units issued (never more than were held).
    """
    level = _level(store_id, variant_id)
    used = holds.consume(group, UNITS.kind, level, quantity)
    if used:
        _move(level, "sale", -used, cause=cause, actor=actor)
    return used


@action(SYSTEM)
def issue_free(*, actor: Actor, store_id: UUID, variant_id: UUID, quantity: int, cause: UUID) -> None:
    """Take units that nobody holds (a substitute, a counter sale); NOT_ENOUGH if there are fewer free."""
    _move(_level(store_id, variant_id), "sale", -quantity, cause=cause, actor=actor)


@action("stock.adjust")
def adjust(*, actor: Actor, store_id: UUID, variant_id: UUID, delta: int, reason: str) -> int:
    """Correct on_hand by `delta` with a reason; refuses to go below what is held. Returns the new on_hand.

    Refuses OVER_LIMIT for what an actor puts right of one level in a day, up and down together.
    """
    stores.must_work_at(actor, store_id)
    if delta == 0 or abs(delta) > MAX_UNITS or not reason.strip() or "\x00" in reason:
        raise Refused(INVALID, field="delta" if reason.strip() else "reason", problem=str(delta))
    level = _level(store_id, variant_id)
    within(actor, "stock.adjust", abs(delta) + _put_right(actor, level))
    return _move(level, "adjust", delta, reason=reason.strip()[:80], actor=actor)


@action("stock.adjust")
def set_flash(*, actor: Actor, store_id: UUID, variant_id: UUID, flash: bool) -> None:
    """Sell a variant at a store as a flash sale, or no longer; holds in flight stay as they are.

    The free units go into shares, or come back. Refuses OVER_LIMIT for more free units than the actor may put right.
    """
    stores.must_work_at(actor, store_id)
    level = _level(store_id, variant_id)
    holds.gather(UNITS, [level])
    row = StockLevel.objects.get(pk=level)
    within(actor, "stock.adjust", row.on_hand - row.held - row.allocated - row.pooled)
    StockShare.objects.bulk_create(
        [StockShare(id=ids.new_id(), level_id=level, number=number) for number in range(SHARES if flash else 0)],
        ignore_conflicts=True,
    )
    StockLevel.objects.filter(pk=level).update(flash=flash)
    holds.spread(UNITS, [level])


@action(SYSTEM, trailed=True)
def receive(*, actor: Actor, store_id: UUID, variant_id: UUID, quantity: int, reason: str = "") -> int:
    """Book goods in; makes the level on first receipt. Returns the new on_hand."""
    location = StockLocation.objects.get(store_id=store_id)
    StockLevel.objects.bulk_create(
        [StockLevel(id=ids.new_id(), location=location, variant_id=variant_id)], ignore_conflicts=True
    )
    return _move(_level(store_id, variant_id), "receipt", quantity, reason=reason, actor=actor)


@action(SYSTEM, trailed=True)
def receive_all(*, actor: Actor, store_id: UUID, quantities: dict[UUID, int], reason: str = "") -> int:
    """Book a whole lorry in: variant -> units (> 0). Returns how many levels changed."""
    location = StockLocation.objects.get(store_id=store_id)
    wanted = {variant: units for variant, units in quantities.items() if units > 0}
    StockLevel.objects.bulk_create(
        [StockLevel(id=ids.new_id(), location=location, variant_id=variant) for variant in sorted(wanted)],
        ignore_conflicts=True,
    )
    variants, units = list(wanted), list(wanted.values())
    booked = StockLevel.objects.filter(location=location, variant_id__in=variants)
    flash = booked.filter(flash=True).exists()
    if flash:
        holds.gather(UNITS, list(booked.values_list("pk", flat=True)))
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH locked AS (SELECT id, variant_id FROM inventory_stocklevel WHERE location_id = %s AND "
            "variant_id = ANY(%s) ORDER BY id FOR NO KEY UPDATE), "
            "q AS (SELECT unnest(%s::uuid[]) AS variant_id, unnest(%s::bigint[]) AS units) "
            "UPDATE inventory_stocklevel s SET on_hand = s.on_hand + q.units FROM locked, q "
            "WHERE s.id = locked.id AND q.variant_id = locked.variant_id RETURNING s.id, q.units, s.on_hand",
            [location.pk, variants, variants, units],
        )
        changed = cursor.fetchall()
    if flash:
        holds.spread(UNITS, [row[0] for row in changed])
    now = clock.now()
    StockMove.objects.bulk_create(
        StockMove(
            id=ids.new_id(),
            level_id=level,
            kind="receipt",
            delta=delta,
            after=after,
            reason=reason,
            actor=actor.name,
            at=now,
        )
        for level, delta, after in changed
    )
    return len(changed)


@action(SYSTEM)
def put_back(*, actor: Actor, store_id: UUID, variant_id: UUID, quantity: int, cause: UUID) -> int:
    """Goods that came back unharmed return to the shelf."""
    return _move(_level(store_id, variant_id), "return", quantity, cause=cause, actor=actor)


def _put_right(actor: Actor, level: UUID) -> int:
    """The units that an actor with a limit has put right of a level since a day ago: small steps add up."""
    if actor.kind == SYSTEM or "stock.adjust" not in actor.limits:
        return 0
    # The level first, so that two of one person's steps at once see each other.
    StockLevel.objects.select_for_update(no_key=True).values_list("pk", flat=True).get(pk=level)
    since = clock.now() - timedelta(days=1)
    own = StockMove.objects.filter(level=level, at__gt=since, kind="adjust", actor=actor.name)
    return own.aggregate(units=Sum(Func(F("delta"), function="ABS")))["units"] or 0


def _level(store_id: UUID, variant_id: UUID) -> UUID:
    found = StockLevel.objects.filter(location__store_id=store_id, variant_id=variant_id)
    level = found.values_list("pk", flat=True).first()
    if level is None:
        raise Refused(NOT_FOUND)
    return level


def _move(level: UUID, kind: str, delta: int, *, actor: Actor, cause: UUID | None = None, reason: str = "") -> int:
    row = _change(level, delta)
    if row is None:
        # Of a flash sale the free units lie in shares.
        holds.gather(UNITS, [level])
        row = _change(level, delta)
        holds.spread(UNITS, [level])
    elif delta > 0 and row[1]:
        holds.gather(UNITS, [level])
        holds.spread(UNITS, [level])
    if row is None:
        raise Refused(NOT_ENOUGH, free=free_of(level))
    StockMove.objects.create(
        id=ids.new_id(),
        level_id=level,
        kind=kind,
        delta=delta,
        after=row[0],
        cause=cause,
        reason=reason,
        actor=actor.name,
        at=clock.now(),
    )
    return int(row[0])


def _change(level: UUID, delta: int) -> tuple[int, bool] | None:
    """(on_hand, flash) after it; None where fewer are free in the level itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE inventory_stocklevel SET on_hand = on_hand + %s "
            "WHERE id = %s AND on_hand + %s >= held + allocated + pooled RETURNING on_hand, flash",
            [delta, level, delta],
        )
        row: tuple[int, bool] | None = cursor.fetchone()
    return row
