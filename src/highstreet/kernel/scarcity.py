"""What is scarce, and where it lies: tables with something free, and the shares of what everybody wants at once.

Used by kernel.holds alone, but for the declarations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from django.db import connection

from .refusal import Reason
from .refusals import HELD_BY_OTHERS


@dataclass(frozen=True)
class Shares:
    """Where the free quantity of a row may lie: in rows of the scarce thing `kind` (of a higher rank).

    There `owner` names the row and `units` counts what lies in a share, held and taken included; the row's `pooled`
    is the sum of its shares' `units`. `spread` is SQL over the row: whether new free quantity goes to the shares.
    """

    kind: str
    owner: str
    units: str
    pooled: str
    spread: str


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
    shares: Shares | None = None


@dataclass(frozen=True)
class Claim:
    """`quantity` of the row `resource` of the scarce thing `kind`; `name` is told when it is refused."""

    kind: str
    resource: UUID
    quantity: int
    name: str = ""


@dataclass
class Seen:
    """A row at a glance: whether it has shares, what is free in all, and in which shares."""

    spread: bool
    free: int
    shares: list[tuple[UUID, int]]


_scarce: dict[str, Scarce] = {}


def scarce(thing: Scarce) -> Scarce:
    """Register a scarce thing (at import of its package's actions)."""
    _scarce[thing.kind] = thing
    return thing


def registered() -> list[Scarce]:
    return [_scarce[kind] for kind in sorted(_scarce)]


def look(thing: Scarce, shares: Shares, resources: list[UUID]) -> dict[UUID, Seen]:
    """What is committed and free, without a lock: what another has locked and not committed counts as free."""
    seen: dict[UUID, Seen] = {}
    part = _scarce[shares.kind]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT t.id, {shares.spread} OR {shares.pooled} > 0, {thing.free}, s.id, s.free "  # noqa: S608
            f"FROM {thing.table} t LEFT JOIN (SELECT id, {shares.owner} AS owner, {part.free} AS free "
            f"FROM {part.table} WHERE {shares.owner} = ANY(%s) AND {part.free} > 0) s ON s.owner = t.id "
            "WHERE t.id = ANY(%s)",
            [resources, resources],
        )
        for resource, spread_out, free, share, share_free in cursor.fetchall():
            one = seen.setdefault(resource, Seen(spread_out, free, []))
            if share is not None:
                one.shares.append((share, share_free))
                one.free += share_free
    return seen


def gather(thing: Scarce, resources: Sequence[UUID]) -> None:
    """Bring what is free in the rows' shares back to the rows. Locks each row, then all its shares, in id order.

    Everybody who waits for both goes so, row by row: picking ends an order's holds line by line.
    """
    shares, part = shares_of(thing)
    with connection.cursor() as cursor:
        for resource in sorted(resources):
            cursor.execute(f"SELECT id FROM {thing.table} WHERE id = %s FOR NO KEY UPDATE", [resource])  # noqa: S608
            cursor.execute(
                f"SELECT id FROM {part.table} WHERE {shares.owner} = %s ORDER BY id FOR NO KEY UPDATE",  # noqa: S608
                [resource],
            )
        cursor.execute(
            f"WITH freed AS (SELECT id, {shares.owner} AS owner, {part.free} AS n FROM {part.table} "  # noqa: S608
            f"WHERE {shares.owner} = ANY(%s) AND {part.free} > 0), emptied AS (UPDATE {part.table} s "
            f"SET {shares.units} = s.{shares.units} - f.n FROM freed f WHERE s.id = f.id) "
            f"UPDATE {thing.table} t SET {shares.pooled} = t.{shares.pooled} - g.n "
            "FROM (SELECT owner, SUM(n)::bigint AS n FROM freed GROUP BY owner) g WHERE t.id = g.owner",
            [list(resources)],
        )


