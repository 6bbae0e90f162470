"""Starts granian for pages (WSGI) and for the event streams (ASGI)."""

from __future__ import annotations

import ctypes
import gc
import os
import shutil
import tempfile
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from . import draining

# mallopt(3): M_ARENA_MAX; M_MMAP_THRESHOLD and M_TRIM_THRESHOLD as they begin, so that neither grows.
HEAP = {-8: 1, -3: 128 * 1024, -1: 128 * 1024}
QUERY_MS = "2000"
# Threads beside those that work or wait for a slot: they answer /livez and say no.
SPARE_THREADS = 16
# As `kernel.pressure.ORDERS.room`, which this process does not load; a test holds the two together.
WAITING_A_SLOT = 40
KILL_SECONDS = 40


class _Draining(Server):  # type: ignore[misc, valid-type]
    """On the first signal /readyz says 503 for `drain` seconds while everything is still served; then it stops,
    and what is being answered is answered. A second signal stops it without waiting."""

    drain = 0.0

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        last = draining.now() or self.drain <= 0
        draining.begin()
        if last:
            super().signal_handler_interrupt()
            return
        timer = threading.Timer(self.drain, super().signal_handler_interrupt)
        timer.daemon = True
        timer.start()


def serve(
    target: str, *, port: int, host: str = "127.0.0.1", workers: int = 1, threads: int = 8, drain: float = 0.0
) -> None:
    """Serve `highstreet.wsgi:application` or `highstreet.web.streams:application` until told to stop.

    `threads` requests are worked on at once in each of `workers` processes, each with a connection to PostgreSQL.
    """
    asgi = target.startswith("highstreet.web.streams")
    # Read by settings.py in the processes that serve, which have not loaded yet.
    os.environ.setdefault("HIGHSTREET_QUERY_MS", QUERY_MS)
    run = Path(tempfile.mkdtemp(prefix="highstreet-"))
    draining.prepare(run)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(run)
    os.environ["HIGHSTREET_SLOTS"] = str(threads)
    _one_heap()
    if not asgi:
        _load(target)
    server = _Draining(
        target,
        address=host,
        port=port,
        workers=workers,
        interface=Interfaces.ASGI if asgi else Interfaces.WSGI,
        blocking_threads=None if asgi else threads * (1 + WAITING_A_SLOT) + SPARE_THREADS,
        log_level=LogLevels.warning,
        log_access=False,
        backlog=2048,
        # Of connections, in each process: more than threads, so that none waits where nobody answers /livez.
        backpressure=2048,
        respawn_failed_workers=True,
        workers_kill_timeout=KILL_SECONDS,
    )
    server.drain = drain
    try:
        server.serve()
    finally:
        shutil.rmtree(run, ignore_errors=True)


def _one_heap() -> None:
    """Let what threads free go back to the system, where malloc is glibc's: by itself it keeps a heap for each of many
    threads, and puts what is large and short-lived among what stays. Elsewhere nothing happens."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in HEAP.items():
            mallopt(parameter, value)


def _load(target: str) -> None:
    """Load the platform once, before the workers fork: they share its memory, and a new one answers at once.

    Frozen, or the collector would touch every object and so copy it. Nothing here may connect or start a thread.
    """
    import_module(target.partition(":")[0])
    from django.apps import apps
    from django.urls import get_resolver

    if apps.ready:
        _ = get_resolver().url_patterns
    gc.collect()
    gc.freeze()
