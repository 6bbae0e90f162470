from __future__ import annotations

from collections.abc import Iterator

import pytest

from highstreet.trade.orders.tests.support import Town
from tests.support import crowd


@pytest.fixture
def town(db: None) -> Iterator[Town]:
    """The town at noon, in a transaction that the test's end takes back."""
    with crowd.town() as made:
        yield made