def spread(thing: Scarce, resources: Sequence[UUID]) -> None:
    """After `gather`: lay what is free in the rows that spread evenly into their shares."""
    shares, part = shares_of(thing)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH spare AS (SELECT id, {thing.free} AS n FROM {thing.table} WHERE id = ANY(%s) "  # noqa: S608
            f"AND {shares.spread} AND {thing.free} > 0), portions AS (SELECT s.id, p.n / COUNT(*) OVER o + CASE WHEN "
            "ROW_NUMBER() OVER (PARTITION BY p.id ORDER BY s.id) <= p.n %% COUNT(*) OVER o THEN 1 ELSE 0 END AS n "
            f"FROM spare p JOIN {part.table} s ON s.{shares.owner} = p.id WINDOW o AS (PARTITION BY p.id)), "
            f"laid AS (UPDATE {part.table} s SET {shares.units} = s.{shares.units} + q.n FROM portions q "
            f"WHERE s.id = q.id AND q.n > 0) UPDATE {thing.table} t SET {shares.pooled} = t.{shares.pooled} + p.n "
            "FROM spare p WHERE t.id = p.id",
            [list(resources)],
        )


def shares_of(thing: Scarce) -> tuple[Shares, Scarce]:
    if thing.shares is None:
        raise ValueError(f"{thing.kind} has no shares")
    return thing.shares, _scarce[thing.shares.kind]


@cache
def take_sql(thing: Scarce, confirmed: bool, *, gathered: bool) -> str:
    """Lock the rows in the order of their ids, take where there is enough, write the holds of what was taken.

    Where a row has shares nothing is locked or taken, unless they were `gathered`. Answers each row that was locked:
    its id, whether it was taken, and whether it has shares now (it may have got them while its lock was waited for).
    """
    # The names come from code that registered the thing, never from a caller.
    counted = thing.taken if confirmed else thing.held
    unspread, spread_out = "", "false"
    if thing.shares:
        spread_out = f"({thing.shares.spread} OR {thing.shares.pooled} > 0)"
        if not gathered:
            unspread = (
                f"AND NOT EXISTS (SELECT 1 FROM {thing.table} "  # noqa: S608
                f"WHERE id = ANY(%(resources)s::uuid[]) AND {spread_out})"
            )
    return f"""
WITH wanted AS MATERIALIZED (
  SELECT * FROM unnest(%(holds)s::uuid[], %(resources)s::uuid[], %(quantities)s::bigint[])
  AS w (hold_id, resource_id, wanted)
), locked AS MATERIALIZED (
  SELECT id, {spread_out} AS spread_out FROM {thing.table}
  WHERE id = ANY(%(resources)s::uuid[]) {unspread} ORDER BY id FOR NO KEY UPDATE
), taken AS (
  UPDATE {thing.table} t SET {counted} = {counted} + w.wanted
  FROM wanted w JOIN locked l ON l.id = w.resource_id
  WHERE t.id = w.resource_id AND ({thing.free}) >= w.wanted RETURNING t.id
), written AS (
  INSERT INTO kernel_hold (id, "group", kind, resource, quantity, consumed, state, at, expires_at)
  SELECT w.hold_id, %(group)s, %(kind)s, w.resource_id, w.wanted, 0, %(state)s, %(at)s, %(expires_at)s
  FROM wanted w JOIN taken ON taken.id = w.resource_id RETURNING resource
)
SELECT l.id, w.resource IS NOT NULL, l.spread_out FROM locked l LEFT JOIN written w ON w.resource = l.id
"""  # noqa: S608


@cache
def take_share_sql(part: Scarce, shares: Shares, confirmed: bool) -> str:
    """Take one claim from the fullest share of its row that has enough and that nobody locks. Answers as `take_sql`."""
    counted = part.taken if confirmed else part.held
    return f"""
WITH picked AS MATERIALIZED (
  SELECT id FROM {part.table}
  WHERE {shares.owner} = (%(resources)s::uuid[])[1] AND ({part.free}) >= (%(quantities)s::bigint[])[1]
  ORDER BY ({part.free}) DESC LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
  UPDATE {part.table} t SET {counted} = {counted} + (%(quantities)s::bigint[])[1]
  FROM picked WHERE t.id = picked.id AND ({part.free}) >= (%(quantities)s::bigint[])[1] RETURNING t.id
)
INSERT INTO kernel_hold (id, "group", kind, resource, quantity, consumed, state, at, expires_at)
SELECT (%(holds)s::uuid[])[1], %(group)s, %(kind)s, taken.id, (%(quantities)s::bigint[])[1], 0,
  %(state)s, %(at)s, %(expires_at)s FROM taken RETURNING resource, true, false
"""  # noqa: S608


@cache
def owners_sql(part: Scarce, shares: Shares) -> str:
    return f"SELECT id, {shares.owner} FROM {part.table} WHERE id = ANY(%s)"  # noqa: S608
