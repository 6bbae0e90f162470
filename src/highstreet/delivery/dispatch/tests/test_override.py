"""Decisions by hand: who may, when, what they leave behind, and what the dispatcher does with them."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from highstreet.delivery.couriers import actions as courier_actions
from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON, Town
from highstreet.kernel import clock, ids
from highstreet.kernel.models import StateChange, Trail
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused

from .. import actions, reads
from ..engine import SERVING, Plan, Problem
from ..models import Delivery, DispatchDecision, Override
from ..reads.candidates import candidates, version
from .test_actions import begin, plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def desk(place: Town, *, stores: frozenset[UUID] | None = None, organisation: UUID | None = None) -> Actor:
    """Somebody of the retailer's customer support."""
    return Actor(
        kind="staff",
        user_id=ids.new_id(),
        organisation_id=organisation or place.retailer_id,
        store_ids=stores,
        permissions=frozenset({"console.read", "dispatch.override"}),
    )


def by_hand(place: Town, row: Delivery, rider: Actor | None, *, pin: bool = True, why: str = "late") -> Delivery:
    courier = None if rider is None else rider.courier_id
    actions.override(actor=desk(place), delivery_id=row.pk, courier_id=courier, why=why, pin=pin)
    row.refresh_from_db()
    return row


def test_a_waiting_delivery_goes_to_who_was_chosen_and_stays_there() -> None:
    place = support.town()
    support.courier(place, 50)
    far = support.courier(place, 2500)
    row = by_hand(place, begin(support.fulfilment(place, status="ready", ready_in=1)), far)
    assert (row.status, row.courier_id, row.pinned) == ("assigned", far.courier_id, True)
    assert row.eta is not None and row.eta > NOON
    decided = DispatchDecision.objects.get()
    assert (decided.policy, decided.courier_id) == ("by_hand", far.courier_id)
    assert abs(decided.cost_seconds - (row.eta - NOON).total_seconds()) < 2
    # Long past the two minutes in which it had to be accepted: the dispatcher does not take it back.
    with clock.frozen(NOON + timedelta(minutes=9)):
        assert plan(place).lapsed == 0
    row.refresh_from_db()
    assert row.courier_id == far.courier_id
    assert support.broken() == []


def test_without_a_pin_the_dispatcher_takes_it_back_in_time() -> None:
    place = support.town()
    far = support.courier(place, 2500)
    by_hand(place, begin(support.fulfilment(place, status="ready", ready_in=1)), far, pin=False)
    with clock.frozen(NOON + timedelta(minutes=9)):
        assert plan(place).lapsed == 1


def test_it_leaves_a_trail_a_history_and_the_reason() -> None:
    place = support.town()
    near, far = support.courier(place, 50), support.courier(place, 900)
    row = begin(support.fulfilment(place, status="ready", ready_in=1))
    plan(place)
    actions.accept(actor=near, delivery_id=row.pk)
    by_hand(place, row, far, why="stuck")
    last = StateChange.objects.filter(subject=row.pk).order_by("-id")[0]
    assert (last.event, last.was, last.now, last.note) == ("reassign", "accepted", "assigned", "stuck")
    assert last.actor.startswith("staff:")
    kept = Override.objects.get()
    assert (kept.was_courier_id, kept.courier_id, kept.why, kept.actor) == (
        near.courier_id,
        far.courier_id,
        "stuck",
        last.actor,
    )
    told = Trail.objects.get(action="delivery.dispatch.override")
    assert told.facts["why"] == "stuck" and {row.pk, far.courier_id} <= set(told.subjects)
    # It is no longer the first one's, and has to be accepted anew.
    with pytest.raises(Refused, match="not_found"):
        actions.arrive_store(actor=near, delivery_id=row.pk)
    assert row.accepted_at is None
    actions.accept(actor=far, delivery_id=row.pk)
    assert support.broken() == []


def test_taken_back_and_kept_it_waits_for_a_person() -> None:
    place = support.town()
    support.courier(place, 50)
    row = begin(support.fulfilment(place, status="ready", ready_in=1))
    plan(place)
    row.refresh_from_db()
    by_hand(place, row, None)
    assert (row.status, row.courier_id, row.pinned) == ("waiting", None, True)
    assert plan(place).assigned == 0
    by_hand(place, row, None, pin=False)
    assert row.status == "waiting" and not row.pinned


def test_an_epoch_that_looked_before_gives_nothing_that_was_pinned_since() -> None:
    place = support.town()
    support.courier(place, 50)
    row = begin(support.fulfilment(place, status="ready", ready_in=1))

    class Meanwhile:
        """Decides as ever, while somebody decides by hand."""

        name, every = "timely", 60.0

        def assign(self, problem: Problem) -> Plan:
            by_hand(place, row, None)
            return SERVING.assign(problem)

    assert actions.plan(actor=THE_SYSTEM, city_id=place.city_id, policy=Meanwhile()).assigned == 0
    row.refresh_from_db()
    assert (row.status, row.pinned) == ("waiting", True)


