"""Cash at the door, as couriers, the dispatcher and the stores' tills see it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from unittest.mock import patch
from uuid import UUID

import pytest

from highstreet.delivery.couriers import actions as couriers
from highstreet.delivery.couriers import reads
from highstreet.delivery.couriers.models import CashHandIn
from highstreet.delivery.couriers.tests import support
from highstreet.kernel import ids, ledger, outbox
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.models import Organisation
from highstreet.trade.fulfilment import actions as fulfilments
from highstreet.trade.fulfilment import events
from highstreet.trade.fulfilment.models import Fulfilment
from highstreet.trade.payments.models import PaymentIntent

from .. import actions, ports
from .. import reads as dispatch
from ..models import Delivery
from .cash import Told, at_the_till, earn, hand_out, in_hand, no_orders, owing, to_the_door
from .test_actions import begin, plan

pytestmark = pytest.mark.django_db


class Hired:
    """A fleet that serves every store."""

    def serving(self, *, city_id: UUID, store_ids: Collection[UUID]) -> set[UUID]:
        return set(store_ids)

    def give(self, *, delivery_id: UUID) -> None: ...

    def courier(self, delivery_id: UUID) -> None: ...


@pytest.fixture(autouse=True)
def told() -> Iterator[Told]:
    with support.ticking(), no_orders() as told:
        yield told
        support.settle()
        assert support.broken() == []


def take(
    place: support.Town, rider: Actor, amount: int, key: str = "k", store: int = 0, worker: Actor | None = None
) -> int:
    assert rider.courier_id is not None
    where = {"store_id": place.stores[store].id, "courier_id": rider.courier_id}
    return couriers.take_cash(actor=worker or at_the_till(place, store), amount=amount, key=key, **where).left


def test_the_courier_is_told_the_amount_and_has_it_when_it_is_handed_over(told: Told) -> None:
    place = support.town()
    rider = support.courier(place, 100)
    row = owing(place, 1680)
    to_the_door(place, rider, row)
    (stop,) = dispatch.tasks(rider)
    assert stop.jobs[0].cash == 1680
    for said in (0, 1679, 1681):
        with pytest.raises(Refused, match="cash_changed") as refused:
            hand_out(rider, row, said)
        assert refused.value.facts["amount"] == 1680
    assert (told.captures, in_hand(rider), Delivery.objects.get().status) == ([], 0, "at_door")
    pay = hand_out(rider, row, 1680)
    assert pay > 0 and hand_out(rider, row, 1680) == pay
    assert (told.captures, in_hand(rider), Delivery.objects.get().status) == (
        [(row.order_id, 1680)],
        1680,
        "delivered",
    )
    assert reads.earnings(rider, support.NOON.date()).total == pay


def test_what_becomes_cheaper_on_the_way_is_refused_with_the_new_amount() -> None:
    place = support.town()
    rider = support.courier(place, 100)
    row = owing(place, 1680)
    to_the_door(place, rider, row)
    fulfilments.collect_now(actor=THE_SYSTEM, order_id=row.order_id, due=1090)
    with pytest.raises(Refused, match="cash_changed") as refused:
        hand_out(rider, row, 1680)
    assert refused.value.facts["amount"] == 1090
    hand_out(rider, row, 1090)
    assert in_hand(rider) == 1090


def test_who_does_not_pay_sends_it_back() -> None:
    place = support.town()
    rider = support.courier(place, 100)
    row = owing(place, 1680)
    to_the_door(place, rider, row)
    assert actions.incident(actor=rider, delivery_id=row.pk, kind="not_paid") == "failed"
    actions.give_back(actor=rider, delivery_id=row.pk)
    row.refresh_from_db()
    assert (row.status, row.incident, in_hand(rider)) == ("returned", "not_paid", 0)
    assert Fulfilment.objects.get().status == "returned"
    assert PaymentIntent.objects.get().captured == 0


def test_nobody_has_to_pay_what_is_paid() -> None:
    place = support.town()
    rider = support.courier(place, 100)
    row = begin(support.fulfilment(place, status="ready", ready_in=1))
    to_the_door(place, rider, row)
    with pytest.raises(Refused, match="unknown_incident"):
        actions.incident(actor=rider, delivery_id=row.pk, kind="not_paid")
    with pytest.raises(Refused, match="cash_changed"):
        hand_out(rider, row, 1680)
    hand_out(rider, row, 0)
    assert in_hand(rider) == 0


def test_an_accepted_order_with_cash_due_begins_a_delivery_with_cash() -> None:
    place = support.town()
    row = support.fulfilment(place)
    Fulfilment.objects.filter(pk=row.pk).update(collect_due=1680)
    fact = events.FulfilmentAccepted(row.pk, row.order_id, place.store.id, "delivery", row.ready_by.isoformat())
    outbox.emit(fact)
    support.settle()
    assert Delivery.objects.get().cash


def test_no_hired_fleet_is_given_cash_to_take() -> None:
    place = support.town()
    with patch.object(ports.fleets, "_filled", Hired()):
        assert owing(place, 1680).carrier == "own"
        assert begin(support.fulfilment(place)).carrier == "fleet"


def test_who_has_too_much_in_hand_is_given_no_more_of_it() -> None:
    place = support.town(policy={"courier_cash": 2999})
    full, other = support.courier(place, 50), support.courier(place, 2000)
    earn(place, full, 1000, 2000)
    assert reads.my_cash(full).full
    owed = owing(place, 1000)
    paid = begin(support.fulfilment(place, status="ready", ready_in=1))
    plan(place)
    owed.refresh_from_db()
    paid.refresh_from_db()
    assert (owed.courier_id, paid.courier_id) == (other.courier_id, full.courier_id)


def test_cash_waits_for_who_has_handed_in() -> None:
    place = support.town(policy={"courier_cash": 2999})
    rider = support.courier(place, 50)
    earn(place, rider, 3000)
    row = owing(place, 500)
    assert plan(place).assigned == 0
    assert take(place, rider, 1) == 2999
    assert plan(place).assigned == 1
    row.refresh_from_db()
    assert row.courier_id == rider.courier_id


def test_up_to_two_thousand_yuan_unless_said_otherwise() -> None:
    place = support.town()
    rider = support.courier(place, 50)
    earn(place, rider, 200_000)
    assert not reads.my_cash(rider).full
    Organisation.objects.filter(pk=place.retailer_id).update(policy={"courier_cash": 199_999})
    organisations.forget()
    assert reads.my_cash(rider).full


def test_cash_goes_from_the_hand_into_the_till() -> None:
    place = support.town(2)
    rider = support.courier(place, 100)
    earn(place, rider, 1680, 500)
    assert take(place, rider, 2000, "a") == 180
    assert take(place, rider, 180, "b", store=1) == 0
    store_cash = AccountRef(place.retailer_id, "store_cash", "CNY")
    assert (in_hand(rider), ledger.balance(store_cash)) == (0, 2180)
    mine = reads.my_cash(rider)
    assert [(one.amount, one.left, one.store_name) for one in mine.hand_ins] == [
        (180, 0, place.stores[1].name),
        (2000, 180, place.stores[0].name),
    ]


def test_saying_it_twice_takes_it_once_and_something_else_is_refused() -> None:
    place = support.town()
    rider = support.courier(place, 100)
    earn(place, rider, 1680)
    worker = at_the_till(place)
    assert take(place, rider, 800, worker=worker) == take(place, rider, 800, worker=worker) == 880
    with pytest.raises(Refused, match="key_reused"):
        take(place, rider, 80, worker=worker)
    assert (CashHandIn.objects.count(), in_hand(rider)) == (1, 880)
    assert take(place, rider, 800, worker=at_the_till(place)) == 80


@pytest.mark.parametrize("amount", [0, -1, 10**13, True, 1.5])
def test_only_amounts_are_taken(amount: int) -> None:
    place = support.town()
    rider = support.courier(place, 100)
    with pytest.raises(Refused, match="invalid"):
        take(place, rider, amount)


def test_not_more_than_is_in_hand_and_only_where_one_works() -> None:
    place, elsewhere = support.town(2), support.town()
    rider, stranger = support.courier(place, 100), support.courier(elsewhere, 100)
    earn(place, rider, 1680)
    with pytest.raises(Refused, match="not_so_much_in_hand") as refused:
        take(place, rider, 1681)
    assert refused.value.facts["in_hand"] == 1680
    with pytest.raises(Refused, match="not_found"):
        take(place, stranger, 1)
    assert rider.courier_id is not None
    for actor, code in ((at_the_till(place, 1), "not_found"), (rider, "forbidden"), (at_the_till(elsewhere), "found")):
        with pytest.raises(Refused, match=code):
            couriers.take_cash(
                actor=actor, store_id=place.store.id, courier_id=rider.courier_id, amount=1, key=ids.random_token(8)
            )
    assert in_hand(rider) == 1680


def test_a_till_sees_who_has_something_to_hand_in() -> None:
    place = support.town()
    rich, poor, _ = (support.courier(place, 100 * number, name=f"R{number}") for number in (1, 2, 3))
    for rider, amount in ((poor, 500), (rich, 1680)):
        row = owing(place, amount)
        actions.override(actor=THE_SYSTEM, delivery_id=row.pk, courier_id=rider.courier_id, why="asked", pin=True)
        for act in (actions.accept, actions.arrive_store, actions.pick_up, actions.arrive_door):
            act(actor=rider, delivery_id=row.pk)
        hand_out(rider, row, amount)
    till = reads.till(at_the_till(place), place.store.id)
    assert [(one.name, one.in_hand) for one in till.couriers] == [("R1", 1680), ("R2", 500)]
    take(place, poor, 500)
    till = reads.till(at_the_till(place), place.store.id)
    assert [one.name for one in till.couriers] == ["R1"]
    assert [(one.courier_name, one.amount) for one in till.hand_ins] == [("R2", 500)]


def test_the_audit_finds_cash_that_is_not_where_it_should_be() -> None:
    place = support.town()
    rider = support.courier(place, 100)
    earn(place, rider, 1680)
    take(place, rider, 680)
    assert support.broken() == []
    CashHandIn.objects.update(amount=681)
    found = dict(support.broken())
    assert len(found) == 2 and any("cash in hand" in words for words in found)
    CashHandIn.objects.update(amount=680)
