"""Rate an order."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction

from highstreet.kernel import clock, ids
from highstreet.kernel.policy import PUBLIC, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID, NOT_FOUND
from highstreet.trade.orders import reads as orders
from highstreet.trade.orders.rules import clean

from .models import Review
from .refusals import ALREADY_RATED, NOT_COMPLETED

MAX_TEXT = 500


@action(PUBLIC)
def rate(*, actor: Actor, order_id: UUID, stars: int, text: str = "") -> UUID:
    """Give an own, completed order 1 to 5 stars and some words, once."""
    order = orders.order(actor, order_id)
    if not order.mine:
        raise Refused(NOT_FOUND)
    words = clean(text, MAX_TEXT)
    if type(stars) is not int or not 1 <= stars <= 5:
        raise Refused(INVALID, field="stars", problem="1-5")
    if words is None:
        raise Refused(INVALID, field="text", problem=f"0-{MAX_TEXT}")
    if order.status != "completed":
        raise Refused(NOT_COMPLETED)
    try:
        with transaction.atomic():
            row = Review.objects.create(
                id=ids.new_id(),
                order_id=order.id,
                store_id=order.store.id,
                customer_id=order.customer_id,
                stars=stars,
                text=words,
                at=clock.now(),
            )
    except IntegrityError:
        raise Refused(ALREADY_RATED) from None
    return row.pk
