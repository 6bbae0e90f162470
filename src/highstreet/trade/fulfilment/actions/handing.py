"""The bag leaves: to a courier, to the shopper at the counter; and what comes of it on the road."""

from __future__ import annotations

from uuid import UUID

from highstreet.kernel import clock
from highstreet.kernel.money import in_words
from highstreet.kernel.policy import SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID, NOT_FOUND, WRONG_STATE
from highstreet.kernel.states import move
from highstreet.supply.catalog import reads as catalog
from highstreet.supply.stores import reads as stores

from .. import ports
from ..events import (
    FulfilmentCollected,
    FulfilmentDelivered,
    FulfilmentFailed,
    FulfilmentHandedOver,
    FulfilmentReturned,
)
from ..models import Fulfilment, FulfilmentLine, PickupCode
from ..refusals import CASH_CHANGED, CASH_DUE, CODE_UNKNOWN, CODE_USED, NOBODYS_YET, OTHER_ORDER
from ..rules import restockable
from ..states import ENDED, MACHINE
from ..steps import bag, facts, find, put_back, tell

GONE = ("handed_over", "in_transit", "delivered", "failed", "returning", "returned")
MAX_CASH = 10**9


@action("fulfilment.work")
def hand_over(*, actor: Actor, fulfilment_id: UUID, code: str = "") -> None:
    """The courier has the bag. Said by the store or by the courier's pick-up, whichever is first.

    `code`, when given, is the order's number that the courier names; another's is refused. So is what nobody has come
    for: NOBODYS_YET.
    """
    theirs = True
    if actor.kind != SYSTEM and ports.riders.filled:
        # Who brings it is settled before this row is locked, as by a courier's own pick-up.
        theirs = ports.riders().take_along(fulfilment_id=find(actor, fulfilment_id).pk)
    row = find(actor, fulfilment_id, lock=True)
    if code and code.strip().upper() != row.order_number.upper():
        raise Refused(OTHER_ORDER, number=row.order_number)
    if row.mode != "delivery":
        raise Refused(WRONG_STATE, state=row.status)
    if row.status in GONE:
        return
    if not theirs and row.status == "ready":
        raise Refused(NOBODYS_YET, number=row.order_number)
    move(MACHINE, row, "hand_over", actor=actor.name)
    tell(row, FulfilmentHandedOver(**facts(row), at=clock.now().isoformat()))


@action("fulfilment.work")
def collect(*, actor: Actor, store_id: UUID, code: str, cash_received: int = 0) -> UUID:
    """Redeem a pickup code: once, by staff of its store, with what is due paid. Returns the fulfilment.

    `cash_received` in fen; more than is due is change. Refuses CODE_UNKNOWN, CODE_USED, CASH_DUE.
    """
    if not 0 <= cash_received <= MAX_CASH:
        raise Refused(INVALID, field="cash_received", problem=str(cash_received))
    digits = "".join(code.split())
    found = PickupCode.objects.filter(store_id=store_id, code=digits).order_by("-redeemed_at").first()
    if found is None:
        raise Refused(CODE_UNKNOWN)
    try:
        row = find(actor, found.fulfilment_id)
    except Refused as refused:
        if refused.reason is NOT_FOUND:
            raise Refused(CODE_UNKNOWN) from None
        raise
    redeemed = PickupCode.objects.filter(pk=found.pk, redeemed_at=None).update(
        redeemed_at=clock.now(), redeemed_by=actor.name
    )
    if redeemed != 1:
        found.refresh_from_db()
        at = (found.redeemed_at or clock.now()).astimezone(stores.store(store_id).zone)
        raise Refused(CODE_USED, at=f"{at:%H:%M}")
    if row.collect_due > 0:
        if cash_received < row.collect_due:
            raise Refused(CASH_DUE, due=in_words(row.collect_due))
        ports.counter().take(actor=actor, payable=row.order_id, amount=row.collect_due)
    move(MACHINE, row, "collect", actor=actor.name)
    tell(row, FulfilmentCollected(**facts(row), at=clock.now().isoformat()))
    return row.pk


@action(SYSTEM)
def depart(*, actor: Actor, fulfilment_id: UUID) -> None:
    """The courier is on the way to the door (again, after a failed try)."""
    row = find(actor, fulfilment_id, lock=True)
    if row.status != "in_transit":
        move(MACHINE, row, "depart", actor=actor.name)


@action(SYSTEM)
def collect_now(*, actor: Actor, order_id: UUID, due: int) -> None:
    """The order costs `due` fen by now: so much is taken when it is handed over."""
    Fulfilment.objects.filter(order_id=order_id).exclude(status__in=ENDED).update(collect_due=due)


@action(SYSTEM)
def deliver(*, actor: Actor, fulfilment_id: UUID, cash: int = 0, courier_id: UUID | None = None) -> None:
    """At the door, with proof (`delivery.dispatch` has it). Twice is once.

    `cash` in fen is what the courier took for it. Refuses CASH_CHANGED with the amount unless that is what is due.
    """
    if cash:
        _take_at_door(actor, fulfilment_id, cash, courier_id)
    row = find(actor, fulfilment_id, lock=True)
    if row.status == "delivered":
        return
    _same(cash, row.collect_due)
    move(MACHINE, row, "deliver", actor=actor.name)
    tell(row, FulfilmentDelivered(**facts(row), at=clock.now().isoformat()))


def _take_at_door(actor: Actor, fulfilment_id: UUID, cash: int, courier_id: UUID | None) -> None:
    """This locks the order. Whoever calls looks at the fulfilment again: it may have become cheaper meanwhile."""
    row = find(actor, fulfilment_id)
    if row.status == "delivered":
        return
    _same(cash, row.collect_due)
    if courier_id is None:
        raise Refused(INVALID, field="courier", problem="")
    ports.counter().take_at_door(actor=actor, payable=row.order_id, amount=cash, courier_id=courier_id)


def _same(cash: int, due: int) -> None:
    if cash != due:
        raise Refused(CASH_CHANGED, due=in_words(due), amount=due)


@action(SYSTEM)
def fail(*, actor: Actor, fulfilment_id: UUID, reason: str = "") -> None:
    """It could not be given over at the door."""
    row = find(actor, fulfilment_id, lock=True)
    if row.status == "failed":
        return
    move(MACHINE, row, "fail", actor=actor.name, note=reason)
    tell(row, FulfilmentFailed(**facts(row), reason=reason))


@action(SYSTEM)
def turn_back(*, actor: Actor, fulfilment_id: UUID) -> None:
    """The courier is on the way back to the store."""
    row = find(actor, fulfilment_id, lock=True)
    if row.status != "returning":
        move(MACHINE, row, "turn_back", actor=actor.name)


@action(SYSTEM)
def return_(*, actor: Actor, fulfilment_id: UUID, restock: bool = True) -> None:
    """Back in the store. What needs no cold goes back on the shelf; the rest is lost, as its moves say.

    Without `restock` all of it is: the bag was never seen again.
    """
    row = find(actor, fulfilment_id, lock=True)
    if row.status == "returned":
        return
    move(MACHINE, row, "give_back", actor=actor.name)
    tell(row, FulfilmentReturned(**facts(row), at=clock.now().isoformat()))
    if not restock:
        return
    units = bag(FulfilmentLine.objects.filter(fulfilment=row), picked=True)
    views = catalog.variants(units)
    kept = {variant: count for variant, count in units.items() if restockable(views[variant].temperature)}
    put_back(actor, row, kept)
