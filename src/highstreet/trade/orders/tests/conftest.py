from __future__ import annotations

from collections.abc import Iterator

import pytest

from highstreet.trade.orders import ports

from . import support


@pytest.fixture
def town(db: None) -> Iterator[support.Town]:
    """The town at noon, its clock running from there; the books are audited when the test ends."""
    before = ports.promises() if ports.promises.filled else None
    with support.running_from(support.NOON):
        yield support.build()
        support.clean_audit()
    if before is not None:
        ports.promises.fill(before)
