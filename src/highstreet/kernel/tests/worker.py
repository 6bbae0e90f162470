"""A real worker of the queue, in a test."""

from __future__ import annotations

from django.db import connection
from procrastinate.contrib.django import app


def work() -> None:
    """Run what is queued and due."""
    connector = app.connector.get_worker_connector()  # type: ignore[attr-defined]
    with app.replace_connector(connector) as worker:
        worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)
    with connection.cursor() as cursor:
        # The worker's threads keep their connections, and the test database could not be dropped.
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
