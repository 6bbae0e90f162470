from __future__ import annotations

from collections.abc import Iterator

import pytest

from highstreet.trade.orders.tests.support import Town
from tests.support import crowd


@pytest.fixture
def town(transactional_db: None) -> Iterator[Town]:
    """The town at noon, for threads: what they do is committed."""
    with crowd.town() as made:
        yield made
