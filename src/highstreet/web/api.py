"""The JSON API under /api/v1: each feature's router, one way of answering refusals, tokens."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.conf import settings
from ninja import NinjaAPI

api = NinjaAPI(title="Highstreet", version="1.0.0", docs_url="/docs", urls_namespace="api")

for _feature in settings.FEATURES:
    _name = f"highstreet.{_feature}.api"
    if find_spec(f"highstreet.{_feature}") and find_spec(_name):
        api.add_router("", import_module(_name).router)
