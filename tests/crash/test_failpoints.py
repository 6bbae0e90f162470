"""The process dies at every step of checkout, payment, refund and dispatch; tried again, all is there once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from highstreet.kernel import failpoints, idempotency, outbox
from highstreet.trade.orders.tests.support import Town
from highstreet.trade.payments import gateways
from highstreet.trade.payments.sandbox.crypto import generate_keys
from tests.conftest import Add
from tests.support import crowd, journeys
from tests.support.journeys import JOURNEYS, KILLED, Scene

SEED = 20261126
STEPS_AT_LEAST = 40


@pytest.fixture
def scene(transactional_db: None) -> Iterator[Scene]:
    with crowd.town() as town:
        crowd.shelve(town, 5000, 5000)
        crowd.shelve(town, 5000, 5000, store=1)
        made = journeys.scene(town, generate_keys())
        # The rider's shift opens slots by its own measure; here there is always room.
        outbox.drain()
        _widen(town)
        journeys.warm_up()
        yield made
    gateways.register("wechat", None)


def _widen(town: Town) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE promise_capacityslot SET capacity = 100000 WHERE id = %s", [town.promise.slot])


def steps(scene: Scene, folder: Path) -> list[tuple[str, str, int]]:
    """Every step of every journey as (journey, step, how often it is reached), found by running each once."""
    found = []
    for number, (name, journey) in enumerate(JOURNEYS.items()):
        trace = folder / f"trace-{number}"
        one = journeys.visit(scene, f"trace-{number}")
        assert journeys.in_child(partial(journey, one), trace=str(trace)) == 0
        assert journeys.wrong_end(one.name, name) == ""
        times = Counter(trace.read_text().splitlines())
        found += [(name, step, count) for step, count in times.items()]
    return found


def die_and_go_on(scene: Scene, name: str, step: str, number: int) -> str:
    """Die at `step`, go on with the same keys. What is wrong afterwards, "" when nothing is."""
    one = journeys.visit(scene, f"{number}")
    first = journeys.in_child(partial(JOURNEYS[name], one), fail=step)
    if first != KILLED:
        return f"{name} at {step}: not killed ({first})"
    second = journeys.in_child(partial(JOURNEYS[name], one))
    wrong = "does not go on" if second != 0 else journeys.wrong_end(one.name, name)
    return f"{name} at {step}: {wrong}" if wrong else ""


def chosen(found: list[tuple[str, str, int]], runs: int, most: int | None) -> list[tuple[str, str]]:
    """Each step `runs` times, at its first, second … occurrence; `most` in all, drawn by the seed."""
    cases = [(name, f"{step}@{run % count + 1}") for name, step, count in found for run in range(runs)]
    return cases if most is None else random.Random(SEED).sample(cases, most)


@pytest.mark.parametrize(("runs", "most"), [(1, 10), pytest.param(1, None, marks=pytest.mark.long)])
def test_dying_at_every_step(scene: Scene, row: Add, tmp_path: Path, runs: int, most: int | None) -> None:
    found = steps(scene, tmp_path)
    names = {step for _, step, _ in found}
    cases = chosen(found, runs, most)
    wrong = []
    for number, (name, step) in enumerate(cases):
        wrong += [words] if (words := die_and_go_on(scene, name, step, number)) else []
        if number % 10 == 0:
            wrong += crowd.broken()
    row(
        "K4",
        f"killed at {len({step.partition('@')[0] for _, step in cases})} of {len(names)} named steps, tried again",
        n=len(cases),
        accepted=len(cases) - len(wrong),
        refused=0,
        invariants=crowd.invariants(),
        seed=SEED,
    )
    assert wrong == []
    assert len(names) >= STEPS_AT_LEAST
    assert crowd.broken() == []


def test_without_kept_answers_trying_again_fails(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of K1 and K4: nobody keeps what was answered, so the second try meets the first's effect."""
    step = "idempotency.committed:POST@2"
    assert die_and_go_on(scene, "cancelled", step, 1) == ""

    def forgetful(*, work: Any, **_: Any) -> Any:
        answer = work()
        failpoints.reach("idempotency.committed", "POST")
        return answer

    monkeypatch.setattr(idempotency, "once", forgetful)
    assert "does not go on" in die_and_go_on(scene, "cancelled", step, 2)
