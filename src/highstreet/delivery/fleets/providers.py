"""Fleets' providers by name. A provider speaks a fleet's protocol and answers in the words below.

Unknown outcomes raise `FleetUnavailable`, a no `FleetRefused`; a message that is not the fleet's raises `Forged`.
None of them touches the database, and none is called inside a transaction but `verify` and `read`, which call nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from highstreet.kernel.outward import Barred, Unreachable, outward
from highstreet.kernel.refusal import Refused

from .refusals import UNKNOWN_FLEET

MOST_BODY = 64 * 1024
# WeChat's access tokens stand in the address and may have 512 characters.
MOST_URL = 2000


class FleetUnavailable(Exception):
    """No answer, or one that says nothing: it may have been done. Asked again, with the same number."""


class FleetRefused(Exception):
    """The fleet says no; `code` is its own."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Forged(Exception):
    """Not the fleet's word; `reason` is for our logs only."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unconcerned(Exception):
    """The fleet's word, and not about a delivery: answered, and not kept."""


@dataclass(frozen=True)
class Place:
    """One end of the way; WGS-84 degrees."""

    name: str
    phone: str
    address: str
    lat: float
    lon: float


@dataclass(frozen=True)
class Asked:
    """A delivery as we ask a fleet for it. `number` is ours and unique, `serial` the same as 62 bits; value in fen."""

    number: str
    serial: int
    order_number: str
    shop_no: str
    shop: Place
    door: Place
    city: str
    note: str
    value: int
    units: int
    pick_up_at: datetime
    promised_to: datetime


@dataclass(frozen=True)
class Quote:
    """What it would cost (fen, None where the fleet does not say), and what `create` has to show."""

    fee: int | None
    token: str = ""


@dataclass(frozen=True)
class Known:
    """How we name an order to its fleet."""

    number: str
    serial: int
    shop_no: str
    provider_id: str = ""


@dataclass(frozen=True)
class Told:
    """What a fleet says of an order. `at` is the fleet's own time of it, `eta` when it will be at the door."""

    number: str
    code: str
    at: datetime
    provider_id: str = ""
    reason: str = ""
    courier_name: str = ""
    courier_phone: str = ""
    eta: datetime | None = None


@dataclass(frozen=True)
class Notice:
    """A verified callback; `resource` is kept and read by `FleetProvider.read`."""

    event_id: str
    number: str
    code: str
    resource: dict[str, Any]


@dataclass(frozen=True)
class Called:
    """A callback as it came."""

    query: Mapping[str, str]
    body: bytes


class FleetProvider(Protocol):
    # What a callback is answered, once it is kept.
    reply: bytes

    def quote(self, asked: Asked) -> Quote: ...

    def create(self, asked: Asked, quote: Quote) -> str:
        """Have it brought. Returns the fleet's own number. Once a number: again, it is the same order or refused."""
        ...

    def cancel(self, known: Known, reason: str) -> int:
        """Call it off. Returns what that costs by the fleet's answer, in fen."""
        ...

    def query(self, known: Known, now: datetime) -> Told | None:
        """What the fleet knows of it by now; None when it does not know it."""
        ...

    def verify(self, called: Called) -> Notice:
        """Raises `Forged`, or `Unconcerned`."""
        ...

    def read(self, resource: Mapping[str, Any]) -> Told: ...

    def greet(self, called: Called) -> bytes:
        """What to answer when the fleet asks whether the address is ours (GET). Raises `Forged`."""
        ...


@dataclass(frozen=True)
class Dialect:
    """A protocol: the secrets it asks for, where it is spoken, and who speaks it. `made` raises ValueError for what
    cannot be a secret of this kind."""

    secrets: tuple[str, ...]
    base_url: str
    made: Callable[[Mapping[str, str], str], FleetProvider]


_dialects: dict[str, Dialect] = {}


def register(name: str, dialect: Dialect) -> None:
    """Add a protocol. Its codes stand in `rules.CODES` under the same name."""
    _dialects[name] = dialect


def names() -> list[str]:
    return sorted(_dialects)


def dialect(name: str) -> Dialect:
    """Refuses UNKNOWN_FLEET."""
    found = _dialects.get(name)
    if found is None:
        raise Refused(UNKNOWN_FLEET)
    return found


def provider(name: str, secrets: Mapping[str, str], base_url: str = "") -> FleetProvider:
    known = dialect(name)
    return known.made(secrets, base_url or known.base_url)


def post(url: str, body: bytes, media: str) -> bytes:
    """The body of a 200; anything else says nothing."""
    try:
        answer = replace(outward(), longest=MOST_URL).post(
            url, body, {"Content-Type": media, "Accept": "application/json"}
        )
    except (Barred, Unreachable) as failed:
        raise FleetUnavailable(failed.code) from None
    if answer.status != 200:
        raise FleetUnavailable(f"http {answer.status}")
    return answer.body
