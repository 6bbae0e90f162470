"""`highstreet dispatch bench`: policies side by side on days in MDRPLib's format, scored from their logs alone."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np

from .. import POLICIES, SERVING, Policy
from .instances import BadInstance, find, load
from .score import Score, score, write_log
from .simulate import Settings, simulate

# As the dispatcher of a running city decides: couriers accept and may say no, so nobody is sent anywhere without an
# order, and everybody is told earlier.
SERVED = "serving"
HEADS = (
    "policy",
    "undelivered %",
    "click-to-door (90th)",
    "ready-to-pickup (90th)",
    "within target % (at peak)",
    "cost an order",
    "orders a bundle",
    "earnings spread",
    "best on",
    "epoch ms: mean, p95, max",
)


@dataclass(frozen=True)
class Ran:
    """One day under one policy; CPU ms of its epochs."""

    policy: str
    score: Score
    mean: float
    p95: float
    longest: float


def run(folder: Path, policy: str, settings: Settings, logs: Path | None) -> Ran:
    """Simulate and score one day; its log is written to logs/POLICY/DAY.csv where asked for."""
    instance = load(folder)
    result = simulate(instance, *_way(policy, settings))
    if logs is not None:
        (logs / policy).mkdir(parents=True, exist_ok=True)
        write_log(logs / policy / f"{instance.name}.csv", result.log)
    spent = 1000.0 * np.array(result.cpu or [0.0])
    return Ran(
        policy, score(instance, result.log), float(spent.mean()), float(np.percentile(spent, 95)), float(spent.max())
    )


def _way(policy: str, settings: Settings) -> tuple[Policy, Settings]:
    if policy == SERVED:
        return SERVING, replace(settings, may_move=False)
    return POLICIES[policy], settings


@dataclass(frozen=True)
class Made:
    """The table in Markdown, and the rules that logs broke."""

    table: str
    violations: list[str]


def compare(
    folder: Path,
    policies: Sequence[str],
    settings: Settings,
    *,
    only: str = "",
    logs: Path | None = None,
    workers: int = 2,
) -> Made:
    """Means over the days below `folder` whose names have `only` in them. Raises BadInstance."""
    days = [day for day in find(folder) if only in day.name]
    if not days:
        raise BadInstance(f"{folder}: no day has {only} in its name")
    with ProcessPoolExecutor(workers) as pool:
        ran = {
            policy: list(pool.map(partial(run, policy=policy, settings=settings, logs=logs), days))
            for policy in policies
        }
    best = [_best(day) for day in _by_day(ran)]
    rows = [_row(policy, runs, best.count(policy)) for policy, runs in ran.items()]
    bound = fmean(one.score.bound for one in ran[policies[0]])
    rows.append(["bound: picked up when ready, driven straight", "", f"{bound:.2f}", "0", *[""] * (len(HEADS) - 4)])
    violations = [
        f"{policy}, {one.score.name}: {says}"
        for policy, runs in ran.items()
        for one in runs
        for says in one.score.violations
    ]
    lines = ["| " + " | ".join(row) + " |" for row in (HEADS, ["---"] * len(HEADS), *rows)]
    lines.append(f"{len(days)} days, {len(violations)} violations")
    return Made("\n".join([*lines, *violations[:20]]), violations)


def _best(day: dict[str, Ran]) -> str:
    """Whose customers waited least; who left more undone than the others by half a per cent is none."""
    least = min(one.score.undelivered for one in day.values())
    return min(day, key=lambda name: (day[name].score.undelivered > least + 0.5, day[name].score.click))


def _by_day(ran: dict[str, list[Ran]]) -> list[dict[str, Ran]]:
    return [dict(zip(ran, day, strict=True)) for day in zip(*ran.values(), strict=True)]


def _row(policy: str, runs: list[Ran], wins: int) -> list[str]:
    def mean(name: str) -> float:
        return float(np.nanmean([getattr(one.score, name) for one in runs]))

    return [
        policy,
        f"{mean('undelivered'):.3f}",
        f"{mean('click'):.2f} ({mean('click90'):.1f})",
        f"{mean('pickup'):.2f} ({mean('pickup90'):.2f})",
        f"{mean('in_target'):.1f} ({mean('in_target_at_peak'):.1f})",
        f"{mean('cost'):.2f}",
        f"{mean('bundle'):.2f}",
        f"{mean('spread'):.2f}",
        str(wins),
        ", ".join(
            f"{spent:.1f}"
            for spent in (fmean(o.mean for o in runs), max(o.p95 for o in runs), max(o.longest for o in runs))
        ),
    ]
