"""What a shopper does with an order besides paying and cancelling: order again, answer about a substitute."""

from __future__ import annotations

from uuid import UUID

from highstreet.kernel.policy import PUBLIC, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.trade.cart import actions as carts
from highstreet.trade.cart.actions import CartRef
from highstreet.trade.fulfilment import actions as fulfilment
from highstreet.trade.fulfilment import reads as fulfilments

from ..models import OrderLine
from ..steps.common import as_system, find, owns


@action(PUBLIC)
def reorder(*, actor: Actor, cart_key: str, order_id: UUID) -> CartRef:
    """Put what an own order had into a cart; what is no longer sold is left out."""
    order = find(actor, order_id)
    if not owns(actor, order):
        raise Refused(NOT_FOUND)
    lines = OrderLine.objects.filter(order=order).order_by("position").values_list("variant_id", "quantity")
    return carts.add_all(actor=actor, cart_key=cart_key, quantities=dict(lines))


@action(PUBLIC)
def answer_substitute(*, actor: Actor, order_id: UUID, line_id: UUID, agreed: bool) -> None:
    """The shopper's yes or no to another item in the place of a line of the own order (`lin_…`)."""
    order = find(actor, order_id, lock=True)
    if not owns(actor, order) or fulfilments.owner_of_line(line_id) != order.pk:
        raise Refused(NOT_FOUND)
    fulfilment.answer_substitute(actor=as_system(actor), line_id=line_id, agreed=agreed)
