"""What we ask people about, as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Purpose:
    """`wording` is the version of the words on the page: a new one for every change of their meaning.

    `unless_refused`: holds until somebody says no. Only for what shows people their own things; everything else
    waits for a yes (docs/decisions/0018-consent.md).
    """

    code: str
    wording: int
    unless_refused: bool = False


PERSONALISATION, MARKETING, ANALYTICS = "personalisation", "marketing", "analytics"
PURPOSES = {
    one.code: one
    for one in (Purpose(PERSONALISATION, 1, unless_refused=True), Purpose(MARKETING, 1), Purpose(ANALYTICS, 1))
}


def holds(said: Iterable[str], purpose: str) -> bool:
    """Whether `purpose` is agreed to, given what was said last: `+purpose`, `-purpose` or nothing.

    Raises ValueError for a purpose that is none.
    """
    if purpose not in PURPOSES:
        raise ValueError(f"no purpose: {purpose}")
    known = set(said)
    if f"-{purpose}" in known:
        return False
    return f"+{purpose}" in known or PURPOSES[purpose].unless_refused
