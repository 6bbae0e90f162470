"""Crowds of threads from a barrier, each with a connection of its own; and the town that they meet in.

For what is a race of transactions, a thread and its connection are as good as a client and its server's: the
same statements meet on the same rows. What is a race of requests runs on a `Stack`.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection

from highstreet.kernel import audit
from highstreet.kernel.refusal import Refused
from highstreet.trade.orders import ports
from highstreet.trade.orders.tests import support
from highstreet.trade.orders.tests.support import Town

# The embedded server takes 120 connections; a process keeps some for itself.
HANDS = 64
Work = Callable[[], Any]


def at_once(works: Sequence[Work], *, hands: int = HANDS) -> Counter[str]:
    """Run all of `works`, `hands` threads from a barrier, each taking every `hands`-th work.

    Counts "done", or what each was refused for; other errors by class and words.
    """
    hands = min(hands, len(works))
    barrier = threading.Barrier(hands)
    results: Counter[str] = Counter()

    def run(own: Sequence[Work]) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            barrier.wait(30)
            for work in own:
                results[outcome(work)] += 1
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(works[number::hands],)) for number in range(hands)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    return results


def outcome(work: Work) -> str:
    """ "done", the refusal's code, or the error."""
    try:
        work()
    except Refused as refused:
        return refused.reason.code
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return "done"


def until_somebody_waits(seconds: float = 10.0) -> None:
    """Until a transaction of this database waits for a lock, or so long. Other tests share the server."""
    deadline = time.monotonic() + seconds
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            # Within a transaction PostgreSQL shows the activity of its first look, unless it is told to forget it.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT EXISTS (SELECT 1 FROM pg_stat_activity "
                "WHERE datname = current_database() AND wait_event_type = 'Lock')"
            )
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)


def errors(results: Counter[str]) -> dict[str, int]:
    """What is neither done nor a refusal."""
    return {name: count for name, count in results.items() if ":" in name}


def broken() -> list[str]:
    """The invariants that do not hold, by number and words, each with its first row."""
    return [f"{found.check} {found.says}: {found.broken[0]}" for found in audit.run() if found.broken]


def invariants() -> str:
    """For the table: how many hold, or which do not."""
    found = audit.run()
    bad = sorted({one.check for one in found if one.broken})
    return f"BROKEN {' '.join(bad)}" if bad else f"{len(found)} hold"


@contextmanager
def town() -> Iterator[Town]:
    """The town of the orders' tests at noon, its promise in the port; what filled the port before comes back."""
    before = ports.promises() if ports.promises.filled else None
    with support.running_from(support.NOON):
        yield support.build()
    if before is not None:
        ports.promises.fill(before)


@contextmanager
def without(constraint: str, table: str) -> Iterator[None]:
    """Negative controls: take a table's constraint away; it is put back, not to be valid for what is there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [constraint])
        definition = cursor.fetchone()[0]
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {definition} NOT VALID")
            cursor.execute("UPDATE pg_constraint SET convalidated = true WHERE conname = %s", [constraint])


@contextmanager
def without_index(name: str) -> Iterator[None]:
    """The same for a unique index. What broke it must be gone when this ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name])
        definition = cursor.fetchone()[0]
        cursor.execute(f"DROP INDEX {name}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(definition)


def shelve(place: Town, *units: int, store: int = 0) -> None:
    """Leave exactly so many of the first, second … variant on a shop's shelf, by moves as in life."""
    from highstreet.kernel.policy import THE_SYSTEM
    from highstreet.supply.inventory import actions as inventory

    for index, wanted in enumerate(units):
        delta = wanted - place.level(index, store).free
        if delta:
            inventory.adjust(
                actor=THE_SYSTEM,
                store_id=place.stores[store],
                variant_id=place.variants[index],
                delta=delta,
                reason="counted",
            )
