"""The worker's process: runs jobs until it is told to stop, whatever becomes of the database or of other workers.

A worker that loses its database begins again when it is back. A worker that dies leaves its jobs "doing", with the
locks that they hold; the others (or the next one) see that its heart has stopped, and put them back into the queue.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import Any, cast

import structlog
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import ConnectorException

from . import queue

log = structlog.get_logger(__name__)
HEARTBEAT_SECONDS = 2.0
# Five heartbeats missed: its process is gone, or has not reached the database for so long.
STALLED_SECONDS = 10.0
AGAIN_SECONDS = 1.0


def run(concurrency: int, *, grace: float) -> None:
    """Work until SIGTERM or SIGINT, then give running jobs `grace` seconds.

    Jobs are tried again by their own rules; a lost database ends a round, and another begins.
    """
    told = False
    while not told:
        try:
            with app.replace_connector(cast(DjangoConnector, app.connector).get_worker_connector()):
                told = asyncio.run(_round(concurrency, grace))
            reason = "it ended by itself"
        except Exception as error:
            # A lost database shows in many ways: the pool's, the driver's, a side task's, or an end without a word.
            # Whatever it was, the next round begins from nothing.
            reason = f"{type(error).__name__}: {error}"[:300]
        if not told:
            log.error("worker.again", error=reason)
            time.sleep(AGAIN_SECONDS)


async def _round(concurrency: int, grace: float) -> bool:
    """Work until told to stop: True; or until the library stops, for whatever reason."""
    told = False
    async with app.open_async():
        work = asyncio.create_task(
            app.run_worker_async(
                concurrency=concurrency,
                name=f"worker-{os.getpid()}",
                shutdown_graceful_timeout=grace,
                # Beside the app's own, which give every job a database connection that lives.
                task_middleware=[*app.worker_defaults.get("task_middleware", []), queue.in_trace],
                delete_jobs="successful",
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=STALLED_SECONDS,
                install_signal_handlers=False,
            )
        )

        def stop() -> None:
            nonlocal told
            told = True
            work.cancel()

        for one in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(one, stop)
        try:
            await work
        except asyncio.CancelledError:
            if not told:
                raise
    return told


async def rescue(manager: Any) -> int:
    """Put the jobs of dead workers back. Returns how many. What is queued again already is ended instead."""
    from procrastinate.jobs import Status

    rescued = 0
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        try:
            await manager.retry_job(job)
            rescued += 1
        except ConnectorException:
            # Its queueing lock is another's by now: that one does the same work.
            await manager.finish_job(job, status=Status.FAILED, delete_job=True)
        log.warning("worker.rescued", job=job.id, task=job.task_name)
    return rescued
