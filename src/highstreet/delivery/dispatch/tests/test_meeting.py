"""Goods and courier meet: a store that begins later begins at once when its courier comes sooner, and nobody waits."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from unittest.mock import patch
from uuid import UUID

import pytest

from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON
from highstreet.kernel.models import OutboxEvent
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.trade.fulfilment import actions as fulfilments
from highstreet.trade.fulfilment import events
from highstreet.trade.fulfilment.models import Fulfilment

from .. import actions, handlers, meeting, ports, reads, rules, snapshot
from ..actions import planning
from ..history import History
from ..models import Delivery
from .test_override import desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
MINUTE = timedelta(minutes=1)
NEEDS = 8 * MINUTE


def begin(place: support.Town, needs: timedelta = NEEDS) -> Delivery:
    """An accepted order that its store begins in 17 minutes."""
    row = support.fulfilment(place, status="pending", minutes=60)
    start_at = NOON + 17 * MINUTE
    Fulfilment.objects.filter(pk=row.pk).update(start_at=start_at, ready_by=start_at + needs)
    fulfilments.accept(actor=THE_SYSTEM, fulfilment_id=row.pk)
    support.settle()
    return Delivery.objects.get(fulfilment_id=row.pk)


def box(row: Delivery) -> Fulfilment:
    return Fulfilment.objects.get(pk=row.fulfilment_id)


def planned(place: support.Town, at: timedelta = timedelta()) -> int:
    """How many an epoch gave away."""
    with support.ticking(NOON + at):
        return actions.plan(actor=THE_SYSTEM, city_id=place.city_id).assigned


def told_to_begin() -> int:
    return OutboxEvent.objects.filter(name="StartMoved").count()


def busy(place: support.Town, north: float) -> Actor:
    """A courier with a bag for a door far north of the store."""
    rider = support.courier(place, 100)
    ride = support.fulfilment(place, north, status="ready", ready_in=0)
    support.settle()
    handlers.accepted(events.FulfilmentAccepted(ride.pk, ride.order_id, ride.store_id, "delivery", NOON.isoformat()))
    actions.mark_ready(actor=THE_SYSTEM, fulfilment_id=ride.pk, at=NOON)
    assert planned(place) == 1
    row = Delivery.objects.get(fulfilment_id=ride.pk)
    actions.accept(actor=rider, delivery_id=row.pk)
    actions.pick_up(actor=rider, delivery_id=row.pk)
    return rider


def test_the_delivery_knows_when_its_store_begins() -> None:
    row = begin(support.town())
    assert (row.start_at, row.ready_by) == (NOON + 17 * MINUTE, NOON + 25 * MINUTE)


def test_a_chosen_window_is_begun_when_it_was_told_to() -> None:
    place = support.town()
    row = support.fulfilment(place, status="pending", minutes=60)
    Fulfilment.objects.filter(pk=row.pk).update(start_at=NOON + 17 * MINUTE, not_before=NOON + 40 * MINUTE)
    fulfilments.accept(actor=THE_SYSTEM, fulfilment_id=row.pk)
    support.settle()
    assert Delivery.objects.get().start_at is None
    support.courier(place, 100)
    planned(place)
    assert told_to_begin() == 0


def test_a_courier_who_is_near_does_not_wait_for_the_plan() -> None:
    """No spiral: the store would begin for a courier in 25 minutes, the courier would come when it is packed."""
    place = support.town()
    row = begin(place)
    support.courier(place, 600)
    assert planned(place) == 0
    row.refresh_from_db()
    assert row.start_at is not None and row.start_at - NOON < MINUTE and row.ready_by - row.start_at == NEEDS
    now = box(row)
    assert (now.start_at, now.ready_by) == (row.start_at, row.ready_by) and told_to_begin() == 1
    # As with any other order: who would not wait for more than three minutes goes.
    at = timedelta()
    while not planned(place, at):
        at += timedelta(seconds=30)
        assert at < NEEDS
    assert told_to_begin() == 1


def test_the_plan_alone_would_keep_them_apart() -> None:
    """The negative control: matched by the plan, and nobody told to begin, the courier is not sent for a quarter."""
    place = support.town()
    begin(place)
    support.courier(place, 600)
    plain = patch.object(rules, "in_hand", lambda ready_at, ready_by, start_at, now: ready_at or ready_by)
    with plain, patch.object(planning, "begin_now"):
        assert [planned(place, at * MINUTE) for at in range(0, 18, 3)] == [0] * 6
    assert told_to_begin() == 0


def test_who_comes_when_it_will_be_packed_changes_nothing() -> None:
    place = support.town()
    rider = busy(place, 2500)
    row = begin(place)
    (seconds,) = snapshot.couriers_in(snapshot.take(place.city_id, NOON, everywhere=True), place.city_id, NOON).values()
    assert seconds > NEEDS.total_seconds() and rider.courier_id is not None
    assert planned(place) == 0 and told_to_begin() == 0
    row.refresh_from_db()
    assert row.start_at == NOON + 17 * MINUTE


def test_the_store_begins_while_its_courier_is_still_busy() -> None:
    """Not told yet, as the goods are too far from ready: known to come all the same."""
    place = support.town()
    busy(place, 300)
    row = begin(place, 15 * MINUTE)
    seen = snapshot.take(place.city_id, NOON)
    assert 0 < seen.problem.free_in[0] < 300 and seen.problem.ready_in[0] == 900
    assert planned(place) == 0 and told_to_begin() == 1
    row.refresh_from_db()
    assert row.status == "waiting" and row.start_at is not None and row.start_at - NOON < MINUTE


def test_at_its_time_the_store_begins_without_being_told() -> None:
    place = support.town()
    row = begin(place)
    support.courier(place, 600)
    assert planned(place, 20 * MINUTE) == 0 and told_to_begin() == 0
    assert snapshot.take(place.city_id, NOON + 20 * MINUTE).problem.ready_in[0] == 300
    assert row.ready_by == NOON + 25 * MINUTE


def test_a_store_that_begins_by_itself_is_known_to_be_ready_sooner() -> None:
    place = support.town()
    row = begin(place)
    fulfilments.start_picking(actor=THE_SYSTEM, fulfilment_id=row.fulfilment_id)
    support.settle()
    row.refresh_from_db()
    assert row.start_at is not None and row.start_at - NOON < MINUTE and row.ready_by - row.start_at == NEEDS
    # Its own time to have packed it by is no shorter for it.
    assert box(row).start_at == row.start_at and box(row).ready_by == NOON + 25 * MINUTE
    support.courier(place, 600)
    planned(place)
    assert told_to_begin() == 1


def test_given_by_hand_the_store_begins_at_once() -> None:
    place = support.town()
    row = begin(place)
    rider = support.courier(place, 600)
    actions.override(actor=desk(place), delivery_id=row.pk, courier_id=rider.courier_id, why="late")
    row.refresh_from_db()
    assert row.ready_by - NOON < NEEDS + MINUTE and told_to_begin() == 1
    assert box(row).ready_by == row.ready_by


def test_what_a_hired_fleet_brings_is_begun_at_once() -> None:
    class Hired:
        def serving(self, *, city_id: UUID, store_ids: Collection[UUID]) -> set[UUID]:
            return set(store_ids)

        def give(self, *, delivery_id: UUID) -> None:
            assert Delivery.objects.get(pk=delivery_id).ready_by - NOON < NEEDS + MINUTE

        def courier(self, delivery_id: object) -> None: ...

    place = support.town()
    with patch.object(ports.fleets, "_filled", Hired()):
        row = begin(place)
    assert row.carrier == "fleet" and told_to_begin() == 1
    assert box(row).ready_by - NOON < NEEDS + MINUTE


def test_what_is_packed_or_begun_is_not_told_again() -> None:
    place = support.town()
    row = begin(place)
    meeting.begin_now([row, row])
    meeting.begin_now([Delivery.objects.get()])
    assert told_to_begin() == 1
    packed = begin(place)
    actions.mark_ready(actor=THE_SYSTEM, fulfilment_id=packed.fulfilment_id, at=NOON)
    meeting.begin_now([Delivery.objects.get(pk=packed.pk)])
    assert told_to_begin() == 1


def test_it_never_moves_later() -> None:
    row = begin(support.town())
    for at in (NOON + 30 * MINUTE, NOON + 10 * MINUTE, NOON + 12 * MINUTE):
        actions.store_begins(actor=THE_SYSTEM, fulfilment_id=row.fulfilment_id, at=at)
    row.refresh_from_db()
    assert (row.start_at, row.ready_by) == (NOON + 10 * MINUTE, NOON + 18 * MINUTE)


def test_by_hand_it_is_reckoned_from_now() -> None:
    place = support.town()
    row = begin(place)
    support.courier(place, 100)
    (one,) = reads.candidates.candidates(desk(place), row.pk)
    assert one.basis["wait"] + one.basis["ride"] == pytest.approx(NEEDS.total_seconds(), abs=2)


def test_rosters_learn_how_long_stores_take_not_how_long_they_were_asked_to_wait() -> None:
    place = support.town()
    begin(place)
    past = History().past(place.city_id, NOON - timedelta(days=7), NOON + timedelta(hours=1), "America/Sao_Paulo", 30)
    assert past.prepare[9] == pytest.approx(8, abs=0.1)
