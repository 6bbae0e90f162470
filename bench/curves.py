"""Curves over sizes, both axes logarithmic, as an SVG that needs nothing: rows of measures, columns of axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

Line = list[tuple[int, float]]
Panels = Mapping[str, Mapping[str, Line]]

WIDE, HIGH, LEFT, TOP = 300, 200, 56, 34
STYLE = "text{font:12px sans-serif}.grid{stroke:#ccc}.title{font-weight:600}"


def drawn(title: str, rows: Sequence[tuple[str, Panels]]) -> str:
    """`rows`: a measure's name and its panels; a panel is an axis with a line of (size, value) for each name."""
    names = list(dict.fromkeys(name for _, panels in rows for lines in panels.values() for name in lines))
    colours = {name: f"hsl({number * 360 // max(1, len(names))} 60% 40%)" for number, name in enumerate(names)}
    parts = []
    for place, (measure, panels) in enumerate(rows):
        values = [value for lines in panels.values() for line in lines.values() for _, value in line]
        decades = _decades(values)
        above = place * (HIGH + TOP + 40) + TOP
        parts.append(f'<text class="title" x="4" y="{above - 18}">{measure}</text>')
        for column, (axis, lines) in enumerate(panels.items()):
            parts += _panel(axis, lines, decades, colours, (column * (WIDE + LEFT) + LEFT, above))
    columns = max(len(panels) for _, panels in rows)
    wide, under = columns * (WIDE + LEFT) + LEFT, len(rows) * (HIGH + TOP + 40) + 10
    each = (wide - LEFT) // 3
    for number, (name, colour) in enumerate(colours.items()):
        x, y = LEFT + number % 3 * each, under + number // 3 * 18
        parts.append(f'<text x="{x}" y="{y}" fill="{colour}">■ {name}</text>')
    high = under + (len(names) + 2) // 3 * 18
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}"><style>{STYLE}</style>'
    back = f'<rect width="{wide}" height="{high}" fill="#fff"/>'
    return f"{head}<title>{title}</title>{back}{''.join(parts)}</svg>\n"


def _decades(values: Sequence[float]) -> tuple[int, int]:
    """The powers of ten that hold all of `values`."""
    kept = [value for value in values if value > 0]
    return math.floor(math.log10(min(kept))), math.ceil(math.log10(max(kept)))


def _panel(
    axis: str,
    lines: Mapping[str, Line],
    decades: tuple[int, int],
    colours: Mapping[str, str],
    corner: tuple[int, int],
) -> list[str]:
    sizes = sorted({size for line in lines.values() for size, _ in line})
    low, last = math.log10(sizes[0]), math.log10(sizes[-1])
    left, above = corner

    def x(size: int) -> float:
        return left + (math.log10(size) - low) / max(0.01, last - low) * (WIDE - 30)

    def y(value: float) -> float:
        part = (math.log10(value) - decades[0]) / max(1, decades[1] - decades[0])
        return above + HIGH * (1 - part)

    parts = []
    for decade in range(decades[0], decades[1] + 1):
        at = y(10.0**decade)
        parts.append(f'<path class="grid" d="M{x(sizes[0]):.0f} {at:.0f}H{x(sizes[-1]):.0f}"/>')
        parts.append(f'<text x="{left - 6}" y="{at + 4:.0f}" text-anchor="end">{10.0**decade:,g}</text>')
    for size in sizes:
        anchor = "start" if size == sizes[0] else "end" if size == sizes[-1] else "middle"
        parts.append(f'<text x="{x(size):.0f}" y="{above + HIGH + 16}" text-anchor="{anchor}">{size:,}</text>')
    parts.append(f'<text x="{x(sizes[-1]):.0f}" y="{above - 6}" text-anchor="end">{axis}</text>')
    for name, line in lines.items():
        path = "L".join(f"{x(size):.0f} {y(max(value, 10.0 ** decades[0])):.0f}" for size, value in sorted(line))
        parts.append(f'<path d="M{path}" fill="none" stroke="{colours[name]}" stroke-width="2"/>')
    return parts
