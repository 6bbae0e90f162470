"""Starts granian for pages (WSGI) and for the event streams (ASGI)."""

from __future__ import annotations

import os

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

QUERY_MS = "2000"


def serve(target: str, *, port: int, host: str = "127.0.0.1", workers: int = 1, threads: int = 8) -> None:
    """Serve `highstreet.wsgi:application` or `highstreet.web.streams:application` until told to stop."""
    # Read by settings.py in the processes that serve, which have not loaded yet.
    os.environ.setdefault("HIGHSTREET_QUERY_MS", QUERY_MS)
    asgi = target.startswith("highstreet.web.streams")
    Server(
        target,
        address=host,
        port=port,
        workers=workers,
        interface=Interfaces.ASGI if asgi else Interfaces.WSGI,
        blocking_threads=None if asgi else threads,
        log_level=LogLevels.warning,
        log_access=False,
        backlog=2048,
        respawn_failed_workers=True,
    ).serve()
