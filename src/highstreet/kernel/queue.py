"""Defer a job in the caller's transaction: it exists when the transaction commits, and not otherwise.

Inside a worker procrastinate's own app speaks through the worker's connection, which is another
transaction; so jobs are always deferred through Django's connection, by an app of our own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from procrastinate import App
from procrastinate.contrib.django.django_connector import DjangoConnector

from . import failpoints, tracing

TRACE = "traceparent"
_app = App(connector=DjangoConnector(alias="default"))


def defer(task: str, **arguments: Any) -> None:
    """Have `task` run once with `arguments` (JSON values)."""
    _app.configure_task(task).defer(**_traced(arguments))
    failpoints.reach("queue.defer", task)


def defer_all(task: str, arguments: list[dict[str, Any]]) -> None:
    """Have `task` run once for each of `arguments`, in one statement."""
    if arguments:
        _app.configure_task(task).batch_defer(*[_traced(one) for one in arguments])
        failpoints.reach("queue.defer", task)


def _traced(arguments: dict[str, Any]) -> dict[str, Any]:
    """With the trace that goes on in the job, if there is one."""
    parent = tracing.carried()
    return {**arguments, TRACE: parent} if parent else arguments


def in_trace(call: Callable[[], Any], context: Any, worker: Any) -> Any:
    """Middleware of the workers: takes the trace out of the job's arguments and runs the job within it."""
    with tracing.job(context.job.task_name, context.job.task_kwargs.pop(TRACE, "")):
        return call()
