"""Workers die in mid-job; every effect is there once, what waits is worked off, and poison blocks only its own key."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest

from highstreet.kernel import ids, outbox
from highstreet.kernel.models import OutboxDelivery
from tests.conftest import Add
from tests.support import loops
from tests.support.stack import Stack
from tests.support.workers import STEPS, workers_die

SEED = 20261126


@pytest.mark.long
@pytest.mark.parametrize("kills", [50])
def test_every_effect_is_there_once(row: Add, kills: int) -> None:
    with Stack(["web"]) as stack:
        result = loops.run(workers_die(stack, kills=kills, seed=SEED))
    row(
        "K3",
        f"{kills} workers killed in mid-job",
        n=result.paid,
        accepted=result.once,
        refused=0,
        invariants="hold" if result.audit.code == 0 else result.audit.broken,
        seed=SEED,
        notes=f"died at {result.deaths}; then drained in {result.drained:.1f} s",
    )
    # A step that no worker dies at is not on the way any more: the list is of yesterday.
    assert set(result.deaths) == {"kill", *STEPS}
    assert result.left == 0
    assert result.once == result.paid
    assert result.audit.code == 0, result.audit.broken


@dataclass(frozen=True)
class Poured:
    """A fact for this test's handlers."""

    glass: UUID


poisoned: set[UUID] = set()
drunk: list[UUID] = []


def drink(event: Poured) -> None:
    if event.glass in poisoned:
        raise RuntimeError("poison")
    drunk.append(event.glass)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_handlers", "_functions", "_events"):
        monkeypatch.setattr(outbox, name, dict(getattr(outbox, name)))
    outbox.on(Poured, drink)
    poisoned.clear()
    drunk.clear()


def test_a_poisoned_job_parks_and_blocks_only_its_own_key(transactional_db: None, heard: None, row: Add) -> None:
    glasses = [ids.new_id() for _ in range(20)]
    poisoned.add(glasses[7])
    from django.db import transaction

    with transaction.atomic():
        for glass in glasses:
            outbox.emit(Poured(glass))
    tries = 0
    for delivery in OutboxDelivery.objects.order_by("id"):
        while True:
            try:
                outbox.deliver(delivery.pk)
                break
            except RuntimeError:
                tries += 1
                delivery.refresh_from_db()
                if delivery.failures >= outbox.MAX_FAILURES:
                    break
    parked = OutboxDelivery.objects.get(done_at=None)
    row(
        "K3",
        "one poisoned event of twenty",
        n=20,
        accepted=len(drunk),
        refused=1,
        invariants="parked, said in its row",
        seed="-",
        notes=f"parked after {tries} tries",
    )
    assert sorted(drunk) == sorted(set(glasses) - poisoned)
    assert tries == parked.failures == outbox.MAX_FAILURES
    assert "poison" in parked.error
    # Nobody tries it for ever, and whoever waits for its turn behind it does not wait any more.
    assert outbox.drain() == 0
    handler = "tests.crash.test_kill_workers.drink"
    assert not outbox.waiting(handler, naming=glasses[7], before=parked.event_id + 1)
    # The negative control: one that has not given up is waited for.
    OutboxDelivery.objects.filter(pk=parked.pk).update(failures=1)
    assert outbox.waiting(handler, naming=glasses[7], before=parked.event_id + 1)
