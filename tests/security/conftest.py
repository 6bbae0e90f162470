"""What the tests of the edge share: a superuser's client, and settings as they are under HTTPS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from highstreet.people.accounts.models import User
from highstreet.supply.organisations.reads import forget
from highstreet.web.console.tests.support import Scene, a_scene

BY_HTTPS = (
    "HTTPS",
    "SECURE_HSTS_SECONDS",
    "SECURE_PROXY_SSL_HEADER",
    "SESSION_COOKIE_SECURE",
    "SESSION_COOKIE_NAME",
    "CSRF_COOKIE_SECURE",
    "CSRF_COOKIE_NAME",
    "LANGUAGE_COOKIE_SECURE",
)


@pytest.fixture
def scene(db: None) -> Iterator[Scene]:
    yield a_scene()
    forget()


def root_client(*, enforce_csrf_checks: bool = False) -> Client:
    """Signed in as one who may see all of the admin."""
    user = User.objects.filter(username="root").first() or User.objects.create_superuser("root", password="x")
    client = Client(enforce_csrf_checks=enforce_csrf_checks, raise_request_exception=False)
    client.cookies["lang"] = "en"
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture(scope="session")
def https_values() -> dict[str, Any]:
    """What the settings are where HIGHSTREET_HTTPS is 1, as a process of its own says."""
    say = f"import json; from highstreet import settings as s; print(json.dumps([getattr(s, n) for n in {BY_HTTPS}]))"
    environment = {**os.environ, "HIGHSTREET_HTTPS": "1", "HIGHSTREET_PROXY_HOPS": "1", "HIGHSTREET_SECRET_KEY": "own"}
    done = subprocess.run([sys.executable, "-c", say], env=environment, check=True, capture_output=True, text=True)
    return dict(zip(BY_HTTPS, json.loads(done.stdout), strict=True))


@pytest.fixture
def https(settings: Any, https_values: dict[str, Any]) -> None:
    for name, value in https_values.items():
        setattr(settings, name, tuple(value) if isinstance(value, list) else value)
