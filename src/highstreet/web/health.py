"""Liveness: this process answers. Readiness: it reaches its database and the migrations are applied."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from highstreet.kernel.policy import PUBLIC, route


@route(PUBLIC)
def livez(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@route(PUBLIC)
def readyz(request: HttpRequest) -> JsonResponse:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM kernel_hold LIMIT 1")
    except DatabaseError:
        answer = JsonResponse({"status": "no database"}, status=503)
        answer["Retry-After"] = "5"
        return answer
    return JsonResponse({"status": "ok"})
