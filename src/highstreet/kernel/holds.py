"""Holds: one mechanism for every scarce thing. held -> confirmed, released or expired; confirmed -> consumed.

A scarce thing is a table with three facts: what is free (an SQL expression over its columns), the column
that counts what is held, and the column that counts what is taken. Taking is one conditional UPDATE whose
row count is checked, with a CHECK behind it in that table; resources are locked in (rank, id) order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import connection

from . import clock, failpoints
from .ids import new_id
from .models import Hold
from .refusal import Reason, Refused
from .refusals import HELD_BY_OTHERS


@dataclass(frozen=True)
class Scarce:
    """`free`, `held`, `taken` are SQL over `table`; lower `rank` is locked first, the hottest last."""

    kind: str
    table: str
    free: str
    held: str
    taken: str
    rank: int
    reason: Reason = HELD_BY_OTHERS


@dataclass(frozen=True)
class Claim:
    """`quantity` of the row `resource` of the scarce thing `kind`; `name` is told when it is refused."""

    kind: str
    resource: UUID
    quantity: int
    name: str = ""


_scarce: dict[str, Scarce] = {}


def scarce(thing: Scarce) -> Scarce:
    """Register a scarce thing (at import of its package's actions)."""
    _scarce[thing.kind] = thing
    return thing


def registered() -> list[Scarce]:
    return [_scarce[kind] for kind in sorted(_scarce)]


def take(group: UUID, claims: Iterable[Claim], expires_at: datetime, *, confirmed: bool = False) -> None:
    """Hold everything `claims` names for `group` until `expires_at`, or refuse and hold nothing.

    With `confirmed` it is taken for good at once, as by `confirm`. Claims on one resource are added up first, so
    two lines on one shelf cannot pass one by one. Must run inside a transaction; raises the scarce thing's reason
    with the claim's name.
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
    resources = [claim.resource for claim in claims]
    values: dict[str, Any] = {
        "holds": [new_id() for _ in claims],
        "resources": resources,
        "quantities": [claim.quantity for claim in claims],
        "group": group,
        "kind": thing.kind,
        "state": "confirmed" if confirmed else "held",
        "at": clock.now(),
        "expires_at": expires_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_take_sql(thing, confirmed), values)
        got = {row[0] for row in cursor.fetchall()}
    for claim in claims:
        if claim.resource not in got:
            raise Refused(thing.reason, name=claim.name)
    failpoints.reach("holds.take", thing.kind)


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
    used = 0
    for row in found:
        amount = row.quantity if quantity is None else min(quantity, row.quantity)
        Hold.objects.filter(pk=row.pk).update(state="consumed", consumed=amount)
        used += amount
    _shift(found, "{taken} = {taken} - q.quantity")
    failpoints.reach("holds.consume", kind)
    return used


@cache
def _take_sql(thing: Scarce, confirmed: bool) -> str:
    """Lock the rows in the order of their ids, take where there is enough, write the holds of what was taken."""
    # The names come from code that registered the thing, never from a caller.
    counted = thing.taken if confirmed else thing.held
    return f"""
WITH wanted AS MATERIALIZED (
  SELECT * FROM unnest(%(holds)s::uuid[], %(resources)s::uuid[], %(quantities)s::bigint[])
  AS w (hold_id, resource_id, wanted)
), locked AS MATERIALIZED (
  SELECT id FROM {thing.table} WHERE id = ANY(%(resources)s::uuid[]) ORDER BY id FOR NO KEY UPDATE
), taken AS (
  UPDATE {thing.table} t SET {counted} = {counted} + w.wanted
  FROM wanted w JOIN locked l ON l.id = w.resource_id
  WHERE t.id = w.resource_id AND ({thing.free}) >= w.wanted RETURNING t.id
)
INSERT INTO kernel_hold (id, "group", kind, resource, quantity, consumed, state, at, expires_at)
SELECT w.hold_id, %(group)s, %(kind)s, w.resource_id, w.wanted, 0, %(state)s, %(at)s, %(expires_at)s
FROM wanted w JOIN taken ON taken.id = w.resource_id RETURNING resource
"""  # noqa: S608


def _shift(rows: Sequence[Hold], change: str) -> None:
    """Apply `change` to the resources of `rows`, kind by kind, rows locked in id order."""
    by_kind: dict[str, list[Hold]] = defaultdict(list)
    for row in rows:
        by_kind[row.kind].append(row)
    for thing in sorted(registered(), key=lambda thing: thing.rank):
        own = sorted(by_kind.get(thing.kind, []), key=lambda row: row.resource)
        if not own:
            continue
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
