"""One world for the module's tests, undone when they are over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from .calls import Matrix, prepared


@pytest.fixture(scope="module")
def matrix(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Matrix]:
    """Everybody, and everybody's things; no answer yet."""
    with django_db_blocker.unblock(), prepared() as found:
        yield found
