"""What each of those who look at a delivery sees: its courier, its shopper, the city's staff."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch
from uuid import UUID

import pytest

from highstreet.delivery.couriers import actions as courier_actions
from highstreet.delivery.couriers.tests import support
from highstreet.kernel import clock, ids, outbox
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.fulfilment.ports import Rider

from .. import actions, reads, rules
from ..models import Delivery
from ..reads import tracking
from .test_actions import begin, given, plan
from .test_override import by_hand

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def test_a_couriers_stops_say_where_what_and_by_when() -> None:
    place = support.town()
    rider, row = given(place)
    store, door = reads.tasks(rider)
    assert (store.kind, store.name, door.kind, door.name) == (
        "pickup",
        place.store.name,
        "dropoff",
        "Rua da Praia 10, 3º",
    )
    assert store.eta < door.eta
    (job,) = door.jobs
    assert (job.step, job.ready, job.note, job.phone_tail) == ("arrive_store", True, "ring twice", "0001")
    assert job.pay == rules.pay(600, 100, row.distance_m)
    assert len(reads.route(rider, reads.tasks(rider))) >= 3


def test_tracking_shows_the_courier_only_while_the_job_runs() -> None:
    place = support.town()
    rider = support.courier(place, 100, name="Ana Lima")
    row = begin(support.fulfilment(place, status="ready"))

    def seen() -> tracking.TrackView:
        found = tracking.track(row.order_id)
        assert found is not None
        return found

    assert (seen().status, seen().courier_name, seen().lat) == ("waiting", "", None)
    plan(place)
    assert (seen().status, seen().courier_name, seen().lat) == ("assigned", "", None)
    actions.accept(actor=rider, delivery_id=row.pk)
    assert (seen().courier_name, seen().stops_before, seen().lat, len(seen().path)) == ("Ana", 0, None, 2)
    actions.pick_up(actor=rider, delivery_id=row.pk)
    assert seen().lat is not None and seen().eta is not None
    actions.deliver(actor=rider, delivery_id=row.pk, proof_kind="code", proof="4711")
    assert (seen().status, seen().courier_name, seen().lat) == ("delivered", "", None)


def test_stops_before_mine_and_times_that_move() -> None:
    place = support.town()
    rider = support.courier(place, 0)
    rows = [begin(support.fulfilment(place, 900 + 40 * number, status="ready", minutes=60)) for number in range(2)]
    plan(place)
    for row in rows:
        row.refresh_from_db()
        actions.accept(actor=rider, delivery_id=row.pk)
        actions.pick_up(actor=rider, delivery_id=row.pk)
    ordered = sorted(rows, key=lambda row: row.sequence)
    views = [tracking.track(row.order_id) for row in ordered]
    assert [view.stops_before for view in views if view] == [0, 1]
    lat, lon = support.point(-2000, 0)
    courier_actions.report_position(actor=rider, lat=lat, lon=lon)
    with patch.object(outbox, "tell") as tell:
        plan(place)
    assert {call.args[1]["name"] for call in tell.call_args_list} >= {"eta"}
    moved = [Delivery.objects.get(pk=row.pk).eta for row in ordered]
    assert moved[0] is not None and moved[1] is not None and moved[0] < moved[1]
    assert ordered[0].eta is not None and moved[0] > ordered[0].eta


def test_the_board_is_for_the_citys_own_staff() -> None:
    place = support.town()
    rider, row = given(place)
    seen = reads.board(THE_SYSTEM, place.city_id)
    assert [(one.id, one.in_hand) for one in seen.couriers] == [(rider.courier_id, 1)]
    assert [one.order_id for one in seen.deliveries] == [row.order_id]

    def staff(organisation: UUID) -> Actor:
        return Actor(
            kind="staff", user_id=ids.new_id(), organisation_id=organisation, permissions=frozenset({"console.read"})
        )

    assert reads.board(staff(place.retailer_id), place.city_id) == seen
    with pytest.raises(Refused, match="not_found"):
        reads.board(staff(ids.new_id()), place.city_id)
    assert reads.decisions(staff(ids.new_id()), row.order_id) == []
    with pytest.raises(Refused, match="forbidden"):
        reads.board(rider, place.city_id)


def test_a_store_sees_who_has_agreed_to_fetch_its_bags_and_when() -> None:
    place = support.town()
    rider = support.courier(place, 100, name="Ana Lima")
    row = begin(support.fulfilment(place, status="ready"))
    box = row.fulfilment_id
    assert fulfilments.riders([box]) == {}
    plan(place)
    assert fulfilments.riders([box]) == {}, "an offer may be declined"
    actions.accept(actor=rider, delivery_id=row.pk)
    (told,) = fulfilments.riders([box]).values()
    assert (told.name, told.phone_tail, told.here) == ("Ana", "", False)
    assert told.arrives is not None and 0 < (told.arrives - clock.now()).total_seconds() < 120
    with clock.frozen(support.NOON + timedelta(minutes=3)):
        assert fulfilments.riders([box]) == {box: Rider("Ana", "", False)}, "nobody knows where she is by now"
    actions.arrive_store(actor=rider, delivery_id=row.pk)
    assert fulfilments.riders([box]) == {box: Rider("Ana", "", True)}
    actions.incident(actor=rider, delivery_id=row.pk, kind="cannot_go_on")
    assert fulfilments.riders([box]) == {}
    second = support.courier(place, 150, name="陈伟")
    plan(place)
    actions.accept(actor=second, delivery_id=row.pk)
    assert fulfilments.riders([box])[box].name == "陈师傅"
    actions.pick_up(actor=second, delivery_id=row.pk)
    assert fulfilments.riders([box]) == {}
    # With a bag to bring before: when they come depends on a door, and is not told.
    next_one = by_hand(place, begin(support.fulfilment(place, status="ready")), second)
    actions.accept(actor=second, delivery_id=next_one.pk)
    assert fulfilments.riders([box, next_one.fulfilment_id]) == {next_one.fulfilment_id: Rider("陈师傅", "", False)}
