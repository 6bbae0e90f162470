"""Replays of past days: asked for by people, run by a job, one a city at a time."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from highstreet.kernel import clock, ids, queue
from highstreet.kernel.policy import SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID

from ..models import Replay
from ..reads import replays as reads
from ..refusals import REPLAY_RUNS

POLICIES = ("timely", "nearest", "matching", "reyes")
COURIERS = (10, 300)
QUANTILES = (50, 99)


@action("dispatch.replay")
def ask_replay(*, actor: Actor, city_id: UUID, day: date, policy: str, couriers: int = 100, quantile: int = 0) -> UUID:
    """Have a past local day of the city run again. `couriers` in per cent of those who worked, 10 to 300; `quantile`
    of the promise, 50 to 99, or 0: as it was promised. REPLAY_RUNS while another of the city runs. Returns its id."""
    city = reads.must_run(actor, city_id)
    if day >= clock.now().astimezone(city.zone).date():
        raise Refused(INVALID, field="day", problem="< today")
    if policy not in POLICIES:
        raise Refused(INVALID, field="policy", problem=", ".join(POLICIES))
    if not COURIERS[0] <= couriers <= COURIERS[1]:
        raise Refused(INVALID, field="couriers", problem="10…300")
    if quantile and not QUANTILES[0] <= quantile <= QUANTILES[1]:
        raise Refused(INVALID, field="quantile", problem="50…99")
    row = Replay(
        id=ids.new_id(),
        city_id=city_id,
        day=day,
        policy=policy,
        couriers=couriers,
        quantile=quantile,
        asked_at=clock.now(),
    )
    Replay.objects.bulk_create([row], ignore_conflicts=True)
    if not Replay.objects.filter(pk=row.pk).exists():
        raise Refused(REPLAY_RUNS)
    queue.defer("dispatch.replay", replay_id=str(row.pk))
    return row.pk


@action(SYSTEM)
def advance_replay(*, actor: Actor, replay_id: UUID, progress: int) -> bool:
    """So many per cent are done. False when there is nothing left to do."""
    return bool(Replay.objects.filter(pk=replay_id, finished_at=None).update(progress=progress))


@action(SYSTEM)
def finish_replay(*, actor: Actor, replay_id: UUID, result: dict[str, Any]) -> None:
    """It is done; twice is once."""
    rows = Replay.objects.filter(pk=replay_id, finished_at=None)
    rows.update(progress=100, result=result, finished_at=clock.now())


@action(SYSTEM)
def fail_replay(*, actor: Actor, replay_id: UUID, failure: str) -> None:
    """It cannot be run; `failure` is a code."""
    Replay.objects.filter(pk=replay_id, finished_at=None).update(failure=failure[:20], finished_at=clock.now())
