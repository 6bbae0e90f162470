"""What the actions share: the order that an actor may touch, its facts, its claims, its payment axis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from highstreet.kernel import outbox
from highstreet.kernel.holds import Claim
from highstreet.kernel.policy import SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.kernel.states import move
from highstreet.supply.inventory import reads as inventory
from highstreet.supply.inventory.actions import UNITS
from highstreet.supply.inventory.refusals import SOLD_OUT
from highstreet.supply.organisations.reads import in_language
from highstreet.trade.payments import reads as payments

from .. import rules
from ..models import Order, OrderLine
from ..refusals import BAD_CHOICE, BAD_TEXT
from ..states import PAYMENT


@dataclass(frozen=True)
class Want:
    """Units of a variant and the name to say when they are gone."""

    variant_id: UUID
    quantity: int
    name: str


def find(actor: Actor, order_id: UUID, *, lock: bool = False) -> Order:
    """The order, if the actor may see it; NOT_FOUND otherwise. Locking it comes before any other lock."""
    rows = Order.objects.visible_to(actor).select_related("quote")
    if lock:
        rows = rows.select_for_update(of=("self",), no_key=True)
    order = rows.filter(pk=order_id).first()
    if order is None:
        raise Refused(NOT_FOUND)
    return order


def lock(order_id: UUID) -> None:
    """Lock an order's row, so that whoever works on it locks in one order: order, accounts, stock."""
    Order.objects.select_for_update(no_key=True).values_list("pk", flat=True).filter(pk=order_id).first()


def owns(actor: Actor, order: Order) -> bool:
    """Whether the actor is who ordered: the customer, or whoever has the order's key."""
    return actor.customer_id == order.customer_id or order.key in actor.order_keys


def as_system(actor: Actor) -> Actor:
    """The same person with the platform's rights, for what a permitted action entails."""
    return replace(actor, kind=SYSTEM, store_ids=None)


def tell(order: Order, event: Any) -> None:
    outbox.emit(event, topics=[f"order:{order.pk}", f"store:{order.store_id}", f"city:{order.city_id}"])


def due(order: Order) -> int:
    """What the order costs after what was taken off before payment."""
    return order.total - order.reduced


def left(order: Order) -> int:
    """What was paid and is not on its way back, in fen."""
    return order.captured - order.refunded - order.compensated


def wants(lines: Iterable[OrderLine]) -> list[Want]:
    """What is still to come of an order's lines."""
    return [
        Want(line.variant_id, line.quantity - line.refunded, in_language(line.name_zh, line.name_en))
        for line in lines
        if line.quantity > line.refunded
    ]


def claims_on(store_id: UUID, wanted: Iterable[Want], levels: Mapping[UUID, UUID] | None = None) -> list[Claim]:
    """The claims on a store's shelves, by `levels` where they are known; SOLD_OUT by name for what it never had."""
    wanted = list(wanted)
    if levels is None:
        found = inventory.levels(store_id, [want.variant_id for want in wanted])
        levels = {variant: level.id for variant, level in found.items()}
    missing = [want.name for want in wanted if want.variant_id not in levels]
    if missing:
        raise Refused(SOLD_OUT, name=", ".join(missing))
    return [Claim(UNITS.kind, levels[want.variant_id], want.quantity, want.name) for want in wanted]


def sync_payment(actor: Actor, order: Order) -> None:
    """Move the payment axis to what the money says. Settled refunds count, those under way do not."""
    returned = sum(refund.amount for refund in payments.refunds(order.pk) if refund.status == "succeeded")
    target = rules.payment_state(due=due(order), captured=order.captured, returned=returned)
    if target != order.payment_status:
        move(PAYMENT, order, target, actor=actor.name)


def clean(text: str, most: int, field: str) -> str:
    """One trimmed line of at most `most` characters; BAD_TEXT otherwise."""
    words = rules.clean(text, most)
    if words is None:
        raise Refused(BAD_TEXT, field=field, most=most)
    return words


def choice(value: str, known: tuple[str, ...], field: str) -> str:
    """`value` if it is one of `known`; BAD_CHOICE otherwise."""
    if value not in known:
        raise Refused(BAD_CHOICE, field=field, choices=", ".join(known))
    return value
