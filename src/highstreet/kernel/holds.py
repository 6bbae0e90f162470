"""Holds: one mechanism for every scarce thing. held -> confirmed, released or expired; confirmed -> consumed.

A scarce thing is a table with three facts: what is free (an SQL expression over its columns), the column
that counts what is held, and the column that counts what is taken. Taking is one conditional UPDATE whose
row count is checked, with a CHECK behind it in that table; resources are locked in (rank, id) order.

What everybody wants at once lies in shares (`Shares`): rows of another scarce thing, so that buyers do not queue for
one row. A claim is still one hold: on a share that has enough and that nobody locks, or on one worth waiting for, or
on the row itself after all its shares were gathered. Nobody is refused while enough is free anywhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from . import clock, failpoints
from .ids import new_id
from .models import Hold
from .refusal import Refused
from .scarcity import (
    Claim,
    Scarce,
    Seen,
    Shares,
    _scarce,
    gather,
    look,
    owners_sql,
    registered,
    scarce,
    shares_of,
    spread,
    take_share_sql,
    take_sql,
)
from .transactions import Again

__all__ = [
    "Claim",
    "Scarce",
    "Shares",
    "confirm",
    "consume",
    "forget",
    "gather",
    "registered",
    "release",
    "scarce",
    "spread",
    "take",
]


@dataclass(frozen=True)
class Taking:
    """For whom and until when; `confirmed`: for good at once."""

    group: UUID
    expires_at: datetime
    confirmed: bool


# How often a buyer looks for a share, or waits for one, before everything is gathered.
ROUNDS = 4


def take(group: UUID, claims: Iterable[Claim], expires_at: datetime, *, confirmed: bool = False) -> None:
    """Hold everything `claims` names for `group` until `expires_at`, or refuse and hold nothing.

    With `confirmed` it is taken for good at once, as by `confirm`. Claims on one resource are added up first, so
    two lines on one shelf cannot pass one by one. Must run inside a transaction; raises the scarce thing's reason
    with the claim's name, or Again where a flash sale began under it: the transaction is to be begun anew.
    """
    wanted: dict[tuple[int, str, UUID], Claim] = {}
    for claim in claims:
        if claim.quantity <= 0:
            raise ValueError("a claim is positive")
        place = (_scarce[claim.kind].rank, claim.kind, claim.resource)
        before = wanted.get(place)
        quantity = claim.quantity + (before.quantity if before else 0)
        wanted[place] = Claim(claim.kind, claim.resource, quantity, claim.name)
    ordered = [wanted[place] for place in sorted(wanted)]
    for kind, own in groupby(ordered, key=lambda claim: claim.kind):
        _take(_scarce[kind], group, list(own), expires_at, confirmed)


def _take(thing: Scarce, group: UUID, claims: list[Claim], expires_at: datetime, confirmed: bool) -> None:
    taking = Taking(group, expires_at, confirmed)
    locked = _write(thing, taking, claims, take_sql(thing, confirmed, gathered=False))
    got = _taken(locked)
    if not locked and thing.shares:
        got = _take_spread(thing, thing.shares, taking, claims)
    elif any(row.spread_out and not row.taken for row in locked):
        raise Again(f"{thing.kind} went into shares while its lock was waited for")
    for claim in claims:
        if claim.resource not in got:
            raise Refused(thing.reason, name=claim.name)
    failpoints.reach("holds.take", thing.kind)


class Locked(NamedTuple):
    """A row that the statement locked: whether its claim was taken, and whether it has shares now."""

    resource: UUID
    taken: bool
    spread_out: bool


def _taken(locked: list[Locked]) -> set[UUID]:
    return {row.resource for row in locked if row.taken}


def _write(thing: Scarce, taking: Taking, claims: Sequence[Claim], sql: str) -> list[Locked]:
    """Take what there is enough of, and write its holds. Returns every row that is locked now."""
    values: dict[str, Any] = {
        "holds": [new_id() for _ in claims],
        "resources": [claim.resource for claim in claims],
        "quantities": [claim.quantity for claim in claims],
        "group": taking.group,
        "kind": thing.kind,
        "state": "confirmed" if taking.confirmed else "held",
        "at": clock.now(),
        "expires_at": taking.expires_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [Locked(*row) for row in cursor.fetchall()]


def _take_spread(thing: Scarce, shares: Shares, taking: Taking, claims: list[Claim]) -> set[UUID]:
    """Take claims of which one at least is on a row with shares. Returns all their resources, or those that had enough.

    A miss gives back every lock before it waits, so that whoever waits for a share has none.
    """
    for _ in range(ROUNDS):
        seen = look(thing, shares, [claim.resource for claim in claims])
        there = {of.resource for of in claims if of.resource in seen and seen[of.resource].free >= of.quantity}
        if len(there) < len(claims):
            return there
        if _take_unlocked(thing, shares, taking, claims, seen):
            return {claim.resource for claim in claims}
        enough = [share for share, free in seen[claims[0].resource].shares if free >= claims[0].quantity]
        if len(claims) > 1 or not enough:
            break
        waited = Claim(shares.kind, enough[taking.group.int % len(enough)], claims[0].quantity)
        if _take_share(_scarce[shares.kind], taking, waited):
            return {claims[0].resource}
    rows = [claim.resource for claim in claims]
    gather(thing, rows)
    got = _taken(_write(thing, taking, claims, take_sql(thing, taking.confirmed, gathered=True)))
    spread(thing, rows)
    return got


class _Missed(Exception):
    """Not everything was there unlocked."""


def _take_unlocked(thing: Scarce, shares: Shares, taking: Taking, claims: list[Claim], seen: dict[UUID, Seen]) -> bool:
    """Take every claim without waiting for a share; or nothing, and no lock is kept."""
    plain = [claim for claim in claims if not seen[claim.resource].spread]
    part = _scarce[shares.kind]
    try:
        with transaction.atomic():
            sql = take_sql(thing, taking.confirmed, gathered=False)
            if plain and len(_taken(_write(thing, taking, plain, sql))) < len(plain):
                raise _Missed
            for claim in claims:
                share_sql = take_share_sql(part, shares, taking.confirmed)
                if seen[claim.resource].spread and not _taken(_write(part, taking, [claim], share_sql)):
                    raise _Missed
    except _Missed:
        return False
    return True


def _take_share(part: Scarce, taking: Taking, claim: Claim) -> bool:
    """Take from one share, after whoever locks it; when it has too little by then, no lock is kept."""
    try:
        with transaction.atomic():
            if not _taken(_write(part, taking, [claim], take_sql(part, taking.confirmed, gathered=False))):
                raise _Missed
    except _Missed:
        return False
    return True


def confirm(group: UUID) -> bool:
    """Turn every live hold of `group` into taken. False (and nothing changed) unless all are still live."""
    total = Hold.objects.filter(group=group).count()
    live = list(
        Hold.objects.select_for_update(no_key=True)
        .filter(group=group, state="held", expires_at__gt=clock.now())
        .order_by("kind", "resource")
    )
    if total == 0 or len(live) != total:
        return False
    Hold.objects.filter(pk__in=[hold.pk for hold in live]).update(state="confirmed")
    _shift(live, "{held} = {held} - q.quantity, {taken} = {taken} + q.quantity")
    failpoints.reach("holds.confirm")
    return True


def release(group: UUID, *, state: str = "released") -> int:
    """Give back whatever `group` still holds or has confirmed and not consumed. Returns how many rows."""
    rows = list(
        Hold.objects.select_for_update(no_key=True)
        .filter(group=group, state__in=["held", "confirmed"])
        .order_by("kind", "resource")
    )
    Hold.objects.filter(pk__in=[row.pk for row in rows]).update(state=state)
    _shift([row for row in rows if row.state == "held"], "{held} = {held} - q.quantity")
    _shift([row for row in rows if row.state == "confirmed"], "{taken} = {taken} - q.quantity")
    failpoints.reach("holds.release", state)
    return len(rows)


def forget(group: UUID) -> None:
    """Drop the ended holds of `group`, so that it may hold anew (a payment after the expiry)."""
    Hold.objects.filter(group=group, state__in=["released", "expired"]).delete()


def consume(group: UUID, kind: str, resource: UUID | None = None, quantity: int | None = None) -> int:
    """End confirmed holds: what was taken is used up. Returns the quantity consumed.

    With `quantity` (and one resource) less than held, the rest goes back to free.
    """
    rows = Hold.objects.select_for_update(no_key=True).filter(group=group, kind=kind, state="confirmed")
    if resource is not None:
        rows = rows.filter(resource=resource)
    found = list(rows.order_by("resource"))
    thing = _scarce[kind]
    if not found and thing.shares and resource is not None:
        return _consume_share(thing, group, resource, quantity)
    used = 0
    for row in found:
        amount = row.quantity if quantity is None else min(quantity, row.quantity)
        Hold.objects.filter(pk=row.pk).update(state="consumed", consumed=amount)
        used += amount
    _shift(found, "{taken} = {taken} - q.quantity")
    failpoints.reach("holds.consume", kind)
    return used


def _consume_share(thing: Scarce, group: UUID, resource: UUID, quantity: int | None) -> int:
    """The same where the hold is on one of the row's shares, of which a group takes one: what is used leaves the share,
    and the row's pool."""
    shares, part = shares_of(thing)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT h.id, h.resource, h.quantity FROM kernel_hold h JOIN {part.table} s ON s.id = h.resource "  # noqa: S608
            f"""WHERE h."group" = %s AND h.kind = %s AND h.state = 'confirmed' AND s.{shares.owner} = %s """
            "FOR NO KEY UPDATE OF h",
            [group, part.kind, resource],
        )
        found = cursor.fetchone()
        if found is None:
            return 0
        hold, share, held = found
        used: int = held if quantity is None else min(quantity, held)
        Hold.objects.filter(pk=hold).update(state="consumed", consumed=used)
        # The row before its share, as whoever gathers does.
        cursor.execute(
            f"UPDATE {thing.table} SET {shares.pooled} = {shares.pooled} - %s WHERE id = %s",  # noqa: S608
            [used, resource],
        )
        cursor.execute(
            f"UPDATE {part.table} SET {part.taken} = {part.taken} - %s, {shares.units} = {shares.units} - %s "  # noqa: S608
            "WHERE id = %s",
            [held, used, share],
        )
    failpoints.reach("holds.consume", thing.kind)
    return used


