"""Hours and reach of a store."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

EARTH_M = 6_371_008.8


def metres(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance (haversine) in metres between two WGS-84 points."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half_phi = (phi2 - phi1) / 2
    half_lambda = math.radians(lon2 - lon1) / 2
    chord = math.sin(half_phi) ** 2 + math.cos(phi1) * math.cos(phi2) * math.sin(half_lambda) ** 2
    return 2 * EARTH_M * math.asin(math.sqrt(chord))


def is_open(at: datetime, opens_minute: int, closes_minute: int, zone: ZoneInfo) -> bool:
    """Whether local [opens, closes) contains `at`."""
    local = at.astimezone(zone)
    minute = local.hour * 60 + local.minute
    return opens_minute <= minute < closes_minute


def next_opening(at: datetime, opens_minute: int, closes_minute: int, zone: ZoneInfo) -> datetime:
    """When it opens next; `at` itself when it is open."""
    if is_open(at, opens_minute, closes_minute, zone):
        return at
    local = at.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    opening = midnight + timedelta(minutes=opens_minute)
    if opening <= local:
        opening += timedelta(days=1)
    if not is_open(opening.astimezone(UTC), opens_minute, closes_minute, zone):
        # Its whole hour is left out where clocks go forward.
        opening += timedelta(days=1)
    return opening.astimezone(at.tzinfo)


def closing(at: datetime, closes_minute: int, zone: ZoneInfo) -> datetime:
    """When it closes on `at`'s local day."""
    local = at.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight + timedelta(minutes=closes_minute)).astimezone(at.tzinfo)
