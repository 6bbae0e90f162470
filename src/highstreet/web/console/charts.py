"""Bars as plain geometry, for an SVG that the server draws. Whole pixels; no Django."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT = 160
BASE = 136
TOP = 12
SLOT, BAR = 28, 18
MANY, NARROW_SLOT, NARROW_BAR = 14, 20, 14
LEFT = 36


@dataclass(frozen=True)
class Bar:
    """Kept below, broken above; `label` under the bar where there is room, `shown` on it."""

    x: int
    middle: int
    kept_y: int
    kept_h: int
    broken_y: int
    broken_h: int
    label: str
    total: int


@dataclass(frozen=True)
class Chart:
    """`width` grows with the bars; grid lines are (y, value)."""

    width: int
    height: int
    bar: int
    bars: list[Bar]
    grid: list[tuple[int, int]]


def stacked(rows: Sequence[tuple[str, int, int]], labels: int = 12) -> Chart:
    """(label, kept, broken) as stacked bars on one scale; about `labels` of them are named."""
    most = top_of(max((kept + broken for _, kept, broken in rows), default=0))
    every = max(1, -(-len(rows) // labels))
    slot, bar = (SLOT, BAR) if len(rows) <= MANY else (NARROW_SLOT, NARROW_BAR)
    bars = []
    for index, (label, kept, broken) in enumerate(rows):
        x = LEFT + index * slot + (slot - bar) // 2
        # What happened is seen: at least two pixels.
        low = max(2, (BASE - TOP) * kept // most) if kept else 0
        high = max(2, (BASE - TOP) * broken // most) if broken else 0
        bars.append(
            Bar(
                x,
                x + bar // 2,
                BASE - low,
                low,
                BASE - low - high,
                high,
                label if index % every == 0 else "",
                kept + broken,
            )
        )
    grid = [(BASE - (BASE - TOP) * part // 2, most * part // 2) for part in (0, 1, 2)]
    return Chart(LEFT + max(1, len(rows)) * slot + 4, HEIGHT, bar, bars, grid)


def top_of(value: int) -> int:
    """The round number at the top of the scale: 2, 4, 10, 20, 40, 100 …"""
    scale = 1
    while True:
        for step in (2, 4, 10):
            if value <= step * scale:
                return step * scale
        scale *= 10


FINE_SLOT, FINE_BAR = 8, 6


@dataclass(frozen=True)
class Part:
    """A piece of a pile."""

    kind: str
    x: int
    y: int
    h: int


@dataclass(frozen=True)
class Piles:
    """Narrow bars of several kinds on one scale, and lines over them (kind, points); labels are (x, text)."""

    width: int
    height: int
    bar: int
    parts: list[Part]
    lines: list[tuple[str, str]]
    labels: list[tuple[int, str]]
    grid: list[tuple[int, str]]


def piles(
    rows: Sequence[tuple[str, Sequence[tuple[str, int]]]],
    lines: Sequence[tuple[str, Sequence[int]]] = (),
    scale: int = 1,
) -> Piles:
    """(label or "", its pieces from the bottom up) as bars, and lines of as many values; the grid counts in `scale`."""
    tallest = max((sum(value for _, value in pieces) for _, pieces in rows), default=0)
    tallest = max([tallest, *(value for _, values in lines for value in values)])
    most = top_of(-(-tallest // scale)) * scale
    parts, labels = [], []
    for at, (label, pieces) in enumerate(rows):
        x, y = LEFT + at * FINE_SLOT + 1, BASE
        for kind, value in pieces:
            if value:
                high = max(1, (BASE - TOP) * value // most)
                y -= high
                parts.append(Part(kind, x, y, high))
        if label:
            labels.append((x + FINE_BAR // 2, label))
    drawn = [
        (
            kind,
            " ".join(
                f"{LEFT + at * FINE_SLOT + FINE_SLOT // 2},{BASE - (BASE - TOP) * value // most}"
                for at, value in enumerate(values)
            ),
        )
        for kind, values in lines
    ]
    grid = [(BASE - (BASE - TOP) * part // 2, _tick(most * part / 2 / scale)) for part in (0, 1, 2)]
    return Piles(LEFT + max(1, len(rows)) * FINE_SLOT + 20, HEIGHT, FINE_BAR, parts, drawn, labels, grid)


def _tick(value: float) -> str:
    return f"{value:g}"


@dataclass(frozen=True)
class Column:
    """Who is there, from the base up; `gap` on top of it where more are needed."""

    x: int
    y: int
    h: int
    gap_y: int
    gap_h: int
    label: str


@dataclass(frozen=True)
class Against:
    """Columns without gaps between them, and the need as one line of steps over them (an SVG path)."""

    width: int
    height: int
    step: int
    columns: list[Column]
    line: str
    grid: list[tuple[int, int]]


STEP, EVERY = 10, 6


def against(
    rows: Sequence[tuple[str, int, int]], missing: bool = True, step: int = STEP, every: int = EVERY, scale: int = 1
) -> Against:
    """(label, there, needed) side by side, `step` pixels each; one of `every` is named, and the grid counts in `scale`.
    Where nothing is planned at all, nothing is `missing` yet."""
    most = top_of(-(-max((max(there, needed) for _, there, needed in rows), default=0) // scale)) * scale
    columns, line = [], ""
    for index, (label, there, needed) in enumerate(rows):
        x, up, want = LEFT + index * step, (BASE - TOP) * there // most, (BASE - TOP) * needed // most
        gap = max(want - up, 0) if missing else 0
        name = label if index % every == 0 else ""
        columns.append(Column(x, BASE - up, up, BASE - up - gap, gap, name))
        line += f"{'L' if line else 'M'}{x} {BASE - want}H{x + step}"
    grid = [(BASE - (BASE - TOP) * part // 2, most * part // 2 // scale) for part in (0, 1, 2)]
    return Against(LEFT + max(1, len(rows)) * step + 24, HEIGHT, step, columns, line, grid)
