"""Fleets' codes in our words and back, what is news, when we try again and when we give up. Plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from highstreet.delivery.dispatch.rules import ends

WECHAT, MEITUAN = "wechat", "meituan"


@dataclass(frozen=True)
class Code:
    """A fleet's code: the state of our delivery that it means, and why, where a code says it."""

    state: str
    reason: str = ""


# WeChat instant delivery, `order_status`. 102: a courier took it. 301 says again that it is on the way.
WECHAT_CODES: Mapping[str, Code] = {
    "101": Code("waiting"),
    "102": Code("accepted"),
    "103": Code("cancelled", "by_us"),
    "201": Code("at_store"),
    "202": Code("picked_up"),
    "203": Code("cancelled", "by_us"),
    "204": Code("cancelled", "courier"),
    "205": Code("cancelled", "store"),
    "301": Code("picked_up"),
    "302": Code("delivered"),
    "303": Code("failed", "called_back"),
    "304": Code("failed", "nobody_home"),
    "305": Code("failed", "refused"),
    "401": Code("returned"),
    "501": Code("cancelled", "no_courier"),
    "502": Code("cancelled", "force_majeure"),
}
# Meituan delivery, `status`. It has no words for a courier at the store or the door, nor for a way back.
MEITUAN_CODES: Mapping[str, Code] = {
    "0": Code("waiting"),
    "20": Code("accepted"),
    "30": Code("picked_up"),
    "50": Code("delivered"),
    "99": Code("cancelled", "fleet"),
}
CODES: Mapping[str, Mapping[str, Code]] = {WECHAT: WECHAT_CODES, MEITUAN: MEITUAN_CODES}
# And back: what a fleet would call each state of ours. Where it has no word, the nearest that has been passed.
WORDS: Mapping[str, Mapping[str, str]] = {
    WECHAT: {
        "waiting": "101",
        "assigned": "101",
        "accepted": "102",
        "at_store": "201",
        "picked_up": "202",
        "at_door": "301",
        "delivered": "302",
        "failed": "304",
        "returned": "401",
        "cancelled": "103",
    },
    MEITUAN: {
        "waiting": "0",
        "assigned": "0",
        "accepted": "20",
        "at_store": "20",
        "picked_up": "30",
        "at_door": "30",
        "delivered": "50",
        "failed": "30",
        "returned": "99",
        "cancelled": "99",
    },
}
# Nothing comes after these. "failed" is before them: a bag that could not be handed over is brought back, or is after
# all handed over.
FINAL = frozenset({"delivered", "returned", "cancelled"})
RANK = {
    state: rank for rank, state in enumerate(("waiting", "accepted", "at_store", "picked_up", "at_door", "failed"))
} | dict.fromkeys(FINAL, 9)
CARRIED = frozenset({"picked_up", "at_door", "failed"})

# How long before we call again after the first, second … failed try; then the last.
CREATE_WAITS = (5, 15, 45, 120)
STOP_WAITS = (5, 15, 45)
# How many orders a delivery may become at fleets, and how long before the second and the third.
ATTEMPTS = 3
ATTEMPT_WAITS = (0, 10, 60)
# A fleet is asked so long before a window that the shopper chose: for somebody to take it, to come and to ride.
BEFORE_WINDOW = timedelta(minutes=20)
SILENT = timedelta(minutes=3)
GIVE_UP_SILENT = timedelta(minutes=20)
GIVE_UP_UNTAKEN = timedelta(minutes=15)
GIVE_UP_LATE = ends.GIVE_UP_LATE
LOST_AFTER = timedelta(hours=3)
BACK_WITHIN = ends.BACK_WITHIN


def meaning(provider: str, code: str) -> Code | None:
    """What a fleet's code means to us; None for a code that we have never heard of."""
    return CODES[provider].get(code)


def word(provider: str, state: str) -> str:
    """What a fleet calls a state of ours."""
    return WORDS[provider][state]


def is_news(known: str, told: str) -> bool:
    """Whether `told` is farther than what we know. Never back, and never from one end to another."""
    return RANK[told] > RANK[known]


def wait(waits: tuple[int, ...], tries: int) -> timedelta:
    """How long to wait after `tries` (1 or more) failed ones."""
    return timedelta(seconds=waits[min(tries, len(waits)) - 1])


def given_up(told: str, now: datetime, *, since: datetime, heard_at: datetime, promised_to: datetime) -> str:
    """Why we no longer wait for a fleet; "" while we do. `since`: when `told` was first told.

    Before the pick-up it is called off; after it the bag is lost, if it is not brought back in time.
    """
    if told == "failed":
        return "not_back" if now - since > BACK_WITHIN else ""
    if told in CARRIED:
        return "lost" if now - promised_to > LOST_AFTER else ""
    if told == "waiting" and now - since > GIVE_UP_UNTAKEN:
        return "untaken"
    if now - heard_at > GIVE_UP_SILENT:
        return "silent"
    return "late" if now - promised_to > GIVE_UP_LATE else ""


def weight_kg(units: int) -> int:
    """What a bag weighs, for a fleet that wants to know: half a kilogramme a unit, for our goods name no weight."""
    return max(1, units // 2)


def phone_tail(phone: str) -> str:
    """The last four digits; "" of what is no phone, or too short to hide anything."""
    digits = "".join(char for char in phone if char.isascii() and char.isdigit())
    return digits[-4:] if len(digits) >= 8 else ""


# Krasovsky 1940's axis and eccentricity, and the box outside which China's maps are not shifted.
_AXIS, _ECCENTRICITY = 6378245.0, 0.00669342162296594323
_SOUTH, _NORTH, _WEST, _EAST = 0.8293, 55.8271, 72.004, 137.8347


def gcj02(lat: float, lon: float) -> tuple[float, float]:
    """A WGS-84 point as maps in China have it (GCJ-02), which their fleets ask for. Elsewhere the point itself."""
    if not (_SOUTH <= lat <= _NORTH and _WEST <= lon <= _EAST):
        return lat, lon
    x, y = lon - 105.0, lat - 35.0

    def waves(*terms: tuple[float, float]) -> float:
        return sum(size * math.sin(turn * math.pi) for size, turn in terms) * 2.0 / 3.0

    both = waves((20.0, 6.0 * x), (20.0, 2.0 * x))
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + both
    north += waves((20.0, y), (40.0, y / 3.0)) + waves((160.0, y / 12.0), (320.0, y / 30.0))
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + both
    east += waves((20.0, x), (40.0, x / 3.0)) + waves((150.0, x / 12.0), (300.0, x / 30.0))
    angle = math.radians(lat)
    bent = 1.0 - _ECCENTRICITY * math.sin(angle) ** 2
    north = north * 180.0 / (_AXIS * (1.0 - _ECCENTRICITY) / (bent * math.sqrt(bent)) * math.pi)
    east = east * 180.0 / (_AXIS / math.sqrt(bent) * math.cos(angle) * math.pi)
    return lat + north, lon + east
