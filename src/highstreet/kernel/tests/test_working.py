"""The jobs of a worker whose heart has stopped go back into the queue, with the locks that they hold."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest
from django.db import connection
from procrastinate.contrib.django import app

from highstreet.kernel import working

pytestmark = pytest.mark.django_db(transaction=True)


def a_worker(beat_seconds_ago: float) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %s * interval '1 second') RETURNING id",
            [beat_seconds_ago],
        )
        return int(cursor.fetchone()[0])


def a_job(
    worker: int | None, *, queueing_lock: str | None = None, status: str = "doing", lock: str | None = None
) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (task_name, queue_name, status, worker_id, queueing_lock, lock, args) "
            "VALUES ('orders.expire', 'default', %s::procrastinate_job_status, %s, %s, %s, '{}') RETURNING id",
            [status, worker, queueing_lock, lock],
        )
        return int(cursor.fetchone()[0])


def statuses(*jobs: int) -> dict[int, str]:
    """Of those of `jobs` that are still there; what other tests have queued is none of theirs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, status::text FROM procrastinate_jobs WHERE id = ANY(%s)", [list(jobs)])
        return dict(cursor.fetchall())


def rescue() -> int:
    async def run() -> int:
        with app.replace_connector(app.connector.get_worker_connector()):  # type: ignore[attr-defined]
            async with app.open_async():
                return await working.rescue(app.job_manager)

    return asyncio.run(run())


def test_only_the_dead_lose_their_jobs() -> None:
    alive, dead = a_worker(1), a_worker(60)
    kept, lost = a_job(alive), a_job(dead, lock="orders.expire")
    assert rescue() == 1
    assert statuses(kept, lost) == {kept: "doing", lost: "todo"}


def test_what_is_queued_again_already_is_ended() -> None:
    dead = a_worker(60)
    lost = a_job(dead, queueing_lock="orders.expire", lock="orders.expire")
    again = a_job(None, queueing_lock="orders.expire", status="todo", lock="orders.expire")
    assert rescue() == 0
    assert statuses(lost, again) == {again: "todo"}


def test_every_job_starts_with_a_connection_that_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Naming a middleware of ours must not drop the app's, which closes connections that a dead server left behind."""
    from procrastinate.contrib.django.db_cleanup import close_db_connections

    asked = rounds(monkeypatch)
    assert close_db_connections in asked[0]["task_middleware"]


def test_a_worker_that_ends_without_being_told_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library may stop without an error when its database dies at the wrong moment: then nobody worked any more."""
    assert len(rounds(monkeypatch)) == 3


def rounds(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What each round was asked: one that ends by itself, one that breaks, and one that is told to stop."""
    asked: list[dict[str, Any]] = []

    async def run_worker_async(**options: Any) -> None:
        asked.append(options)
        if len(asked) == 2:
            raise RuntimeError("the database went away")
        if len(asked) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(30)

    monkeypatch.setattr(app, "run_worker_async", run_worker_async)
    monkeypatch.setattr(working, "AGAIN_SECONDS", 0.0)
    working.run(1, grace=1.0)
    return asked
