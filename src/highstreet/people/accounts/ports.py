"""What higher floors add to an actor: staff and couriers know who works for them, partners whose key it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from highstreet.kernel.policy import Actor


@dataclass(frozen=True)
class Badge:
    """What a package knows of a user. Every request asks all badges in one query.

    `sql` is a scalar sub-select about the user `u.id`, NULL when it knows nothing; else `fields` turns its value into
    fields of the actor (`permissions` are united).
    """

    sql: str
    fields: Callable[[Any], dict[str, Any]]


class Bearer(Protocol):
    """A kind of bearer token that is no user's. `prefix` tells it by its first characters."""

    prefix: str

    def actor_of(self, token: str, *, language: str) -> Actor | None:
        """Whose token this is, asked anew by every request; None when it is nobody's, any more or at all."""


badges: list[Badge] = []
bearers: list[Bearer] = []
