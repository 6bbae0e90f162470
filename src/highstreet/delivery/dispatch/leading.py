"""Which cities this process plans: those whose lock its connection has. A city has one planner at a time.

Whoever dispatches says so by a lock that all may share, so each knows how many they are and takes its share of the
cities, rounded up. As many processes as cities are one for each; one more stands by. PostgreSQL lets go of session
locks when their connection ends, however it ends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID
from zlib import crc32

from django.db import close_old_connections, connection
from django.db.backends.utils import CursorWrapper

# "hs_d". Releases before 2026-12 led all cities by this lock alone, held for themselves: beside one of those nobody
# can share it, so nothing is planned twice while processes are replaced.
KEY = 0x68735F64

_HELD = """
SELECT classid = 0, objid::bigint, pid, pid = pg_backend_pid() FROM pg_locks
WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND ((classid = 0 AND objid = %(key)s) OR classid = %(key)s)
"""


def lead(cities: Collection[UUID]) -> list[UUID]:
    """Take cities or let go of some, until this process has its share. Returns those that it has, by id."""
    close_old_connections()
    of_lock: dict[int, list[UUID]] = defaultdict(list)
    for city_id in sorted(cities):
        of_lock[lock_of(city_id)].append(city_id)
    with connection.cursor() as cursor:
        cursor.execute(_HELD, {"key": KEY})
        held = cursor.fetchall()
        here = {pid for present, _, pid, _ in held if present}
        if not any(mine for present, *_, mine in held if present):
            cursor.execute("SELECT pg_try_advisory_lock_shared(%s)", [KEY])
            if not _had(cursor):
                return []
            here.add(0)
        most = -(-len(of_lock) // len(here))
        taken = {number for present, number, *_ in held if not present}
        mine = sorted(number for present, number, _, own in held if own and not present)
        kept = [number for number in mine if number in of_lock][:most]
        for number in mine:
            if number not in kept:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [KEY, number])
        for number in sorted(of_lock.keys() - taken):
            if len(kept) < most:
                cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [KEY, number])
                kept += [number] if _had(cursor) else []
    return sorted(city_id for number in kept for city_id in of_lock[number])


def lock_of(city_id: UUID) -> int:
    """The city's number among locks, positive. Two cities with the same one have the same planner."""
    return crc32(city_id.bytes) >> 1


def _had(cursor: CursorWrapper) -> bool:
    """Whether the lock that was asked for was to be had."""
    found = cursor.fetchone()
    return bool(found and found[0])
