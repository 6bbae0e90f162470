"""The negative control: a web server whose holds read, then write. Nothing in the product can do this.

`python -m tests.support.unguarded --port N`; the CHECK constraint behind the holds has to be dropped too
(`drop_constraint`). A race test that passes against this server proves nothing.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from highstreet.kernel.holds import Claim

    from .stack import Stack

PAUSE_SECONDS = 0.3


def application(environ: dict[str, Any], start_response: Any) -> Any:
    """The real application, its guard taken out on the first request of each process."""
    # Loaded by name, and in this order: the application sets Django up before the holds can be met.
    real = import_module("highstreet.wsgi").application
    holds: Any = import_module("highstreet.kernel.holds")
    holds.take = _read_then_write
    return real(environ, start_response)


def _read_then_write(group: UUID, claims: Iterable[Claim], expires_at: datetime, *, confirmed: bool = False) -> None:
    """What `holds.take` must never be: it asks whether there is enough, and then takes it."""
    from django.db import connection

    from highstreet.kernel import clock, holds, scarcity
    from highstreet.kernel.ids import new_id
    from highstreet.kernel.models import Hold
    from highstreet.kernel.refusal import Refused

    for claim in claims:
        thing = scarcity._scarce[claim.kind]
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT ({thing.free}) FROM {thing.table} WHERE id = %s", [claim.resource])  # noqa: S608
            if cursor.fetchone()[0] < claim.quantity:
                raise Refused(thing.reason, name=claim.name)
            # What a busy machine does of its own accord now and then; here it happens every time.
            time.sleep(PAUSE_SECONDS)
            Hold.objects.create(
                id=new_id(),
                group=group,
                kind=claim.kind,
                resource=claim.resource,
                quantity=claim.quantity,
                at=clock.now(),
                expires_at=expires_at,
            )
            cursor.execute(
                f"UPDATE {thing.table} SET {thing.held} = {thing.held} + %s WHERE id = %s",  # noqa: S608
                [claim.quantity, claim.resource],
            )
    if confirmed and not holds.confirm(group):
        raise RuntimeError("holds taken just now are not live")


def drop_constraint(stack: Stack) -> None:
    stack.sql("ALTER TABLE inventory_stocklevel DROP CONSTRAINT stock_never_oversold")


def main() -> None:
    from highstreet.web.server import serve

    parser = argparse.ArgumentParser()
    for name in ("--port", "--workers", "--threads"):
        parser.add_argument(name, type=int, required=True)
    options = parser.parse_args()
    serve("tests.support.unguarded:application", port=options.port, workers=options.workers, threads=options.threads)


if __name__ == "__main__":
    main()
