from __future__ import annotations

from collections.abc import Iterator

import pytest

from highstreet.delivery.couriers.tests import support


@pytest.fixture
def noon() -> Iterator[None]:
    with support.ticking():
        yield
