from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from highstreet.growth.partners.tests.support import Receiver, receiving
from highstreet.supply.organisations.reads import forget
from highstreet.web.console.tests.support import Scene, a_scene


@pytest.fixture
def scene(db: None) -> Iterator[Scene]:
    yield a_scene()
    forget()


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """Somebody who listens on this machine, which webhooks may reach here."""
    settings.DEV = True
    with receiving() as made:
        yield made
