"""What the fleet's couriers do, on the business clock. No HTTP here."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..rules import word
from .faults import Faults

COURIERS = (("张三", "13800001234"), ("李四", "13900005678"), ("王五", "13700009012"))
# From the order on: who takes it when, is at the store when, and how long the way is.
TAKEN, AT_STORE, PICKED_UP = timedelta(minutes=1), timedelta(minutes=4), timedelta(minutes=5)
AT_DOOR, DELIVERED, BACK = timedelta(minutes=7), timedelta(minutes=1), timedelta(minutes=10)
OVER = ("delivered", "returned", "cancelled")


@dataclass(frozen=True)
class Word:
    """Something to tell: a code at a moment, and who brings it."""

    code: str
    at: datetime
    name: str
    phone: str
    eta: datetime | None


@dataclass
class Ride:
    """One order. `plan` is what is still to come, by time; `words` what has been to tell."""

    dialect: str
    number: str
    waybill: str
    courier: tuple[str, str]
    faults: Faults
    plan: list[tuple[datetime, str]]
    state: str = "waiting"
    code: str = ""
    at: datetime | None = None
    words: list[Word] = field(default_factory=list)
    unsent: list[Word] = field(default_factory=list)

    @property
    def over(self) -> bool:
        return self.state in OVER


class Fleet:
    """All rides. `tell` is called for each callback that is to be sent, in the order of sending."""

    def __init__(self, now: Callable[[], datetime], tell: Callable[[Ride, Word], None], seed: int) -> None:
        self._now, self._tell = now, tell
        self._rng = random.Random(seed)
        self._rides: dict[tuple[str, str], Ride] = {}
        self.faults = Faults()

    def find(self, dialect: str, number: str) -> Ride | None:
        ride = self._rides.get((dialect, number))
        return None if ride is None or ride.faults.forget else ride

    def all(self) -> list[Ride]:
        return list(self._rides.values())

    def take(self, dialect: str, number: str, pick_up_at: datetime) -> Ride:
        """Begin a ride, or find the one that has this number."""
        known = self._rides.get((dialect, number))
        if known is not None:
            return known
        now = self._now()
        ride = Ride(
            dialect,
            number,
            f"{dialect[0]}{len(self._rides) + 1:09d}",
            self._rng.choice(COURIERS),
            self.faults,
            _plan(now, pick_up_at, self.faults),
        )
        self._rides[dialect, number] = ride
        self._say(ride, "waiting", now)
        return ride

    def cancel(self, ride: Ride) -> bool:
        """The shop calls it off: not any more once the courier has it."""
        if ride.over or ride.state in ("picked_up", "at_door", "failed"):
            return False
        ride.plan = []
        self._say(ride, "cancelled", self._now())
        return True

    def move(self) -> None:
        """Let happen what is due by now."""
        now = self._now()
        for ride in self._rides.values():
            while ride.plan and ride.plan[0][0] <= now:
                at, state = ride.plan.pop(0)
                self._say(ride, state, at, by_us=state == "cancelled")

    def _say(self, ride: Ride, state: str, at: datetime, *, by_us: bool = False) -> None:
        code = word(ride.dialect, state)
        if by_us and ride.dialect == "wechat":
            code = "501"
        if state == "failed" and ride.dialect == "meituan":
            # It has no word for a way back: the order ends as a cancelled one.
            state, code, ride.plan = "cancelled", word("meituan", "cancelled"), []
        ride.state, ride.at = state, at
        if code == ride.code:
            return
        ride.code = code
        name, phone = ride.courier if state != "waiting" else ("", "")
        eta = ride.plan[-1][0] if ride.plan and state in ("picked_up", "at_door") else None
        ride.words.append(Word(code, at, name, phone, eta))
        self._send(ride, ride.words[-1])

    def _send(self, ride: Ride, said: Word) -> None:
        faults = ride.faults
        if faults.silent or len(ride.words) <= faults.lose:
            return
        if not (faults.shuffle or faults.skip):
            due = [said]
        elif ride.over or not ride.plan:
            due = [said] if faults.skip else self._rng.sample([*ride.unsent, said], len(ride.unsent) + 1)
            ride.unsent = []
        else:
            ride.unsent.append(said)
            return
        for one in due:
            for _ in range(1 + faults.repeat):
                self._tell(ride, one)


def _plan(now: datetime, pick_up_at: datetime, faults: Faults) -> list[tuple[datetime, str]]:
    picked = max(pick_up_at, now + PICKED_UP)
    door = picked + AT_DOOR
    ahead = [(now + TAKEN, "accepted"), (now + AT_STORE, "at_store"), (picked, "picked_up"), (door, "at_door")]
    ahead = sorted(ahead, key=lambda step: step[0])
    if faults.nobody_home:
        ahead += [(door + DELIVERED, "failed"), (door + BACK, "returned")]
    else:
        ahead.append((door + DELIVERED, "delivered"))
    states = ["waiting", *(state for _, state in ahead)]
    if faults.stuck_at in states:
        ahead = ahead[: states.index(faults.stuck_at)]
    if faults.cancel_at in states:
        upto = states.index(faults.cancel_at)
        last = ahead[upto - 1][0] if upto else now
        ahead = [*ahead[:upto], (last + timedelta(seconds=30), "cancelled")]
    return ahead