def test_taken_back_and_released_it_goes_to_somebody_else() -> None:
    place = support.town()
    near, far = support.courier(place, 50), support.courier(place, 1500)
    row = begin(support.fulfilment(place, status="ready", ready_in=1))
    plan(place)
    row.refresh_from_db()
    assert row.courier_id == near.courier_id
    actions.accept(actor=near, delivery_id=row.pk)
    # Its first decision is long ago: that alone would not keep the dispatcher from the same courier.
    with clock.frozen(NOON + timedelta(minutes=20)):
        for rider, north in ((near, 50), (far, 1500)):
            lat, lon = support.point(north, 0)
            courier_actions.report_position(actor=rider, lat=lat, lon=lon)
        by_hand(place, row, None, pin=False)
        assert plan(place).assigned == 1
    row.refresh_from_db()
    assert row.courier_id == far.courier_id


def test_what_is_picked_up_stays_where_it_is() -> None:
    place = support.town()
    near, far = support.courier(place, 50), support.courier(place, 900)
    row = begin(support.fulfilment(place, status="ready", ready_in=1))
    plan(place)
    actions.pick_up(actor=near, delivery_id=row.pk)
    for chosen in (far, None):
        with pytest.raises(Refused, match="wrong_state"):
            by_hand(place, row, chosen)
    row.refresh_from_db()
    assert (row.status, row.courier_id) == ("picked_up", near.courier_id)
    assert Override.objects.count() == 0


def test_bag_shift_city_and_reason_are_looked_at() -> None:
    place, other = support.town(), support.town()
    row = begin(support.fulfilment(place, status="ready", ready_in=1))
    full = support.courier(place, 50, capacity=1)
    by_hand(place, begin(support.fulfilment(place, status="ready", ready_in=1)), full)
    with pytest.raises(Refused, match="bag_full"):
        by_hand(place, row, full)
    gone = support.courier(place, 60)
    courier_actions.end_shift(actor=gone)
    with pytest.raises(Refused, match="courier_away"):
        by_hand(place, row, gone)
    with pytest.raises(Refused, match="not_found"):
        by_hand(place, row, support.courier(other, 60))
    with pytest.raises(Refused, match="invalid"):
        by_hand(place, row, None, why="because")
    assert Override.objects.count() == 1


def test_only_the_retailers_own_people_and_only_for_their_stores() -> None:
    place, other = support.town(stores=2), support.town()
    rider = support.courier(place, 50)
    row = begin(support.fulfilment(place, status="ready", ready_in=1))
    strangers = [
        desk(place, organisation=other.retailer_id),
        desk(place, stores=frozenset({place.stores[1].id})),
    ]
    for stranger in strangers:
        with pytest.raises(Refused, match="not_found"):
            actions.override(actor=stranger, delivery_id=row.pk, courier_id=rider.courier_id, why="late")
        with pytest.raises(Refused, match="not_found"):
            candidates(stranger, row.pk)
    with pytest.raises(Refused, match="not_signed_in"):
        actions.override(actor=rider_less(), delivery_id=row.pk, courier_id=None, why="late")


def rider_less() -> Actor:
    return Actor()


def test_who_looked_at_something_else_is_told_to_look_again() -> None:
    place = support.town()
    near, far = support.courier(place, 50), support.courier(place, 900)
    row = begin(support.fulfilment(place, status="ready", ready_in=1))
    seen = version(row.status, row.courier_id)
    plan(place)
    with pytest.raises(Refused, match="moved_on"):
        actions.override(actor=desk(place), delivery_id=row.pk, courier_id=far.courier_id, why="late", seen=seen)
    row.refresh_from_db()
    assert row.courier_id == near.courier_id


def test_a_courier_who_cannot_go_on_gives_it_back_to_the_dispatcher() -> None:
    place = support.town()
    near, far = support.courier(place, 50), support.courier(place, 900)
    row = by_hand(place, begin(support.fulfilment(place, status="ready", ready_in=1)), near)
    actions.incident(actor=near, delivery_id=row.pk, kind="cannot_go_on")
    assert plan(place).assigned == 1
    row.refresh_from_db()
    assert row.courier_id == far.courier_id


def test_candidates_are_ranked_by_the_door_and_full_bags_come_last() -> None:
    place = support.town()
    row = begin(support.fulfilment(place, status="ready", ready_in=1))
    near = support.courier(place, 40, capacity=1, name="Near Full")
    by_hand(place, begin(support.fulfilment(place, status="ready", ready_in=1)), near)
    middle, far = support.courier(place, 700), support.courier(place, 2800)
    support.courier(place)  # off shift
    found = candidates(THE_SYSTEM, row.pk)
    assert [one.courier.id for one in found] == [middle.courier_id, far.courier_id, near.courier_id]
    assert [one.room for one in found] == [3, 3, 0]
    assert found[0].door_seconds < found[1].door_seconds
    assert reads.decisions(THE_SYSTEM, row.order_id) == []


def test_what_a_fleet_brings_is_not_ours_to_give() -> None:
    place = support.town()
    near = support.courier(place, 50)
    row = begin(support.fulfilment(place, status="ready", ready_in=1))
    Delivery.objects.filter(pk=row.pk).update(carrier="fleet")
    for chosen in (near, None):
        with pytest.raises(Refused, match="wrong_state"):
            by_hand(place, row, chosen)
    row.refresh_from_db()
    assert (row.status, row.courier_id, row.pinned) == ("waiting", None, False)
