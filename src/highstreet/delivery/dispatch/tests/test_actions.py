"""A delivery from the accepted order to the door, on a real database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from highstreet.delivery.couriers import actions as courier_actions
from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON
from highstreet.kernel import clock, outbox
from highstreet.kernel.models import OutboxEvent, StateChange
from highstreet.kernel.policy import NOBODY, THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.trade.fulfilment import actions as fulfilments
from highstreet.trade.fulfilment import events
from highstreet.trade.fulfilment.models import Fulfilment

from .. import actions, loop, reads, rules
from ..models import Delivery, DispatchDecision
from ..states import MACHINE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
PHOTO = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)


def begin(row: Fulfilment, *, cash: bool = False) -> Delivery:
    actions.create(
        actor=THE_SYSTEM,
        fulfilment_id=row.pk,
        order_id=row.order_id,
        order_number=row.order_number,
        store_id=row.store_id,
        lat=row.lat,
        lon=row.lon,
        promised_to=row.promised_to,
        ready_by=row.ready_by,
        cash=cash,
    )
    if row.status == "ready":
        actions.mark_ready(actor=THE_SYSTEM, fulfilment_id=row.pk, at=NOON)
    return Delivery.objects.get(fulfilment_id=row.pk)


def plan(place: support.Town) -> actions.Epoch:
    return actions.plan(actor=THE_SYSTEM, city_id=place.city_id)


def given(place: support.Town, status: str = "ready") -> tuple[Actor, Delivery]:
    """A courier with one accepted delivery."""
    rider = support.courier(place, 100)
    row = begin(support.fulfilment(place, status=status, ready_in=1))
    assert plan(place).assigned == 1
    actions.accept(actor=rider, delivery_id=row.pk)
    row.refresh_from_db()
    return rider, row


def test_an_accepted_delivery_order_begins_a_delivery_once() -> None:
    place = support.town()
    row = support.fulfilment(place)
    fact = events.FulfilmentAccepted(row.pk, row.order_id, place.store.id, "delivery", row.ready_by.isoformat())
    outbox.emit(fact)
    outbox.emit(fact)
    pick = support.fulfilment(place, mode="pickup")
    outbox.emit(events.FulfilmentAccepted(pick.pk, pick.order_id, place.store.id, "pickup", row.ready_by.isoformat()))
    support.settle()
    (made,) = Delivery.objects.all()
    assert (made.order_id, made.order_number, made.status) == (row.order_id, row.order_number, "waiting")
    assert 500 < made.distance_m < 1000
    assert made.ready_at is None
    outbox.emit(events.FulfilmentReady(row.pk, row.order_id, place.store.id, "delivery", NOON.isoformat()))
    support.settle()
    made.refresh_from_db()
    assert made.ready_at == NOON


def test_from_the_shelf_to_the_door_with_pay_and_history() -> None:
    place = support.town()
    rider, row = given(place)
    actions.arrive_store(actor=rider, delivery_id=row.pk)
    actions.pick_up(actor=rider, delivery_id=row.pk)
    assert Fulfilment.objects.get(pk=row.fulfilment_id).status == "in_transit"
    actions.arrive_door(actor=rider, delivery_id=row.pk)
    with pytest.raises(Refused, match="wrong_proof"):
        actions.deliver(actor=rider, delivery_id=row.pk, proof_kind="code", proof="0000")
    pay = actions.deliver(actor=rider, delivery_id=row.pk, proof_kind="code", proof="4711")
    assert pay == rules.pay(600, 100, row.distance_m) > 600
    assert actions.deliver(actor=rider, delivery_id=row.pk, proof_kind="code", proof="4711") == pay
    assert Fulfilment.objects.get(pk=row.fulfilment_id).status == "delivered"
    assert couriers.earnings(rider, NOON.date()).total == pay
    path = list(StateChange.objects.filter(subject=row.pk).order_by("id").values_list("event", flat=True))
    assert path == ["assign", "accept", "arrive_store", "pick_up", "arrive_door", "deliver"]
    courier_actions.end_shift(actor=rider)
    support.settle()
    assert support.broken() == []


def test_each_step_may_be_sent_again() -> None:
    place = support.town()
    rider, row = given(place)
    for act in (actions.accept, actions.arrive_store, actions.pick_up, actions.arrive_door):
        act(actor=rider, delivery_id=row.pk)
        before = OutboxEvent.objects.count()
        act(actor=rider, delivery_id=row.pk)
        assert OutboxEvent.objects.count() == before
    for act in (actions.accept, actions.arrive_store, actions.pick_up):
        act(actor=rider, delivery_id=row.pk)
    row.refresh_from_db()
    assert row.status == "at_door"


def test_the_store_may_be_first_to_say_that_it_is_gone() -> None:
    place = support.town()
    rider, row = given(place)
    fulfilments.hand_over(actor=THE_SYSTEM, fulfilment_id=row.fulfilment_id)
    support.settle()
    row.refresh_from_db()
    assert row.status == "picked_up"
    actions.pick_up(actor=rider, delivery_id=row.pk)
    assert Fulfilment.objects.get(pk=row.fulfilment_id).status == "in_transit"
    support.settle()
    assert support.broken() == []


def test_nothing_is_picked_up_before_it_is_packed() -> None:
    place = support.town()
    rider, row = given(place, status="picking")
    with pytest.raises(Refused, match="not_ready"):
        actions.pick_up(actor=rider, delivery_id=row.pk)
    row.refresh_from_db()
    assert row.status == "accepted"


def test_another_couriers_delivery_is_not_there() -> None:
    place = support.town()
    _, row = given(place)
    other = support.courier(place, 3000)
    for act in (actions.accept, actions.arrive_store, actions.pick_up, actions.arrive_door, actions.give_back):
        with pytest.raises(Refused, match="not_found"):
            act(actor=other, delivery_id=row.pk)
        with pytest.raises(Refused, match="not_signed_in"):
            act(actor=NOBODY, delivery_id=row.pk)
    with pytest.raises(Refused, match="not_found"):
        actions.deliver(actor=other, delivery_id=row.pk, proof_kind="code", proof="4711")
    with pytest.raises(Refused, match="not_found"):
        actions.incident(actor=other, delivery_id=row.pk, kind="damaged")
    assert reads.tasks(other) == []


def test_a_photo_is_proof_and_other_things_are_not() -> None:
    place = support.town()
    rider, row = given(place)
    actions.pick_up(actor=rider, delivery_id=row.pk)
    for kind, proof in (
        ("photo", "hello"),
        ("word", "x"),
        ("photo", "data:text/html;base64,AA"),
        ("photo", "data:image/png;base64,PHNjcmlwdD4="),
    ):
        with pytest.raises(Refused, match="proof_needed"):
            actions.deliver(actor=rider, delivery_id=row.pk, proof_kind=kind, proof=proof)
    with pytest.raises(Refused, match="invalid"):
        actions.deliver(actor=rider, delivery_id=row.pk, proof_kind="photo", proof=PHOTO + "A" * 500_000)
    actions.deliver(actor=rider, delivery_id=row.pk, proof_kind="photo", proof=PHOTO)


def test_nobody_home_goes_back_to_the_store_and_is_paid() -> None:
    place = support.town()
    rider, row = given(place)
    actions.pick_up(actor=rider, delivery_id=row.pk)
    with pytest.raises(Refused, match="unknown_incident"):
        actions.incident(actor=rider, delivery_id=row.pk, kind="bored")
    assert actions.incident(actor=rider, delivery_id=row.pk, kind="nobody_home") == "failed"
    assert actions.incident(actor=rider, delivery_id=row.pk, kind="nobody_home") == "failed"
    assert [stop.kind for stop in reads.tasks(rider)] == ["return"]
    with pytest.raises(Refused, match="tasks_in_hand"):
        courier_actions.end_shift(actor=rider)
    actions.give_back(actor=rider, delivery_id=row.pk)
    actions.give_back(actor=rider, delivery_id=row.pk)
    assert Fulfilment.objects.get(pk=row.fulfilment_id).status == "returned"
    assert couriers.earnings(rider, NOON.date()).count == 1
    support.settle()
    assert support.broken() == []


def test_a_flat_tyre_gives_it_to_another() -> None:
    place = support.town()
    rider, row = given(place)
    assert actions.incident(actor=rider, delivery_id=row.pk, kind="cannot_go_on") == "waiting"
    other = support.courier(place, 2500)
    assert plan(place).assigned == 1
    row.refresh_from_db()
    assert row.courier_id == other.courier_id
    assert support.broken() == []


def test_what_is_not_accepted_in_two_minutes_is_given_to_another() -> None:
    place = support.town()
    near, far = support.courier(place, 10), support.courier(place, 2500)
    row = begin(support.fulfilment(place, status="ready"))
    plan(place)
    row.refresh_from_db()
    assert row.courier_id == near.courier_id
    with clock.advanced(timedelta(seconds=90)):
        assert plan(place) == actions.Epoch(0, 0, 0)
    with clock.advanced(timedelta(seconds=130)):
        assert plan(place) == actions.Epoch(1, 1, 0)
        row.refresh_from_db()
        assert row.courier_id == far.courier_id
        with pytest.raises(Refused, match="not_found"):
            actions.accept(actor=near, delivery_id=row.pk)
        actions.accept(actor=far, delivery_id=row.pk)
    assert support.broken() == []


def test_a_cancelled_order_leaves_the_couriers_list() -> None:
    place = support.town()
    rider, row = given(place)
    outbox.emit(events.FulfilmentCancelled(row.fulfilment_id, row.order_id, place.store.id, "customer"))
    support.settle()
    row.refresh_from_db()
    assert row.status == "cancelled" and reads.tasks(rider) == []
    with pytest.raises(Refused, match="wrong_state"):
        actions.arrive_store(actor=rider, delivery_id=row.pk)
    courier_actions.end_shift(actor=rider)


def test_nobody_gets_more_than_the_bag_holds() -> None:
    place = support.town()
    riders = [support.courier(place, 50 * number, capacity=2) for number in range(3)]
    for number in range(12):
        begin(support.fulfilment(place, 400 + 10 * number, status="ready", minutes=60))
    for _ in range(6):
        plan(place)
    rows = Delivery.objects.filter(status="assigned")
    loads = [sum(row.courier_id == rider.courier_id for row in rows) for rider in riders]
    assert max(loads) <= 2 and sum(loads) >= 3
    assert support.broken() == []


def test_off_shift_or_without_a_position_nobody_is_asked() -> None:
    place = support.town()
    support.courier(place)
    waiting = support.courier(place)
    courier_actions.start_shift(actor=waiting)
    begin(support.fulfilment(place, status="ready"))
    assert plan(place).assigned == 0


def test_the_decision_is_kept_with_its_alternatives() -> None:
    place = support.town()
    support.courier(place, 10)
    support.courier(place, 2500)
    row = begin(support.fulfilment(place, status="ready"))
    plan(place)
    decision = DispatchDecision.objects.get(delivery=row)
    assert decision.policy == "timely" and len(decision.alternatives) == 1
    assert 0 < decision.cost_seconds < decision.alternatives[0]["cost"]
    (view,) = reads.decisions(THE_SYSTEM, row.order_id)
    assert view.cost_seconds == decision.cost_seconds


@pytest.mark.parametrize("state", sorted(MACHINE.states()))
def test_every_event_in_every_state_is_in_the_table_or_refused(state: str) -> None:
    """D2: undefined pairs are refused and leave the row as it was."""
    from highstreet.kernel.states import move

    place = support.town()
    rider = support.courier(place)
    base = begin(support.fulfilment(place))
    for event in sorted({event for _, event in MACHINE.table}):
        owner = None if state == "waiting" else rider.courier_id
        Delivery.objects.filter(pk=base.pk).update(status=state, courier_id=owner)
        row = Delivery.objects.get(pk=base.pk)
        target = MACHINE.table.get((state, event))
        columns: dict[str, Any] = {"courier_id": rider.courier_id} if event == "assign" else {}
        if target == "waiting":
            columns = {"courier_id": None}
        if target is None:
            with pytest.raises(Refused, match="wrong_state"):
                move(MACHINE, row, event, actor="test", **columns)
            assert Delivery.objects.get(pk=base.pk).status == state
        else:
            assert move(MACHINE, row, event, actor="test", **columns) == target


def test_an_epoch_of_the_loop_plans_and_opens_capacity() -> None:
    place = support.town()
    rider = support.courier(place, 10)
    row = begin(support.fulfilment(place, status="ready"))
    loop.epoch(place.city_id, with_capacity=True)
    row.refresh_from_db()
    assert row.courier_id == rider.courier_id
    assert reads.cycle_minutes(place.city_id) == reads.DEFAULT_CYCLE_MINUTES


def test_the_courier_at_the_counter_is_told_once_that_the_bag_is_packed() -> None:
    place = support.town()
    rider, row = given(place, status="picking")
    for minutes in (0, 1):
        actions.mark_ready(actor=THE_SYSTEM, fulfilment_id=row.fulfilment_id, at=NOON + timedelta(minutes=minutes))
    (told,) = OutboxEvent.objects.filter(name="DeliveryReady")
    assert f"courier:{rider.courier_id}" in told.topics and f"order:{row.order_id}" in told.topics
    row.refresh_from_db()
    assert row.ready_at == NOON
