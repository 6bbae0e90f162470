"""Defer a job in the caller's transaction: it exists when the transaction commits, and not otherwise.

Inside a worker procrastinate's own app speaks through the worker's connection, which is another
transaction; so jobs are always deferred through Django's connection, by an app of our own.
"""

from __future__ import annotations

from typing import Any

from procrastinate import App
from procrastinate.contrib.django.django_connector import DjangoConnector

from . import failpoints

_app = App(connector=DjangoConnector(alias="default"))


def defer(task: str, **arguments: Any) -> None:
    """Have `task` run once with `arguments` (JSON values)."""
    _app.configure_task(task).defer(**arguments)
    failpoints.reach("queue.defer", task)


def defer_all(task: str, arguments: list[dict[str, Any]]) -> None:
    """Have `task` run once for each of `arguments`, in one statement."""
    if arguments:
        _app.configure_task(task).batch_defer(*arguments)
