"""What lately came of a city's promises, as the quantile of the next one needs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from highstreet.kernel import clock

from .. import rules
from ..engine.conformal import SETTINGS, owed, threshold

HOURS = 12
MOST_OPEN = 2000
WALL_SECONDS = 5.0
# How much another shop's outcome counts against one's own: its streets and couriers are the city's, its packers not.
ELSEWHERE = 0.3
# The last outcomes, and what is still open; of what was promised as soon as possible, which alone has a duration.
_LATELY = """
(SELECT store_id, made_at, (basis->>'expected')::timestamptz, promised_to, fulfilled_at
 FROM promise_promise WHERE city_id = %(city)s AND mode = %(mode)s AND fulfilled_at > %(since)s AND begins_at IS NULL
 ORDER BY fulfilled_at DESC LIMIT %(most)s)
UNION ALL
(SELECT store_id, made_at, (basis->>'expected')::timestamptz, promised_to, NULL
 FROM promise_promise WHERE city_id = %(city)s AND mode = %(mode)s AND outcome = 'open' AND made_at > %(since)s
 AND begins_at IS NULL ORDER BY made_at DESC LIMIT %(open)s)
"""


@dataclass(eq=False)
class Lately:
    """One city's promises of one mode, [n] each: whose, minutes since made, the score (so far), ended, late."""

    mode: str
    shops: NDArray[Any]
    ages: NDArray[np.float64]
    scores: NDArray[np.float64]
    ended: NDArray[np.bool_]
    late: NDArray[np.bool_]
    forgotten_at: float = 0.0
    _known: dict[tuple[UUID, int], float] = field(default_factory=dict)

    def residual(self, shop: UUID, quantile: int, duration: float) -> float:
        """Seconds after what is expected in `duration` seconds, so that `quantile` per cent of such promises hold."""
        score = self._known.get((shop, quantile))
        if score is None:
            score = self._known[shop, quantile] = self._score(shop, quantile)
        return rules.bounded(score * rules.spread_seconds(duration, self.mode), self.mode, quantile)

    def _score(self, shop: UUID, quantile: int) -> float:
        shares = np.where(self.shops == shop, 1.0, ELSEWHERE)
        decided = self.ended | self.late
        debt = owed(self.late[decided], quantile / 100, shares[decided])
        return threshold(self.scores, self.ended, self.ages, debt, quantile, rules.beliefs(self.mode), shares)


_recent: dict[tuple[UUID, str], Lately] = {}


def forget() -> None:
    """Drop what this process remembers for a few seconds."""
    _recent.clear()


def lately(city_id: UUID, mode: str, at: datetime) -> Lately:
    """One query, asked anew every few seconds."""
    kept = _recent.get((city_id, mode))
    if kept is not None and kept.forgotten_at > clock.wall():
        return kept
    made = _read(city_id, mode, at)
    made.forgotten_at = clock.wall() + WALL_SECONDS
    _recent[city_id, mode] = made
    return made


def _read(city_id: UUID, mode: str, at: datetime) -> Lately:
    with connection.cursor() as cursor:
        cursor.execute(
            _LATELY,
            {
                "city": city_id,
                "mode": mode,
                "since": at - timedelta(hours=HOURS),
                "most": SETTINGS.memory,
                "open": MOST_OPEN,
            },
        )
        rows = [row for row in cursor.fetchall() if row[2] is not None]
    scores = []
    for _, made_at, expected, _, fulfilled_at in rows:
        over = ((fulfilled_at or at) - expected).total_seconds()
        scores.append(over / rules.spread_seconds((expected - made_at).total_seconds(), mode))
    return Lately(
        mode,
        np.array([row[0] for row in rows], object),
        np.array([(at - row[1]).total_seconds() / 60 for row in rows], float),
        np.array(scores, float),
        np.array([row[4] is not None for row in rows], bool),
        np.array([(row[4] or at) > row[3] for row in rows], bool),
    )
