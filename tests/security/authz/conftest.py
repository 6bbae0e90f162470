"""One world for the module's tests, undone when they are over."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from highstreet.supply.organisations.reads import forget

from .callers import undone
from .calls import Matrix, begin

# Guesses of passwords are hashed as well; the slow hash is for attackers, not for tests.
SETTINGS = {
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    # The library's limits count a minute's requests of all callers together.
    "ACCOUNT_RATE_LIMITS": False,
    "STREAM_URL": "https://streams.example",
}


@pytest.fixture(scope="module")
def matrix(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Matrix]:
    """Everybody, and everybody's things; no answer yet. Refusals come by the thousand and are not logged."""
    logging.disable(logging.CRITICAL)
    with django_db_blocker.unblock(), override_settings(**SETTINGS), undone():
        yield begin()
    logging.disable(logging.NOTSET)
    forget()
