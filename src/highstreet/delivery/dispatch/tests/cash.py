"""For tests with cash at the door: what is to be paid for, brought and paid, and the till that takes the cash in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from unittest.mock import patch
from uuid import UUID

from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.couriers.tests import support
from highstreet.kernel import ids
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.trade.fulfilment.models import Fulfilment
from highstreet.trade.payments import actions as payments
from highstreet.trade.payments import ports

from .. import actions
from ..models import Delivery
from .test_actions import begin, plan


@dataclass
class Told:
    """Stands for `trade.orders`: what it was told was paid."""

    captures: list[tuple[UUID, int]] = field(default_factory=list)

    def captured(self, *, intent_id: UUID, payable: UUID, amount: int, currency: str) -> None:
        self.captures.append((payable, amount))

    def refund_done(self, *, payable: UUID, amount: int) -> None:
        raise AssertionError("nothing goes back here")


@contextmanager
def no_orders() -> Iterator[Told]:
    """Payments without orders behind them."""
    told = Told()
    with patch.object(ports.payables, "_filled", told), patch.object(ports.payable_lock, "_filled", None):
        yield told


def owing(place: support.Town, amount: int, *, status: str = "ready") -> Delivery:
    """A delivery that waits, for which `amount` fen are due at the door."""
    box = support.fulfilment(place, status=status, ready_in=1)
    Fulfilment.objects.filter(pk=box.pk).update(collect_due=amount)
    payments.create_intent(
        actor=THE_SYSTEM,
        payable=box.order_id,
        organisation_id=place.retailer_id,
        provider="at_door",
        amount=amount,
        currency="CNY",
        description="",
        expires_at=box.promised_to + timedelta(hours=24),
    )
    return begin(box, cash=True)


def to_the_door(place: support.Town, rider: Actor, row: Delivery) -> None:
    assert plan(place).assigned == 1
    for act in (actions.accept, actions.arrive_store, actions.pick_up, actions.arrive_door):
        act(actor=rider, delivery_id=row.pk)


def hand_out(rider: Actor, row: Delivery, cash: int) -> int:
    return actions.deliver(actor=rider, delivery_id=row.pk, proof_kind="code", proof="4711", cash=cash)


def earn(place: support.Town, rider: Actor, *amounts: int) -> None:
    """So much cash was taken at doors, by way of whole deliveries."""
    for amount in amounts:
        row = owing(place, amount)
        to_the_door(place, rider, row)
        hand_out(rider, row, amount)


def in_hand(rider: Actor) -> int:
    return couriers.my_cash(rider).in_hand


def at_the_till(place: support.Town, store: int = 0) -> Actor:
    """Somebody who works in a store."""
    return Actor(
        kind="staff",
        user_id=ids.new_id(),
        organisation_id=place.retailer_id,
        store_ids=frozenset({place.stores[store].id}),
        permissions=frozenset({"fulfilment.read", "fulfilment.work"}),
    )
