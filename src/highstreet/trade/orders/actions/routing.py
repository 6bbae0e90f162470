"""A store would not do it: give back what it held, find another that keeps the promise, or make it good."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from highstreet.kernel import clock, holds, ids
from highstreet.kernel.policy import SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.supply.stores import reads as stores
from highstreet.trade.fulfilment import reads as fulfilments

from .. import rules
from ..events import OrderRerouted, OrderStoreLost
from ..models import Order, OrderLine
from ..ports import PromiseOffer, promises
from ..steps.choosing import Chosen, Point, choose
from ..steps.common import claims_on, find, tell, wants
from ..steps.confirming import fulfil
from .ending import let_down


@action(SYSTEM)
def lose_store(*, actor: Actor, order_id: UUID, fulfilment_id: UUID, reason: str) -> None:
    """The store rejected the order: what it held goes free, and another store is wanted.

    A transaction of its own: giving back and taking in one would lock two stores' shelves in no order.
    """
    order = find(actor, order_id, lock=True)
    latest = fulfilments.of_order(order.pk)
    if order.status != "confirmed" or latest is None or latest.id != fulfilment_id:
        return
    lost = order.group
    order.routing = [*order.routing, {"store": str(order.store_id), "verdict": "rejected", "why": reason}]
    order.group = ids.new_id()
    Order.objects.filter(pk=order.pk).update(routing=order.routing, group=order.group)
    tell(order, OrderStoreLost(order.pk, order.store_id, reason))
    holds.release(lost)


@action(SYSTEM)
def reroute(*, actor: Actor, order_id: UUID) -> bool:
    """Move the order to the next store that has all of it and can keep the promise, 15 minutes at most later.

    Otherwise cancel it, with a full refund and the retailer's credit for a broken promise. Whether it moved.
    """
    order = find(actor, order_id, lock=True)
    latest = fulfilments.of_order(order.pk)
    if order.status != "confirmed" or latest is None or latest.status != "rejected":
        return False
    lines = list(OrderLine.objects.filter(order=order).order_by("position"))
    passed = {entry["store"] for entry in order.routing if entry["verdict"] == "rejected"}
    while order.mode == "delivery":
        chosen = _next(order, lines, passed)
        if chosen is None:
            break
        try:
            with transaction.atomic():
                _move(actor, order, lines, chosen)
            return True
        except Refused:
            # Someone was faster there; the store after it may do.
            passed.add(str(chosen.store.id))
            order.refresh_from_db()
    let_down(actor=actor, order_id=order.pk, reason="no_store")
    return False


def _next(order: Order, lines: list[OrderLine], passed: set[str]) -> Chosen | None:
    reaching = stores.serving(order.city_id, order.lat, order.lon)
    around = [store for store in reaching if str(store.id) not in passed]
    wanted = [(want.variant_id, want.quantity) for want in wants(lines)]
    if not around or not wanted:
        return None
    agreed = PromiseOffer.from_json(order.quote.promise).slot
    # The window that was chosen; when nobody can have it any more, whatever comes soon enough.
    for slot in dict.fromkeys((agreed, None)):
        try:
            found = choose(
                wanted,
                around,
                mode=order.mode,
                point=Point(order.lat, order.lon),
                preferred=None,
                within=order.promised_to + rules.REROUTE_GRACE,
                slot=slot,
            )
        except Refused:
            continue
        # Whoever brings it sooner waits for the window all the same.
        return replace(found, offer=replace(found.offer, slot=agreed))
    return None


def _move(actor: Actor, order: Order, lines: list[OrderLine], chosen: Chosen) -> None:
    """Give the order to `chosen` at the prices and the promise that the shopper agreed to."""
    before = order.store_id
    order.store_id = chosen.store.id
    order.routing = [*order.routing, {"store": str(chosen.store.id), "verdict": "rerouted"}]
    Order.objects.filter(pk=order.pk).update(store_id=order.store_id, routing=order.routing)
    fulfil(actor, order, lines, chosen.offer)
    tell(order, OrderRerouted(order.pk, before, order.store_id))
    claims = [*promises().claims(chosen.offer), *claims_on(order.store_id, wants(lines))]
    holds.take(order.group, claims, clock.now() + timedelta(minutes=1), confirmed=True)
