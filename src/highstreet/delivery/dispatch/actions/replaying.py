"""Replays of past days: asked for by people, run by a job, one a city at a time."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from highstreet.delivery.couriers import reads as roster_reads
from highstreet.kernel import clock, ids, queue
from highstreet.kernel.policy import SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID
from highstreet.supply.organisations.reads import CityView

from ..models import Replay
from ..reads import replays as reads
from ..refusals import REPLAY_NO_ROSTER, REPLAY_NO_SHIFTS, REPLAY_OTHER_DAY, REPLAY_RUNS, REPLAY_UNLEARNT

POLICIES = ("timely", "nearest", "matching", "reyes")
ROSTERS = ("worked", "planned", "proposed", "other")
COURIERS = (10, 300)
QUANTILES = (50, 99)
# Before that nothing was recorded anywhere.
EARLIEST = date(2000, 1, 1)


@action("dispatch.replay")
def ask_replay(
    *,
    actor: Actor,
    city_id: UUID,
    day: date,
    policy: str,
    couriers: int = 100,
    roster: str = "worked",
    other_day: date | None = None,
    quantile: int = 0,
) -> UUID:
    """Have a past local day of the city run again. Returns its id. REPLAY_RUNS while another of the city runs.

    `roster`: whose shifts, those worked, planned (as published; REPLAY_NO_ROSTER), proposed (from the days before;
    REPLAY_UNLEARNT), or other: as worked on the `other_day` (REPLAY_OTHER_DAY, REPLAY_NO_SHIFTS). `couriers` in per
    cent of them, 10 to 300; `quantile` of the promise, 50 to 99, or 0: as it was promised.
    """
    city = reads.must_run(actor, city_id)
    if day >= clock.now().astimezone(city.zone).date() or day < EARLIEST:
        raise Refused(INVALID, field="day", problem="< today")
    if policy not in POLICIES:
        raise Refused(INVALID, field="policy", problem=", ".join(POLICIES))
    if not COURIERS[0] <= couriers <= COURIERS[1]:
        raise Refused(INVALID, field="couriers", problem="10…300")
    if quantile and not QUANTILES[0] <= quantile <= QUANTILES[1]:
        raise Refused(INVALID, field="quantile", problem="50…99")
    if roster not in ROSTERS:
        raise Refused(INVALID, field="roster", problem=", ".join(ROSTERS))
    other_day = other_day if roster == "other" else None
    _some_shifts(city, day, roster, other_day)
    row = Replay(
        id=ids.new_id(),
        city_id=city_id,
        day=day,
        policy=policy,
        couriers=couriers,
        roster=roster,
        other_day=other_day,
        quantile=quantile,
        asked_at=clock.now(),
    )
    Replay.objects.bulk_create([row], ignore_conflicts=True)
    if not Replay.objects.filter(pk=row.pk).exists():
        raise Refused(REPLAY_RUNS)
    queue.defer("dispatch.replay", replay_id=str(row.pk))
    return row.pk


def _some_shifts(city: CityView, day: date, roster: str, other_day: date | None) -> None:
    """Refuse a roster that has nothing on that day."""
    if roster == "planned" and not roster_reads.published(city.id, day):
        raise Refused(REPLAY_NO_ROSTER)
    if roster == "proposed" and not roster_reads.learnt(city.id, day):
        raise Refused(REPLAY_UNLEARNT)
    if roster == "other":
        today = clock.now().astimezone(city.zone).date()
        if other_day is None or other_day == day or not EARLIEST <= other_day < today:
            raise Refused(REPLAY_OTHER_DAY)
        if not roster_reads.worked(city.id, other_day):
            raise Refused(REPLAY_NO_SHIFTS)


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
