"""Small maps of the city's streets as SVG, drawn by the server. Colours come from the page's CSS."""

from __future__ import annotations

from uuid import UUID

from highstreet.delivery.routing import reads as routing

from .rules import View

LAYERS = ("water", "green", "path", "minor", "major")
# Where a map is a picture of its own, the page's CSS does not reach it: (fill, stroke, width).
PLAIN = {
    "water": ("#cfe0f2", "none", 0),
    "green": ("#d8e8d5", "none", 0),
    "path": ("none", "#ffffff", 1),
    "minor": ("none", "#ffffff", 2.5),
    "major": ("none", "#ffffff", 5),
}


def layers(city_id: UUID, view: View) -> list[tuple[str, str]]:
    """(class, path data) in the order to draw."""
    drawn = routing.svg(city_id, view.box, view.width)
    return [(name, drawn[name]) for name in LAYERS if drawn.get(name)]


def picture(city_id: UUID, view: View, pins: list[tuple[float, float, str]]) -> str:
    """A whole SVG file: streets, and pins of (lat, lon, colour)."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {view.width} {view.height}" '
        f'width="{view.width}" height="{view.height}"><rect width="100%" height="100%" fill="#efede7"/>'
    ]
    for name, data in layers(city_id, view):
        fill, stroke, width = PLAIN[name]
        parts.append(
            f'<path d="{data}" fill="{fill}" stroke="{stroke}" stroke-width="{width}" stroke-linejoin="round"/>'
        )
    for lat, lon, colour in pins:
        x, y = view.at((lat, lon))
        if 0 <= x <= view.width and 0 <= y <= view.height:
            parts.append(f'<circle cx="{x}" cy="{y}" r="8" fill="{colour}" stroke="#fff" stroke-width="3"/>')
    return "".join([*parts, "</svg>"])
