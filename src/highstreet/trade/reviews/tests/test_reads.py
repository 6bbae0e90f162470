from __future__ import annotations

import pytest

from highstreet.kernel import ids
from highstreet.trade.reviews import reads


@pytest.mark.django_db
def test_what_nobody_rated_has_no_rating() -> None:
    store = ids.new_id()
    assert reads.of_order(ids.new_id()) is None
    assert (reads.of_store(store), reads.ratings([store])) == ([], {})
