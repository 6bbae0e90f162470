"""One row for each thing tried, as Markdown, so that it goes into docs/ as it was printed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass

HEAD = ("test", "scenario", "N", "accepted", "refused", "invariants", "seed", "notes")


@dataclass(frozen=True)
class Row:
    """What one test did: its number in the list of tests, what it tried, and what came of it, as text."""

    test: str
    scenario: str
    n: str = ""
    accepted: str = ""
    refused: str = ""
    invariants: str = ""
    seed: str = ""
    notes: str = ""


def print_table(rows: Iterable[Row], write: Callable[[str], None]) -> None:
    """Write the rows by their tests' numbers (S2 before S10); nothing when there are none."""
    ordered = sorted(rows, key=lambda row: [int(part) if part.isdigit() else part for part in _parts(row.test)])
    if not ordered:
        return
    for cells in (HEAD, ["---"] * len(HEAD), *(astuple(row) for row in ordered)):
        write(f"| {' | '.join(cells)} |")


def _parts(test: str) -> list[str]:
    letters, number = re.fullmatch(r"([A-Z]*)(\d*).*", test).groups()  # type: ignore[union-attr]
    return [letters, number or "0"]
