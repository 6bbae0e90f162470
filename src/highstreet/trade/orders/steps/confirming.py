"""An order becomes the store's: its fulfilment is made and its status follows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from highstreet.kernel.policy import Actor
from highstreet.kernel.states import begin
from highstreet.trade.fulfilment import actions as fulfilment
from highstreet.trade.fulfilment.rules import NewFulfilment, NewLine

from ..events import OrderConfirmed
from ..models import Order, OrderLine
from ..ports import PromiseOffer
from ..rules import ON_HANDOVER
from ..states import ORDER, Axes, settle
from .common import as_system, due, tell


def give_to_store(actor: Actor, order: Order, lines: Iterable[OrderLine], offer: PromiseOffer, **columns: Any) -> None:
    """Make the fulfilment and confirm the order. `columns` change with its status."""
    fulfil(actor, order, lines, offer)
    settle(order, Axes("pending"), actor=actor.name, ended_at=None, **columns)
    tell(order, OrderConfirmed(order.pk, order.store_id, order.mode))


def give_new_to_store(actor: Actor, order: Order, lines: Iterable[OrderLine], offer: PromiseOffer) -> None:
    """The same for an order that is not written yet: it starts as confirmed."""
    fulfil(actor, order, lines, offer)
    begin(ORDER, order, "confirm", actor=actor.name)
    tell(order, OrderConfirmed(order.pk, order.store_id, order.mode))


def fulfil(actor: Actor, order: Order, lines: Iterable[OrderLine], offer: PromiseOffer) -> None:
    """Give the lines that are still wanted to the order's store."""
    fulfilment.create(
        actor=as_system(actor),
        spec=NewFulfilment(
            order_id=order.pk,
            order_number=order.number,
            group=order.group,
            store_id=order.store_id,
            mode=order.mode,
            substitution=order.substitution,
            phone_tail=order.phone[-4:],
            lat=order.lat,
            lon=order.lon,
            promised_from=order.promised_from,
            promised_to=order.promised_to,
            ready_by=offer.ready_by,
            start_at=offer.start_at,
            not_before=order.promised_from if offer.slot and order.mode == "delivery" else None,
            lines=tuple(
                NewLine(line.pk, line.variant_id, line.quantity - line.refunded, line.unit_price)
                for line in lines
                if line.quantity > line.refunded
            ),
            address=f"{order.address} {order.unit}".strip(),
            note=order.note,
            collect_due=due(order) if order.payment_method in ON_HANDOVER else 0,
        ),
    )
