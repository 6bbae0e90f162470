"""Rosters against the shifts of history, on days in MDRPLib's format: `python -m bench.roster DIR`.

A day's roster is made from other days only: those of other seeds that are as long by their shifts (the format names no
towns), in the same variant. Never from its own orders, but for one number where the table says so: how many there are.
Where it says "opened on the day", a part is planned before, and the rest two hours or more before it begins, by what
had been ordered until then.

The roster's couriers set out from where the day's own couriers did, drawn without looking at when. Both then work the
same day under `timely`. What is paid is each shift from its start to its end.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from statistics import fmean, stdev

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from highstreet.delivery.couriers.engine import (
    LEAST_SPREAD,
    LEVEL,
    Need,
    Pattern,
    Shifts,
    Work,
    allowed,
    fit,
    learn,
    need,
)
from highstreet.delivery.dispatch.engine import POLICIES
from highstreet.delivery.dispatch.engine.days.instances import Instance, Ints, find, load
from highstreet.delivery.dispatch.engine.days.score import Score, score
from highstreet.delivery.dispatch.engine.days.simulate import Settings, simulate

NAME = re.compile(r"(?P<seed>\d)(?P<size>[or]\d+)(?P<travel>t\d+)s(?P<shifts>[12])(?P<prepare>p\d+)")
# How far a courier rides to the shop, as a share of the mean ride from shop to door. Chosen on seeds 0 and 1.
APPROACH = 0.5
LEAST = 2
AS_LONG = 60
CHOSEN_ON = (0, 1)
LEVELS = (0.85, 0.9, 0.93, 0.95, 0.97)
# What is planned before the day where shifts are opened on it, as a share of other days' volume; and on the day, in
# minutes, how often is looked and how long before it begins a shift is opened. Reasoned, not tried.
SURE, LOOK, NOTICE = 0.7, 60, 120
# As short as those of history; none is long enough for a break.
SHIFTS = Shifts(shortest=120, longest=300, length_step=30)


@dataclass(frozen=True)
class How:
    """`told`: the day's volume as a share of what it was; None: other days' mean. `opened`: some shifts are decided on
    the day, by what has been ordered so far."""

    level: float
    told: float | None
    opened: bool = False

    @property
    def says(self) -> str:
        if self.told is None:
            return "of other days; opened on the day" if self.opened else "of other days, too"
        return "known" if self.told == 1 else f"known {100 * (self.told - 1):+.0f} %"


@dataclass(frozen=True)
class Ran:
    """One day: paid hours and scores under its own shifts and under the roster."""

    seed: int
    hours: float
    paid: float
    before: Score
    after: Score


def roster(days: Sequence[Instance], how: How, orders: int) -> tuple[Pattern, ...]:
    """Shifts for a day that is like these."""
    minutes = max(int(day.off.max()) for day in days)
    profile = learn([day.placed for day in days], minutes)
    if how.told is not None:
        profile = profile.of_volume(how.told * orders, LEAST_SPREAD)
    wanted = need(profile, _work(days), level=how.level, least=LEAST)
    return fit(wanted, _patterns(wanted)).shifts


def opened(days: Sequence[Instance], how: How, placed: Ints) -> tuple[Pattern, ...]:
    """Shifts for a day that is like these: before it for the part that is sure, and every hour of it those that are
    missing by what was placed until then. What is placed later is not looked at."""
    expected = learn([day.placed for day in days], max(int(day.off.max()) for day in days))
    work = _work(days)
    sure = need(expected.of_volume(SURE * expected.volume, LEAST_SPREAD), work, level=how.level, least=LEAST)
    made = list(fit(sure, _patterns(sure)).shifts)
    now, ends = 0, len(sure.load) * sure.bin_minutes
    while now < ends:
        wanted = need(expected.so_far(now, int((placed < now).sum())), work, level=how.level, least=LEAST)
        ends = len(wanted.load) * wanted.bin_minutes + SHIFTS.step
        patterns = [one for one in _patterns(wanted) if now == 0 or one.start >= now + NOTICE]
        missing = fit(wanted, patterns, standing=made).shifts
        made += [one for one in missing if one.start < now + LOOK + NOTICE]
        now += LOOK
    return tuple(sorted(made))


def _patterns(wanted: Need) -> list[Pattern]:
    return allowed(SHIFTS, 0, len(wanted.load) * wanted.bin_minutes + SHIFTS.step)


def _work(days: Sequence[Instance]) -> Work:
    rules = days[0].rules
    apart = np.concatenate([np.hypot(*(day.door - day.shop[day.store]).T) for day in days])
    ride = float(np.ceil(apart / rules.speed).mean())
    return Work(
        busy=rules.pickup + rules.dropoff + ride * (1 + APPROACH),
        ahead=ride * APPROACH + rules.pickup / 2,
        prepare=np.concatenate([day.ready - day.placed for day in days]),
    )


def staffed(day: Instance, shifts: Sequence[Pattern], draw: int = 0) -> Instance:
    """The day with these shifts; homes are drawn from the day's own couriers'."""
    order = np.random.default_rng([draw, 7]).permutation(len(day.home))
    who = order[np.arange(len(shifts)) % len(order)]
    return replace(
        day,
        couriers=[f"p{number}" for number in range(len(shifts))],
        home=day.home[who],
        on=np.array([one.start for one in shifts]),
        off=np.array([one.end for one in shifts]),
    )


def served(day: Instance) -> Score:
    """What `timely` makes of the day. A broken rule of the format ends the run."""
    made = score(day, simulate(day, POLICIES["timely"], Settings()).log)
    if made.violations:
        raise SystemExit(f"{day.name}: {made.violations[0]}")
    return made


@cache
def as_it_was(folder: Path) -> tuple[Score, float]:
    day = load(folder)
    return served(day), float((day.off - day.on).sum()) / 60


@cache
def _day(folder: Path) -> Instance:
    return load(folder)


def run(folder: Path, how: How, against: str = "1") -> Ran:
    """One day of the shifts of history (s1); its orders are also those of s2, whose clock began elsewhere."""
    day, parts = _day(folder), NAME.fullmatch(folder.name)
    assert parts
    twins = [path for path in folder.parent.iterdir() if path.name[1:] == folder.name[1:] and path != folder]
    others = [one for one in map(_day, sorted(twins)) if abs(int(one.off.max()) - int(day.off.max())) <= AS_LONG]
    shifts = opened(others, how, day.placed) if how.opened else roster(others, how, len(day.orders))
    before, hours = as_it_was(folder.with_name(folder.name.replace("s1", f"s{against}")))
    paid = sum(one.end - one.start for one in shifts) / 60
    return Ran(int(parts["seed"]), hours, paid, before, served(staffed(day, shifts)))


HEADS = (
    "volume", "level", "days", "hours before", "hours", "saved %", "click-to-door before", "after", "change ± error",
    "90th", "undelivered %", "within target %",
)  # fmt: skip


def line(how: How, which: str, ran: Sequence[Ran]) -> list[str]:
    """Means over days; the error is of the mean of the days' differences, each seed counted once."""
    change = [one.after.click - one.before.click for one in ran]
    seeds = sorted({one.seed for one in ran})
    by_seed = [fmean(c for c, one in zip(change, ran, strict=True) if one.seed == seed) for seed in seeds]
    error = stdev(by_seed) / len(by_seed) ** 0.5 if len(by_seed) > 1 else float("nan")
    hours, paid = sum(one.hours for one in ran), sum(one.paid for one in ran)

    def both(name: str) -> str:
        return " → ".join(f"{fmean(getattr(getattr(one, at), name) for one in ran):.2f}" for at in ("before", "after"))

    return [
        how.says, f"{how.level:.2f}", f"{which} ({len(ran)})", f"{hours:.0f}", f"{paid:.0f}",
        f"{100 * (1 - paid / hours):.1f}", f"{fmean(one.before.click for one in ran):.2f}",
        f"{fmean(one.after.click for one in ran):.2f}", f"{fmean(change):+.2f} ± {error:.2f}",
        both("click90"), both("undelivered"), both("in_target"),
    ]  # fmt: skip


