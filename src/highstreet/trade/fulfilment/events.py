"""Facts of a fulfilment. Times are ISO 8601 in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class FulfilmentCreated:
    fulfilment_id: UUID
    order_id: UUID
    store_id: UUID
    mode: str


@dataclass(frozen=True)
class FulfilmentAccepted:
    """`start_at`: when the store is to begin, "" for at once."""

    fulfilment_id: UUID
    order_id: UUID
    store_id: UUID
    mode: str
    ready_by: str
    start_at: str = ""


@dataclass(frozen=True)
class StartMoved:
    """The store begins, or is to begin, sooner than it was to: at `start_at`."""

    fulfilment_id: UUID
    order_id: UUID
    store_id: UUID
    start_at: str


@dataclass(frozen=True)
class FulfilmentRejected:
    """`reason`: the store's, or "no_answer" when it said nothing."""

    fulfilment_id: UUID
    order_id: UUID
    store_id: UUID
    reason: str


@dataclass(frozen=True)
class PickingStarted:
    fulfilment_id: UUID
    order_id: UUID
    store_id: UUID


@dataclass(frozen=True)
class LinePicked:
    """One scan. `picked` of `quantity` are in the bag."""

    fulfilment_id: UUID
    order_id: UUID
    store_id: UUID
    order_line_id: UUID
    picked: int
    quantity: int


@dataclass(frozen=True)
class LineShort:
    """`units` of the order line will not come and have no substitute: their money goes back."""

    fulfilment_id: UUID
    order_id: UUID
    store_id: UUID
    order_line_id: UUID
    units: int


@dataclass(frozen=True)
class SubstituteAsked:
    """The shopper may answer until `answer_by`; silence is a no."""

    fulfilment_id: UUID
    order_id: UUID
    store_id: UUID
    line_id: UUID
    order_line_id: UUID
    variant_id: UUID
    units: int
    answer_by: str


@dataclass(frozen=True)
class LineSubstituted:
    """`units` come as `variant_id`, at the price of the line. `price_below` is what each costs less (fen)."""

    fulfilment_id: UUID
    order_id: UUID
    store_id: UUID
    order_line_id: UUID
    variant_id: UUID
    units: int
    price_below: int


@dataclass(frozen=True)
class FulfilmentReady:
    fulfilment_id: UUID
    order_id: UUID
    store_id: UUID
    mode: str
    at: str


@dataclass(frozen=True)
class FulfilmentHandedOver:
    fulfilment_id: UUID
    order_id: UUID
    store_id: UUID
    at: str


@dataclass(frozen=True)
class FulfilmentDelivered:
    fulfilment_id: UUID
    order_id: UUID
    store_id: UUID
    at: str


@dataclass(frozen=True)
class FulfilmentCollected:
    fulfilment_id: UUID
    order_id: UUID
    store_id: UUID
    at: str


@dataclass(frozen=True)
class FulfilmentFailed:
    fulfilment_id: UUID
    order_id: UUID
    store_id: UUID
    reason: str


@dataclass(frozen=True)
class FulfilmentReturned:
    fulfilment_id: UUID
    order_id: UUID
    store_id: UUID
    at: str


@dataclass(frozen=True)
class FulfilmentCancelled:
    """`reason`: what the caller said, or ours: "nothing_left" (all short), "not_packed", "not_collected"."""

    fulfilment_id: UUID
    order_id: UUID
    store_id: UUID
    reason: str
