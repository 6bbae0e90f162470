"""What couriers do with what they are given. Each step may be sent again: done once, it stays done.

A courier sees only own deliveries: any other is NOT_FOUND.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from highstreet.delivery.couriers import reads as couriers
from highstreet.kernel import clock, ledger, outbox
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.policy import SYSTEM, THE_SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID, NOT_FOUND
from highstreet.supply.organisations import reads as organisations
from highstreet.trade.fulfilment import actions as fulfilments
from highstreet.trade.fulfilment import reads as fulfilment_reads

from .. import photos, rules
from ..events import CourierPaid
from ..models import Delivery
from ..moving import NOBODYS, out_of_the_store, step, wait_again
from ..refusals import PROOF_NEEDED, UNKNOWN_INCIDENT, WRONG_PROOF


@action("courier.work")
def accept(*, actor: Actor, delivery_id: UUID) -> None:
    """Take what the dispatcher offers."""
    row = _own(actor, delivery_id)
    if row.accepted_at is None:
        step(actor, row, "accept")


@action("courier.work")
def decline(*, actor: Actor, delivery_id: UUID) -> None:
    """Not take what is offered: somebody else is asked at once. Refused with WRONG_STATE once it is accepted."""
    step(actor, _own(actor, delivery_id), "lapse", note="declined", **NOBODYS)


@action("courier.work")
def arrive_store(*, actor: Actor, delivery_id: UUID) -> None:
    """At the store's counter."""
    row = _own(actor, delivery_id)
    if row.arrived_at is None or row.status == "accepted":
        step(actor, row, "arrive_store")


@action("courier.work")
def pick_up(*, actor: Actor, delivery_id: UUID, code: str = "") -> None:
    """The package is in the bag. Whoever says so first, store or courier, moves it; refused until it is packed.

    `code` is the order's number as told at the counter, checked when given.
    """
    row = _own(actor, delivery_id)
    if row.picked_up_at is None:
        out_of_the_store(row.fulfilment_id, code)
        step(actor, row, "pick_up")
    if row.status == "picked_up":
        fulfilments.depart(actor=THE_SYSTEM, fulfilment_id=row.fulfilment_id)


@action("courier.work")
def arrive_door(*, actor: Actor, delivery_id: UUID) -> None:
    """At the customer's door."""
    row = _own(actor, delivery_id)
    if row.at_door_at is None or row.status == "picked_up":
        step(actor, row, "arrive_door")


@action("courier.work")
def deliver(*, actor: Actor, delivery_id: UUID, proof_kind: str, proof: str, cash: int = 0) -> int:
    """Give it to the customer with proof: the code told at the door, or a photo (a data: URL of an image).

    `cash` in fen is what was taken for it; CASH_CHANGED, with what is due, if that is another amount. Pays the courier
    by the retailer's terms. Returns the pay in fen.
    """
    row = _own(actor, delivery_id)
    if row.status == "delivered":
        return row.pay
    proof = _proved(row, proof_kind, proof)
    amount = _pay_of(row)
    step(actor, row, "deliver", proof_kind=proof_kind, proof=proof, pay=amount, eta=None)
    fulfilments.deliver(
        actor=replace(actor, kind=SYSTEM), fulfilment_id=row.fulfilment_id, cash=cash, courier_id=row.courier_id
    )
    _post_pay(actor, row, amount)
    return amount


@action("courier.work")
def incident(*, actor: Actor, delivery_id: UUID, kind: str) -> str:
    """Say what went wrong. Returns the delivery's new state.

    nobody_home, damaged, not_paid (where cash is due): it goes back to the store. cannot_go_on: before the pick-up,
    another courier takes it.
    """
    row = _own(actor, delivery_id)
    if kind not in rules.INCIDENTS or (kind == rules.NOT_PAID and not row.cash):
        raise Refused(UNKNOWN_INCIDENT)
    if row.incident == kind and row.status in ("failed", "returned"):
        return row.status
    if kind == "cannot_go_on" and row.status in ("assigned", "accepted", "at_store"):
        return wait_again(actor, row, kind)
    status = step(actor, row, "fail", note=kind, incident=kind, eta=None)
    fulfilments.fail(actor=THE_SYSTEM, fulfilment_id=row.fulfilment_id, reason=kind)
    return status


@action("courier.work")
def give_back(*, actor: Actor, delivery_id: UUID) -> None:
    """Bring a failed delivery back to its store; the ride is paid as if it had been delivered."""
    row = _own(actor, delivery_id)
    if row.status == "returned":
        return
    amount = _pay_of(row)
    step(actor, row, "give_back", pay=amount)
    fulfilments.return_(actor=THE_SYSTEM, fulfilment_id=row.fulfilment_id)
    _post_pay(actor, row, amount)


def _own(actor: Actor, delivery_id: UUID) -> Delivery:
    row = None
    if actor.courier_id is not None:
        rows = Delivery.objects.select_for_update(no_key=True)
        row = rows.filter(pk=delivery_id, courier_id=actor.courier_id).first()
    if row is None:
        raise Refused(NOT_FOUND)
    return row


def _proved(row: Delivery, kind: str, proof: str) -> str:
    """The proof as it is kept: a photo without what it says beside the picture."""
    if kind == "code":
        code = fulfilment_reads.detail(THE_SYSTEM, row.fulfilment_id).handover_code
        if not rules.same_code(proof, code):
            raise Refused(WRONG_PROOF)
        return proof
    if len(proof) > photos.MAX_URL:
        raise Refused(INVALID, field="proof", problem=f"<= {photos.MAX_URL}")
    picture = photos.kept(proof) if kind == "photo" else ""
    if not picture:
        raise Refused(PROOF_NEEDED)
    return picture


def _pay_of(row: Delivery) -> int:
    terms = couriers.earning_terms(row.city_id, clock.now())
    return rules.pay(terms.per_order, terms.per_km, row.distance_m)


def _post_pay(actor: Actor, row: Delivery, amount: int) -> None:
    city = organisations.city(row.city_id)
    assert row.courier_id is not None
    posted = ledger.post(
        key=f"delivery:{row.pk}:pay",
        kind="courier_pay",
        cause=row.pk,
        actor=actor,
        lines=[
            (AccountRef(city.retailer_id, "courier_pay", city.currency), amount),
            (AccountRef(row.courier_id, "courier_payable", city.currency), -amount),
        ],
    )
    if posted:
        outbox.emit(CourierPaid(row.pk, row.courier_id, amount, city.currency), topics=[f"courier:{row.courier_id}"])