def noise(folders: Iterable[Path], draws: int = 5) -> float:
    """The standard deviation of click-to-door when the day's couriers only change homes with each other."""
    spreads = []
    for folder in folders:
        day = _day(folder)
        homes = [np.random.default_rng(draw).permutation(len(day.home)) for draw in range(draws)]
        spreads.append(stdev(served(replace(day, home=day.home[home])).click for home in homes))
    return fmean(spreads)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="days with this in their name")
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    days = [one for one in find(arguments.folder) if "s1" in one.name and arguments.only in one.name]
    print(
        f"python -m bench.roster DIR · {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    print("| " + " | ".join(HEADS) + " |\n|" + "---|" * len(HEADS))
    plans = [(How(level, 1.0), "1") for level in LEVELS] + [(How(level, None), "1") for level in (0.93, *LEVELS[3:])]
    plans += [(How(level, None, opened=True), "1") for level in (LEVEL, 0.96, 0.97)]
    plans += [(How(LEVEL, told), "1") for told in (0.9, 1.1)] + [(How(LEVEL, 1.0), "2")]
    with ProcessPoolExecutor(arguments.workers) as pool:
        for how, against in plans:
            ran = list(pool.map(partial(run, how=how, against=against), days))
            _print(how, ran, against)
    print(f"homes changed among the couriers of a day: ± {noise(days[:: max(len(days) // 5, 1)]):.2f} minutes")


def _print(how: How, ran: list[Ran], against: str) -> None:
    beside = "" if against == "1" else ", before: s2"
    rows = [("all", ran)]
    rows += [("seeds 0-1", [one for one in ran if one.seed in CHOSEN_ON])]
    rows += [("seeds 2-4", [one for one in ran if one.seed not in CHOSEN_ON])]
    if how.level == LEVEL and how.told in (None, 1.0) and not beside:
        rows += [(f"seed {seed}", [one for one in ran if one.seed == seed]) for seed in sorted({o.seed for o in ran})]
    for which, some in rows:
        if some:
            print("| " + " | ".join(line(how, which + beside, some)) + " |", flush=True)


if __name__ == "__main__":
    main()
