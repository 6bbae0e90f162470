"""M3: whatever happens to a request and however often it is sent, its Idempotency-Key has one effect and one answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Add
from tests.support import twice, world
from tests.support.stack import Stack
from tests.support.world import World

SERVER = "tests.support.dying"
FAST = 6
FULL = 50


@pytest.fixture(scope="module")
def place() -> Iterator[World]:
    with Stack(["web"], web_workers=2, web_module=[SERVER], log_level="CRITICAL") as stack:
        yield world.build(stack)
        verdict = stack.audit()
        assert verdict.code == 0, verdict.broken


def tried(place: World, row: Add, endpoint: str, times: int) -> None:
    """All nine ways, each on a fresh thing."""
    failed = []
    for name, way in twice.WAYS.items():
        try:
            way(twice.Tries(place, twice.ENDPOINTS[endpoint](place)), times)
        except AssertionError as error:
            failed.append(f"{name}: {error}")
    held = len(twice.WAYS) - len(failed)
    row("M3", f"one key, nine ways, {endpoint}", n=times, accepted=1, invariants=f"{held} of 9", notes="1 effect")
    assert failed == []


def test_a_key_has_one_effect(place: World, row: Add) -> None:
    tried(place, row, "orders", FAST)


@pytest.mark.long
@pytest.mark.parametrize("endpoint", list(twice.ENDPOINTS))
def test_a_key_has_one_effect_50_at_once_at_every_endpoint(place: World, row: Add, endpoint: str) -> None:
    tried(place, row, endpoint, FULL)


def test_the_same_fails_where_no_answer_is_kept() -> None:
    """The negative control: without the kept answers, the claims that rest on them do not hold."""
    with Stack(["web"], web_module=[SERVER, "--forget"], log_level="CRITICAL") as stack:
        place = world.build(stack)
        for way in (twice.repeated, twice.at_once, twice.another_body, twice.died_after):
            with pytest.raises(AssertionError):
                way(twice.Tries(place, twice.ENDPOINTS["quotes"](place)), FAST)
