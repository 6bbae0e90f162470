"""Shifts of a day as the simulator has them: who is there when, what of it is paid, more or fewer of them.

Minutes since the day began, metres on a plane.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

HOUR = 60
# A shift that nobody ended is not drawn for ever.
MOST_HOURS = 36
Stretch = tuple[float, float]
Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Turn:
    """A courier's shift [on, off) and where it begins.

    `breaks` are unpaid and lie inside it, in their sequence. `pace`: by how much longer its vehicle takes than a
    bicycle. `courier`: whose it is, "" where nobody is named. `guaranteed`: minutes of guaranteed pay.
    """

    id: str
    home: tuple[float, float]
    on: float
    off: float
    breaks: tuple[Stretch, ...] = ()
    pace: float = 1.0
    courier: str = ""
    guaranteed: int = 0

    @property
    def paid(self) -> float:
        """Minutes."""
        return self.off - self.on - sum(until - since for since, until in self.breaks)

    @property
    def stretches(self) -> list[Stretch]:
        """When orders may come: what the breaks leave of it."""
        made, at = [], self.on
        for since, until in (*self.breaks, (self.off, self.off)):
            if since > at:
                made.append((at, since))
            at = max(at, until)
        return made


def resized(turns: Sequence[Turn], per_cent: int) -> list[Turn]:
    """So many per cent of the couriers: evenly left out, or evenly doubled, in the order of their beginning. Who is
    doubled is another courier the second time."""
    ordered = sorted(turns, key=lambda turn: (turn.on, turn.id))
    wanted = max(1, round(len(ordered) * per_cent / 100)) if ordered else 0
    made: list[Turn] = []
    again = before = -1
    for number in range(wanted):
        place = number * len(ordered) // wanted
        again, before = again + 1 if place == before else 0, place
        turn = ordered[place]
        whose = turn.courier or turn.id
        made.append(replace(turn, id=f"{turn.id} #{number}", courier=f"{whose} #{again}" if again else whose))
    return made


def on_duty(turns: Sequence[Turn]) -> list[float]:
    """Couriers there in each hour from midnight on, without breaks; a part of an hour is a part of a courier."""
    times = [(max(on, 0.0), off) for turn in turns for on, off in turn.stretches if off > 0]
    hours = min(-(-int(max((off for _, off in times), default=0.0)) // HOUR), MOST_HOURS)
    return [
        round(sum(max(0.0, min(off, at + HOUR) - max(on, at)) for on, off in times) / HOUR, 2)
        for at in range(0, hours * HOUR, HOUR)
    ]


def spread(counts: Mapping[Kind, int], number: int) -> list[Kind]:
    """So many of these kinds in proportion to their counts, mixed as evenly as whole ones can be; at a tie the first.
    [] where nothing is counted."""
    total = sum(counts.values())
    given = dict.fromkeys(counts, 0)
    made: list[Kind] = []
    while total and len(made) < number:
        lacks = {kind: count * (len(made) + 1) / total - given[kind] for kind, count in counts.items()}
        most = max(lacks, key=lambda kind: round(lacks[kind], 9))
        given[most] += 1
        made.append(most)
    return made
