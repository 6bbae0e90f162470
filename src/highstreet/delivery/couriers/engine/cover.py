"""Which shifts cover a need for the fewest paid minutes: a mixed-integer programme, solved by HiGHS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from .profile import Floats, Ints
from .staffing import Need

# Nodes, not seconds, so that a slow machine finds the same roster.
NODES = 2000
GAP = 0.002
# A courier who is needed so much less often than is worth the pay is left out of the programme.
NEGLIGIBLE = 1 / 20
# Paid minutes that a shift as somebody wished it may cost: of rosters that serve alike, the one more wished for.
GOODWILL = 10.0


@dataclass(frozen=True)
class Shifts:
    """Which shifts are allowed; minutes. Starts fall on multiples of `step`, lengths on `length_step` from the shortest
    on. A shift of `break_from` or longer holds an unpaid break of `break_minutes`, begun `break_early` to `break_late`
    after the start."""

    shortest: int = 120
    longest: int = 480
    step: int = 30
    length_step: int = 60
    break_from: int = 360
    break_minutes: int = 30
    break_early: int = 150
    break_late: int = 270


@dataclass(frozen=True, order=True)
class Pattern:
    """A shift [start, end) with its break [break_start, break_end), both 0 if there is none; minutes of the day."""

    start: int
    end: int
    break_start: int = 0
    break_end: int = 0

    @property
    def paid(self) -> int:
        return self.end - self.start - (self.break_end - self.break_start)


@dataclass(frozen=True)
class Asked:
    """So many `people` would each gladly work one of these `patterns`: their places in the list that `fit` is given."""

    patterns: frozenset[int]
    people: int = 1


@dataclass(frozen=True, eq=False)
class Cover:
    """One pattern a new courier, sorted; couriers `there` by bin [B], those who stand included (a part of a bin is a
    part of a courier); `paid` minutes of the new ones; `short`: courier-minutes below the need."""

    shifts: tuple[Pattern, ...]
    there: Floats
    paid: int
    short: int


def allowed(shifts: Shifts, opens: int, closes: int) -> list[Pattern]:
    """Every shift between two minutes of the day that these rules allow."""
    made = []
    for start in range(-(-opens // shifts.step) * shifts.step, closes, shifts.step):
        for length in range(shifts.shortest, min(shifts.longest, closes - start) + 1, shifts.length_step):
            if length < shifts.break_from:
                made.append(Pattern(start, start + length))
                continue
            last = min(shifts.break_late, length - shifts.break_minutes)
            for after in range(shifts.break_early, last + 1, shifts.step):
                made.append(Pattern(start, start + length, start + after, start + after + shifts.break_minutes))
    return made


def fit(
    need: Need,
    patterns: Sequence[Pattern],
    *,
    each: float = 0.0,
    standing: Sequence[Pattern] = (),
    asked: Sequence[Asked] = (),
) -> Cover:
    """The shifts that are worth most over what they are paid, beside those that are `standing` already. One more has to
    gain `each` minutes beyond its pay: few long ones come before many short ones.

    A courier is worth in a bin what the chance is to be needed there, and a minute needed with the chance 1 - level is
    worth its pay: of short shifts that would be the need itself. In every bin the least wanted are there, where any
    pattern can be. A shift that somebody `asked` for is worth GOODWILL more. The same input gives the same roster.
    """
    bins = len(need.load)
    before = _there(standing, bins, need.bin_minutes).sum(axis=1)
    chosen, made = [], before
    if patterns and bins:
        there = _there(patterns, bins, need.bin_minutes)
        found = _solved(need, there, np.array([one.paid + each for one in patterns]), before, asked)
        if found.x is None:
            raise RuntimeError(f"no roster: {found.message}")
        count = np.rint(found.x[: len(patterns)]).astype(np.int64)
        made = before + there @ count
        chosen = sorted(one for one, times in zip(patterns, count.tolist(), strict=True) for _ in range(times))
    short = round(float(np.maximum(need.needed - made, 0).sum()) * need.bin_minutes)
    return Cover(tuple(chosen), made, sum(one.paid for one in chosen), short)


def _solved(need: Need, there: Floats, paid: Floats, before: Floats, asked: Sequence[Asked]) -> Any:
    """The programme: how often each pattern is worked, how far each further courier of a bin counts (0 to 1), and which
    patterns those who asked get."""
    optimize: Any = import_module("scipy.optimize")
    sparse: Any = import_module("scipy.sparse")
    worth, place = _worth(need)
    bins, shifts, steps = len(need.load), len(paid), len(worth)
    who, which = _pairs(asked)
    pairs = len(who)

    def ones(rows: Any, height: int) -> Any:
        return sparse.csr_array((np.ones(len(rows)), (rows, np.arange(len(rows)))), shape=(height, len(rows)))

    # Couriers that count in a bin are no more than are there; the least are there; no shift is given twice, and nobody
    # has two.
    work, none = sparse.csr_array(there), sparse.csr_array
    rows = [
        [-work, ones(place, bins), none((bins, pairs))],
        [work, none((bins, steps)), none((bins, pairs))],
        [-sparse.eye_array(shifts), none((shifts, steps)), ones(which, shifts)],
        [none((len(asked), shifts)), none((len(asked), steps)), ones(who, len(asked))],
    ]
    least = np.maximum(np.where(there.any(axis=1), need.least, 0) - before, 0)
    people = np.array([float(one.people) for one in asked])
    return optimize.milp(
        np.concatenate([paid, -worth, np.full(pairs, -GOODWILL)]),
        constraints=optimize.LinearConstraint(
            sparse.vstack([sparse.hstack(row) for row in rows]).tocsr(),
            np.concatenate([np.full(bins, -np.inf), least, np.full(shifts + len(asked), -np.inf)]),
            np.concatenate([before, np.full(bins, np.inf), np.zeros(shifts), people]),
        ),
        integrality=np.concatenate([np.ones(shifts), np.zeros(steps + pairs)]),
        bounds=optimize.Bounds(0, np.concatenate([np.full(shifts, np.inf), np.ones(steps), np.full(pairs, np.inf)])),
        options={"node_limit": NODES, "mip_rel_gap": GAP},
    )


def _pairs(asked: Sequence[Asked]) -> tuple[Ints, Ints]:
    """Who and which pattern, for all that were asked for."""
    made = [(number, which) for number, one in enumerate(asked) for which in sorted(one.patterns)]
    who, which = np.array(made, np.int64).reshape(-1, 2).T
    return who, which


def _there(patterns: Sequence[Pattern], bins: int, width: int) -> Floats:
    """The share [B, P] of each bin that each pattern works."""
    times = np.array([(one.start, one.end, one.break_start, one.break_end) for one in patterns]).reshape(-1, 4).T
    edges = (np.arange(bins) * width)[:, None]
    return _share(edges, width, times[0], times[1]) - _share(edges, width, times[2], times[3])


def _share(edges: Any, width: int, start: Ints, end: Ints) -> Floats:
    return np.asarray(np.clip(np.minimum(edges + width, end) - np.maximum(edges, start), 0, width) / width)


def _worth(need: Need) -> tuple[Floats, Ints]:
    """What each further courier of each bin is worth in paid minutes, and the bin."""
    price = max(1.0 - need.level, 1e-6)
    place, number = np.nonzero(need.chance > price * NEGLIGIBLE)
    return need.chance[place, number] / price * need.bin_minutes, place
