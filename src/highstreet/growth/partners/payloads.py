"""What partners hear: each event's type, what it tells, and whose entity it belongs to. Thin, with public ids."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from highstreet.delivery.dispatch.events import DeliveryAssigned, DeliveryMoved
from highstreet.delivery.promise.events import PromiseBroken, PromiseKept
from highstreet.kernel import ids
from highstreet.trade.orders.events import OrderCancelled, OrderCompleted, OrderConfirmed, OrderExpired, OrderPaid
from highstreet.trade.payments.events import RefundFailed, RefundSettled


@dataclass(frozen=True)
class Kind:
    """`order` names the event's field that holds the order; `data` is what is told besides order and store."""

    name: str
    says: str
    event: type[Any]
    data: Callable[[Any], dict[str, Any]]
    order: str = "order_id"


def _delivery(event: Any) -> str:
    return ids.public("dlv", event.delivery_id)


def _refund(event: Any) -> dict[str, Any]:
    return {"refund": ids.public("rfd", event.refund_id), "amount": event.amount}


KINDS = [
    Kind("order.paid", "A payment came in; amount in fen.", OrderPaid, lambda e: {"amount": e.amount}),
    Kind("order.confirmed", "The store has it.", OrderConfirmed, lambda e: {"mode": e.mode}),
    Kind("order.completed", "Delivered or collected.", OrderCompleted, lambda e: {}),
    Kind("order.cancelled", "It will not come; why.", OrderCancelled, lambda e: {"reason": e.reason}),
    Kind("order.expired", "Nobody paid in time.", OrderExpired, lambda e: {}),
    Kind(
        "delivery.assigned",
        "A courier has it; eta is when it will be at the door.",
        DeliveryAssigned,
        lambda e: {"delivery": _delivery(e), "eta": e.eta},
    ),
    Kind(
        "delivery.moved",
        "The delivery's new status.",
        DeliveryMoved,
        lambda e: {"delivery": _delivery(e), "status": e.status, "at": e.at},
    ),
    Kind("refund.settled", "Money arrived at the customer; amount in fen.", RefundSettled, _refund, "payable"),
    Kind("refund.failed", "The provider will not send it; somebody must look.", RefundFailed, _refund, "payable"),
    Kind("promise.kept", "In time; by how much.", PromiseKept, lambda e: {"late_seconds": e.late_seconds}),
    Kind(
        "promise.broken",
        "Late; credit fen were given back.",
        PromiseBroken,
        lambda e: {"late_seconds": e.late_seconds, "credit": e.credit},
    ),
]
TYPES = {kind.name: kind for kind in KINDS}
_BY_EVENT = {kind.event.__name__: kind for kind in KINDS}


def kind_of(event: Any) -> Kind:
    return _BY_EVENT[type(event).__name__]


def body(kind: Kind, event: Any, *, at: datetime, number: str, order_id: UUID, store_id: UUID) -> str:
    """The request's body: `type`, `timestamp`, `data`."""
    data = {"order": ids.public("ord", order_id), "number": number, "store": ids.public("str", store_id)}
    told = {"type": kind.name, "timestamp": at.isoformat(), "data": {**data, **kind.data(event)}}
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False)
