"""A Django application that does next to nothing, for the limit of any: /hello, and /row with one SELECT.

Served by `bench/ceiling.py` as Highstreet is; PGDATABASE and its kin say where the database is.
"""

from __future__ import annotations

import os

from django.conf import settings

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        SECRET_KEY="only-for-this-benchmark",
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": os.environ.get("PGDATABASE", ""),
                "CONN_MAX_AGE": None,
            }
        },
    )

from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello")


def row(request: HttpRequest, key: int) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, on_hand FROM stock WHERE id = %s", [key])
        found = cursor.fetchone()
    return JsonResponse({"id": found[0], "on_hand": found[1]})


urlpatterns = [path("hello", hello), path("row/<int:key>", row)]

application = get_wsgi_application()