def _shift(rows: Sequence[Hold], change: str) -> None:
    """Apply `change` to the resources of `rows`, kind by kind, rows locked in id order; shares in their rows' order."""
    by_kind: dict[str, list[Hold]] = defaultdict(list)
    for row in rows:
        by_kind[row.kind].append(row)
    for thing in sorted(registered(), key=lambda thing: thing.rank):
        own = by_kind.pop(thing.kind, [])
        if thing.shares and by_kind.get(thing.shares.kind):
            _shift_shares(thing, thing.shares, own, by_kind.pop(thing.shares.kind), change)
        elif own:
            _shift_rows(thing, own, change)


def _shift_shares(thing: Scarce, shares: Shares, own: list[Hold], spread_out: list[Hold], change: str) -> None:
    part = _scarce[shares.kind]
    with connection.cursor() as cursor:
        cursor.execute(owners_sql(part, shares), [[row.resource for row in spread_out]])
        owners = dict(cursor.fetchall())
    steps = [(row.resource, thing, row) for row in own] + [(owners[row.resource], part, row) for row in spread_out]
    for _, scarce_thing, row in sorted(steps, key=lambda step: (step[0], step[1].rank, step[2].resource)):
        _shift_rows(scarce_thing, [row], change)


def _shift_rows(thing: Scarce, own: list[Hold], change: str) -> None:
    assignment = change.format(held=thing.held, taken=thing.taken)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH locked AS (SELECT id FROM {thing.table} WHERE id = ANY(%s) ORDER BY id "  # noqa: S608
            f"FOR NO KEY UPDATE), q AS (SELECT unnest(%s::uuid[]) AS id, unnest(%s::bigint[]) AS quantity) "
            f"UPDATE {thing.table} AS t SET {assignment} FROM locked, q WHERE t.id = locked.id AND q.id = t.id",
            [[row.resource for row in own], [row.resource for row in own], [row.quantity for row in own]],
        )
        if cursor.rowcount != len(own):
            raise RuntimeError(f"{thing.kind}: {cursor.rowcount} rows moved, {len(own)} expected")
