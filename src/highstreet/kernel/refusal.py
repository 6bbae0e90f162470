"""A refusal: what the platform says when it will not do a thing. Typed, worded, and never a 5xx."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise as LazyText

_reasons: dict[str, Reason] = {}


@dataclass(frozen=True)
class Reason:
    """`code` for machines, `status` for HTTP, `text` (translatable, with {fields}) for people."""

    code: str
    status: int
    text: str | LazyText

    def words(self, facts: dict[str, Any]) -> str:
        return str(self.text).format_map(facts)


def reason(code: str, status: int, text: str | LazyText) -> Reason:
    """Declare a reason once, at import; two of one code are a programming error."""
    if code in _reasons and _reasons[code].status != status:
        raise ValueError(f"reason {code} is declared twice")
    declared = Reason(code, status, text)
    _reasons[code] = declared
    return declared


def declared() -> list[Reason]:
    """Every reason known, by code, for the API's documentation."""
    return [_reasons[code] for code in sorted(_reasons)]


def named(code: str) -> Reason:
    """The reason of a code; KeyError if nobody declared it."""
    return _reasons[code]


class Refused(Exception):
    """Raised by actions and rules. Whoever catches it at the edge answers with `reason.status`.

    `facts` fill the words and are told to the caller, so they must not hold what the caller may not see.
    """

    def __init__(self, reason: Reason, **facts: Any) -> None:
        super().__init__(reason.code)
        self.reason = reason
        self.facts = facts

    @property
    def words(self) -> str:
        return self.reason.words(self.facts)

    def __str__(self) -> str:
        return f"{self.reason.code} {self.facts}" if self.facts else self.reason.code
