"""Runs a replay: reads the day, simulates it in a process of its own, keeps the figures. Never in a request.

The simulation takes a core for a minute on a large day: a process apart, of low priority, so that the worker's other
jobs and their transactions go on.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import datetime, time
from multiprocessing import get_context
from typing import Any
from uuid import UUID

from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.couriers.reads import Duty, EarningTerms
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.supply.organisations import reads as organisations

from . import actions
from .engine.days.replays import Past, Terms, happened, ran
from .reads import replays, turns
from .reads.replays import ReplayView
from .refusals import REPLAY_EMPTY, REPLAY_NO_ROSTER, REPLAY_NO_SHIFTS, REPLAY_UNLEARNT

NICE = 10
NOBODY = {"planned": REPLAY_NO_ROSTER, "proposed": REPLAY_UNLEARNT, "other": REPLAY_NO_SHIFTS}


def run(replay_id: UUID) -> None:
    """Three columns: what happened, the same terms again (how far the simulation is off), and what was asked."""
    asked = replays.replay(THE_SYSTEM, replay_id)
    if not actions.advance_replay(actor=THE_SYSTEM, replay_id=replay_id, progress=5):
        return
    try:
        result, failure = _result(asked)
    except Exception:
        actions.fail_replay(actor=THE_SYSTEM, replay_id=replay_id, failure="broken")
        raise
    if failure:
        actions.fail_replay(actor=THE_SYSTEM, replay_id=replay_id, failure=failure)
    else:
        actions.finish_replay(actor=THE_SYSTEM, replay_id=replay_id, result=result)


def _result(asked: ReplayView) -> tuple[dict[str, Any], str]:
    """What comes of it; or nothing, and the code of why not."""
    past = replays.past(asked.city_id, asked.day)
    if past is None:
        return {}, REPLAY_EMPTY.code
    city, shifts = organisations.city(asked.city_id), past.turns
    if asked.roster != "worked":
        shifts = turns.of_roster(city, asked.day, asked.roster, asked.other_day)
    if not shifts:
        return {}, NOBODY[asked.roster].code
    terms = Terms(asked.policy, asked.couriers, asked.quantile)
    columns = _simulated(past, replace(past, turns=shifts), terms, asked.id)
    rule = couriers.earning_terms(city.id, datetime.combine(asked.day, time.min, tzinfo=city.zone))
    return {"policy": past.policy, **{name: _priced(column, rule) for name, column in columns.items()}}, ""


def _simulated(past: Past, other: Past, terms: Terms, replay_id: UUID) -> dict[str, dict[str, Any]]:
    usual = Terms(past.policy)
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=os.nice, initargs=(NICE,)) as pool:
        same = pool.submit(ran, past, usual).result()
        actions.advance_replay(actor=THE_SYSTEM, replay_id=replay_id, progress=50)
        asked = same if (other, terms) == (past, usual) else pool.submit(ran, other, terms).result()
    return {"happened": happened(past), "same": same, "asked": asked}


def _priced(column: dict[str, Any], rule: EarningTerms) -> dict[str, Any]:
    """The column with what its shifts come to by the day's rule, in fen, in place of what each of them brought."""
    cost = couriers.day_cost(rule, [Duty(*one) for one in column["duties"]])
    figures = {name: value for name, value in column.items() if name != "duties"}
    each = round(cost.total / max(column["delivered"], 1))
    return {**figures, "top_up": cost.top_up, "bonus": cost.bonus, "cost": cost.total, "each": each}
