"""Liveness: this process answers. Readiness: it is not about to stop, reaches its database, and that is up to date.

The figures for Prometheus are for our own network only: for the machine itself, and for HIGHSTREET_METRICS_FROM.
"""

from __future__ import annotations

import ipaddress
from functools import cache
from importlib.metadata import version

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, JsonResponse

from highstreet.kernel import metrics
from highstreet.kernel.policy import PUBLIC, route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND

from . import draining

RETRY_SECONDS = "5"


@route(PUBLIC)
def livez(request: HttpRequest) -> JsonResponse:
    """Where no door stands before Django (tests); otherwise the door answers."""
    return JsonResponse({"status": "ok"})


@route(PUBLIC)
def readyz(request: HttpRequest) -> JsonResponse:
    status = "draining" if draining.now() else _database()
    answer = JsonResponse({"status": status}, status=200 if status == "ok" else 503)
    if status != "ok":
        answer["Retry-After"] = RETRY_SECONDS
    return answer


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT app, name FROM django_migrations")
            applied = set(cursor.fetchall())
    except DatabaseError:
        return "no database"
    return "ok" if last_migrations() <= applied else "migrations are not applied"


@cache
def last_migrations() -> frozenset[tuple[str, str]]:
    """The last migration of each app that this code brings."""
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


@route(PUBLIC)
def figures(request: HttpRequest) -> HttpResponse:
    """`/metrics`. To everybody else there is nothing here; whoever comes through a proxy is somebody else."""
    forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    if forwarded or not _ours(request.META.get("REMOTE_ADDR", "")):
        raise Refused(NOT_FOUND)
    return HttpResponse(metrics.text(version("highstreet")), content_type=metrics.TYPE)


def _ours(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address.is_loopback or any(address in network for network in settings.METRICS_FROM)
