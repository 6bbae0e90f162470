"""Distances on the sphere and on a local plane."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_M = 6_371_008.8
DETOUR = 1.4  # streets against the straight line; the ratio usually found in gridded cities is 1.3 to 1.5

Mode = Literal["bike", "car", "walk"]
MODES: tuple[Mode, ...] = ("bike", "car", "walk")
Floats = NDArray[np.float64]
Box = tuple[float, float, float, float]

WALK_MPS = 4.8 / 3.6
STRAIGHT_MPS: dict[Mode, float] = {"bike": 17.0 / 3.6, "car": 20.0 / 3.6, "walk": WALK_MPS}


def haversine_m(a: ArrayLike, b: ArrayLike) -> Floats:
    """Great-circle metres between points `a` and `b`, each [..., 2] of (lat, lon), broadcast together."""
    left, right = np.radians(np.asarray(a, float)), np.radians(np.asarray(b, float))
    half = np.sin((right - left) / 2) ** 2
    chord = half[..., 0] + np.cos(left[..., 0]) * np.cos(right[..., 0]) * half[..., 1]
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(chord, 0.0, 1.0))), float)


def local_metres(points: ArrayLike, latitude: float) -> Floats:
    """(lat, lon) degrees [..., 2] as metres (north, east) on the plane that touches at `latitude`.

    Good to 0.1 % within a city, which is what a nearest-point search needs.
    """
    metres = np.radians(np.asarray(points, float)) * EARTH_RADIUS_M
    return np.asarray(metres * np.array([1.0, np.cos(np.radians(latitude))]), float)


def straight_seconds(sources: ArrayLike, targets: ArrayLike, mode: Mode) -> Floats:
    """Seconds [n, m] for [n, 2] to [m, 2] without streets: haversine x 1.4 at the mode's mean speed."""
    start, end = np.atleast_2d(np.asarray(sources, float)), np.atleast_2d(np.asarray(targets, float))
    return haversine_m(start[:, None, :], end[None, :, :]) * DETOUR / STRAIGHT_MPS[mode]
