"""What higher floors add to an actor: staff and couriers know who works for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Badge:
    """What a package knows of a user. Every request asks all badges in one query.

    `sql` is a scalar sub-select about the user `u.id`, NULL when it knows nothing; else `fields` turns its value into
    fields of the actor (`permissions` are united).
    """

    sql: str
    fields: Callable[[Any], dict[str, Any]]


badges: list[Badge] = []
