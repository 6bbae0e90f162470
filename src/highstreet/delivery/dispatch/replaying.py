"""Runs a replay: reads the day, simulates it in a process of its own, keeps the figures. Never in a request.

The simulation takes a core for a minute on a large day: a process apart, of low priority, so that the worker's other
jobs and their transactions go on.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from uuid import UUID

from highstreet.kernel.policy import THE_SYSTEM

from . import actions
from .engine.days.replays import Past, Terms, happened, ran
from .reads import replays
from .refusals import REPLAY_EMPTY

NICE = 10


def run(replay_id: UUID) -> None:
    """Three columns: what happened, the same terms again (how far the simulation is off), and what was asked."""
    asked = replays.replay(THE_SYSTEM, replay_id)
    if not actions.advance_replay(actor=THE_SYSTEM, replay_id=replay_id, progress=5):
        return
    past = replays.past(asked.city_id, asked.day)
    if past is None:
        actions.fail_replay(actor=THE_SYSTEM, replay_id=replay_id, failure=REPLAY_EMPTY.code)
        return
    terms = Terms(asked.policy, asked.couriers, asked.quantile)
    try:
        result = _simulated(past, terms, replay_id)
    except Exception:
        actions.fail_replay(actor=THE_SYSTEM, replay_id=replay_id, failure="broken")
        raise
    actions.finish_replay(actor=THE_SYSTEM, replay_id=replay_id, result=result)


def _simulated(past: Past, terms: Terms, replay_id: UUID) -> dict[str, object]:
    usual = Terms(past.policy)
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=os.nice, initargs=(NICE,)) as pool:
        same = pool.submit(ran, past, usual).result()
        actions.advance_replay(actor=THE_SYSTEM, replay_id=replay_id, progress=50)
        other = same if terms == usual else pool.submit(ran, past, terms).result()
    return {"policy": past.policy, "happened": happened(past), "same": same, "asked": other}
