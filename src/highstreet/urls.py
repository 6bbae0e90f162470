"""Every address of the platform. Each face and each feature's API brings its own."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from highstreet.web import health
from highstreet.web.api import api

FACES = {"": "shop", "store/": "store", "courier/": "courier", "console/": "console"}


def _faces() -> list[URLResolver]:
    mounted = []
    for prefix, face in sorted(FACES.items(), reverse=True):
        name = f"highstreet.web.{face}.urls"
        if find_spec(name):
            mounted.append(path(prefix, include((import_module(name).urlpatterns, face))))
    return mounted


handler500 = "highstreet.web.broken.server_error"
urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("metrics", health.figures),
    path("api/v1/", api.urls),
    path("admin/", admin.site.urls),
    path("accounts/sessions/", RedirectView.as_view(url="/me/devices")),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    *_faces(),
]
