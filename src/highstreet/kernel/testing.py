"""A pytest plugin: one embedded PostgreSQL for the whole run, unless DATABASE_URL names a server, and cheap passwords.

It is loaded by `-p` (pyproject.toml), since Django's settings are read before any conftest.py.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from django.contrib.auth.hashers import PBKDF2PasswordHasher


def _start_database() -> None:
    if os.environ.get("DATABASE_URL"):
        return
    from highstreet.kernel import postgres

    home = Path(os.environ.get("HIGHSTREET_TEST_PG", Path(tempfile.gettempdir()) / "highstreet-test")) / "pg"
    home.parent.mkdir(parents=True, exist_ok=True)
    server = postgres.start(home)
    postgres.ensure_database(server, "highstreet")
    os.environ["DATABASE_URL"] = server.url("highstreet")


os.environ.setdefault("HIGHSTREET_LOG", "ERROR")
os.environ.setdefault("HIGHSTREET_AXES", "0")
os.environ.setdefault("HIGHSTREET_RATE", "off")
_start_database()


class FewRounds(PBKDF2PasswordHasher):
    """The real hasher; a million rounds a password would be a third of a second each."""

    iterations = 1_000


def pytest_configure() -> None:
    import hypothesis
    from django.conf import settings

    # How long an example takes says what else the machine does.
    slow = [hypothesis.HealthCheck.too_slow]
    hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=slow)
    hypothesis.settings.load_profile("busy")
    settings.PASSWORD_HASHERS = [f"{__name__}.FewRounds", *settings.PASSWORD_HASHERS[1:]]
