"""Days in MDRPLib's format: made, simulated under every policy without breaking a rule, scored from the log alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ..engine import POLICIES
from ..engine.days.bench import run
from ..engine.days.generate import write
from ..engine.days.instances import BadInstance, Instance, find, load
from ..engine.days.score import read_log, score, write_log
from ..engine.days.simulate import Event, Settings, simulate

SMALL = {"orders": 90, "shops": 8, "couriers": 14}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("days")
    write(made, 3, 2, **SMALL)
    return made


@pytest.fixture(scope="module")
def day(folder: Path) -> Instance:
    return load(find(folder)[0])


@pytest.fixture(scope="module")
def kept(day: Instance) -> tuple[Event, ...]:
    """The log of that day under our own policy."""
    return tuple(simulate(day, POLICIES["timely"], Settings()).log)


def texts(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*.txt"))}


def test_the_same_numbers_make_the_same_days(folder: Path, tmp_path: Path) -> None:
    write(tmp_path, 3, 2, **SMALL)
    assert texts(folder) == texts(tmp_path) and len(texts(folder)) == 10
    other = tmp_path / "other"
    write(other, 4, 1, **SMALL)
    assert set(texts(other).values()).isdisjoint(set(texts(folder).values()) - {next(iter(parameters(folder)))})


def parameters(folder: Path) -> set[str]:
    return {text for name, text in texts(folder).items() if "parameters" in name}


def test_a_made_up_day_has_two_peaks_and_is_never_quite_what_was_told(day: Instance) -> None:
    hours = np.bincount(day.placed // 60, minlength=14)
    assert hours[2:4].sum() > 2 * hours[5:7].sum() < hours[8:10].sum()
    assert (day.expected != day.ready).mean() > 0.8 and abs(float((day.ready - day.expected).mean())) < 4
    assert 0.02 < (day.refusals > 0).mean() < 0.3
    assert (day.ready > day.placed).all()


@pytest.mark.parametrize("policy", sorted(POLICIES))
@pytest.mark.parametrize("settings", [Settings(), Settings("mean"), Settings(may_move=False)], ids=str)
def test_no_policy_breaks_a_rule(policy: str, settings: Settings, day: Instance) -> None:
    log = simulate(day, POLICIES[policy], settings).log
    made = score(day, log)
    assert made.violations == []
    assert made.delivered > 0.8 * made.orders and made.click > made.bound - 1
    assert simulate(day, POLICIES[policy], settings).log == log


def test_what_is_refused_is_brought_by_another(day: Instance, kept: tuple[Event, ...]) -> None:
    brought = {name for event in kept if event[2] == "dropoff" for name in event[4]}
    refused = {name for name, times in zip(day.orders, day.refusals, strict=True) if times}
    assert refused and refused <= brought


def first(log: list[Event], kind: str) -> int:
    return next(number for number, event in enumerate(log) if event[2] == kind)


def earlier(kind: str, minutes: float) -> Callable[[list[Event]], None]:
    def change(log: list[Event]) -> None:
        number = first(log, kind)
        log[number] = (log[number][0] - minutes, *log[number][1:])

    return change


def without(kind: str) -> Callable[[list[Event]], None]:
    return lambda log: log.pop(first(log, kind)) and None


def by_another(log: list[Event]) -> None:
    number = first(log, "pickup")
    event = log[number]
    other = next(one[1] for one in log if one[1] != event[1])
    log[number] = (event[0], other, *event[2:])


def twice(log: list[Event]) -> None:
    log.append(log[first(log, "assign")])


def from_nowhere(log: list[Event]) -> None:
    number = first(log, "move")
    log[number] = (*log[number][:3], f"r1>{log[number][3].partition('>')[2]}", ())


def after_the_shift(log: list[Event]) -> None:
    log[:] = [(event[0] + 2000, *event[1:]) for event in log]


@pytest.mark.parametrize(
    "spoil",
    [
        earlier("pickup", 60),
        earlier("arrive", 3),
        earlier("dropoff", 4),
        earlier("assign", 800),
        earlier("move", 900),
        without("arrive"),
        without("move"),
        without("assign"),
        without("pickup"),
        without("dropoff"),
        by_another,
        twice,
        from_nowhere,
        after_the_shift,
    ],
)
def test_a_log_that_breaks_a_rule_is_found_out(
    spoil: Callable[[list[Event]], None], day: Instance, kept: tuple[Event, ...]
) -> None:
    log = list(kept)
    assert score(day, list(log)).violations == []
    spoil(log)
    assert score(day, log).violations


def test_the_figures_are_the_logs(day: Instance, kept: tuple[Event, ...]) -> None:
    """By hand: from the drop-offs and pick-ups of the log, not by what the score remembers."""
    log = list(kept)
    made, placed = score(day, log), dict(zip(day.orders, day.placed.tolist(), strict=True))
    click = [event[0] - placed[event[4][0]] for event in log if event[2] == "dropoff"]
    bundles = [len(event[4]) for event in log if event[2] == "pickup"]
    assert made.click == pytest.approx(float(np.mean(click)))
    assert made.delivered == len(click) and made.bundle == pytest.approx(float(np.mean(bundles)))
    assert made.undelivered == pytest.approx(100 * (1 - len(click) / len(day.orders)))


def test_a_log_is_read_as_it_was_written(kept: tuple[Event, ...], tmp_path: Path) -> None:
    log = list(kept)
    write_log(tmp_path / "log.csv", log)
    assert read_log(tmp_path / "log.csv") == [(float(event[0]), *event[1:]) for event in log]


def test_a_broken_file_is_named(folder: Path, tmp_path: Path) -> None:
    for name, text in texts(find(folder)[0]).items():
        (tmp_path / name).write_text(text)
    (tmp_path / "orders.txt").write_text("order\tx\ty\nfirst\t1\n")
    with pytest.raises(BadInstance, match=str(tmp_path)):
        load(tmp_path)


def test_our_own_policy_brings_it_sooner_than_the_others(folder: Path) -> None:
    """The same days always give the same figures, so what is lost by a change of the engine is seen here."""
    click = {}
    for name in (*POLICIES, "serving"):
        ran = [run(path, name, Settings(), None) for path in find(folder)]
        assert all(one.score.undelivered == 0 for one in ran), name
        click[name] = float(np.mean([one.score.click - one.score.bound for one in ran]))
    # 9.66, 10.33, 12.27 and 15.62 minutes beyond the bound when this was written.
    assert click["timely"] < 9.9 and click["serving"] < 10.6, click
    assert click["serving"] < click["matching"] < click["nearest"], click
