"""Starts granian for pages (WSGI) and for the event streams (ASGI)."""

from __future__ import annotations

import gc
from importlib import import_module

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server


def serve(target: str, *, port: int, host: str = "127.0.0.1", workers: int = 1, threads: int = 8) -> None:
    """Serve `highstreet.wsgi:application` or `highstreet.web.streams:application` until told to stop."""
    asgi = target.startswith("highstreet.web.streams")
    if not asgi:
        _load(target)
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
