"""Why a delivery comes later than promised: the one cause that holds now. Plain values; no clock, no database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Cause = Literal[
    "",
    "goods_awaited",
    "not_packed",
    "other_store",
    "no_courier",
    "other_courier",
    "other_door",
    "courier_late",
    "packed_late",
    "slow_ride",
]
# Less is in time: promises are told in minutes.
LATE_SECONDS = 60
# So little after its time is no cause, of a store that packs and of a courier who takes what is packed.
PACKING, TAKING = timedelta(minutes=1), timedelta(minutes=5)
# How far a delivery is, as far as somebody who waits for it is concerned. An offer is not a courier yet.
IN_STORE = "in_store"
_NOBODYS = ("waiting", "assigned")
_CARRIED = ("picked_up", "at_door")
MOVING = (IN_STORE, *_NOBODYS, "accepted", "at_store", *_CARRIED)


@dataclass(frozen=True)
class Facts:
    """What is known at `now`. `status`: the delivery's, or `IN_STORE` while no store has accepted the order.

    `other_courier`: somebody who had accepted it does not bring it. `other_store`: another store had it first.
    """

    now: datetime
    status: str
    ready_by: datetime
    ready_at: datetime | None = None
    picked_up_at: datetime | None = None
    stops_before: int = 0
    other_courier: bool = False
    other_store: bool = False

    @property
    def overdue(self) -> bool:
        """Whether it should be packed and is not."""
        return self.ready_at is None and self.now >= self.ready_by + PACKING

    @property
    def taken_late(self) -> bool:
        packed = max(self.ready_at or self.ready_by, self.ready_by)
        return self.status not in _CARRIED or (self.picked_up_at or self.now) >= packed + TAKING


# The first that holds. While goods are not packed it is the store, whoever else is missing too; then who is missing;
# on the way, and at the store with everything there, what made it late before.
_TABLE: tuple[tuple[Cause, Callable[[Facts], bool]], ...] = (
    ("goods_awaited", lambda now: now.overdue and now.status == "at_store"),
    ("not_packed", lambda now: now.overdue),
    ("other_store", lambda now: now.other_store and now.ready_at is None),
    ("other_courier", lambda now: now.other_courier and now.status in _NOBODYS),
    ("no_courier", lambda now: now.status in _NOBODYS),
    ("other_door", lambda now: now.stops_before > 0),
    ("other_courier", lambda now: now.other_courier),
    ("other_store", lambda now: now.other_store),
    ("not_packed", lambda now: now.status == IN_STORE),
    ("courier_late", lambda now: now.status == "accepted"),
    ("packed_late", lambda now: now.ready_at is not None and now.ready_at >= now.ready_by + PACKING),
    ("courier_late", lambda now: now.taken_late),
    ("slow_ride", lambda now: True),
)


def cause(facts: Facts, late_seconds: float) -> Cause:
    """Why it is expected `late_seconds` after its promise; "" when that is in time, or it is not on its way."""
    if late_seconds < LATE_SECONDS or facts.status not in MOVING:
        return ""
    return next(name for name, holds in _TABLE if holds(facts))
