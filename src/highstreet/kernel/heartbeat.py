"""Signs of life of what is not asked: a row that is written anew each time. `doctor` and /metrics read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from . import clock, metrics
from .models import Heartbeat


@dataclass(frozen=True)
class Beat:
    """`age` in seconds of the wall."""

    name: str
    age: float
    facts: dict[str, Any]


def beat(name: str, **facts: float | str) -> None:
    """Write that `name` is alive, or done, now."""
    at = datetime.fromtimestamp(clock.wall(), tz=UTC)
    Heartbeat.objects.update_or_create(name=name, defaults={"at": at, "facts": facts})


def last(prefix: str) -> list[Beat]:
    """The last signs whose name begins so, the freshest first."""
    wall = clock.wall()
    rows = Heartbeat.objects.filter(name__startswith=prefix).order_by("-at")
    return [Beat(row.name, wall - row.at.timestamp(), row.facts) for row in rows]


metrics.figure(
    "heartbeat_age_seconds",
    "Since the last sign of life",
    "SELECT name, extract(epoch FROM clock_timestamp() - at) FROM kernel_heartbeat",
    label="name",
)
metrics.figure(
    "dispatch_epoch_seconds",
    "What the dispatcher's last turn of a city took",
    "SELECT substr(name, 10), (facts->>'seconds')::float FROM kernel_heartbeat WHERE starts_with(name, 'dispatch ')",
    label="city",
)
metrics.figure(
    "audit_broken",
    "Invariants that the last audit found broken",
    "SELECT (facts->>'broken')::float FROM kernel_heartbeat WHERE name = 'audit'",
)
