"""Facts of promises."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class PromiseKept:
    """`late_seconds` is 0 or less: by how much it was early."""

    order_id: UUID
    store_id: UUID
    late_seconds: int


@dataclass(frozen=True)
class PromiseBroken:
    """`credit` fen were given back without anybody asking."""

    order_id: UUID
    store_id: UUID
    late_seconds: int
    credit: int
