from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation

from highstreet.trade.payments import gateways, ports
from highstreet.trade.payments.sandbox.crypto import SandboxKeys, generate_keys

from .support import Provider, Told


@pytest.fixture(scope="session")
def keys() -> SandboxKeys:
    return generate_keys()


@pytest.fixture
def provider(keys: SandboxKeys) -> Iterator[Provider]:
    made = Provider(keys)
    gateways.register("wechat", made)
    yield made
    gateways.register("wechat", None)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    made = Told()
    monkeypatch.setattr(ports.payables, "_filled", made)
    monkeypatch.setattr(ports.payable_lock, "_filled", None)
    return made


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield
