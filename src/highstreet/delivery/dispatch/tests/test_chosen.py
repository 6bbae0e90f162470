"""A delivery whose shopper chose a window: nobody's work before, and at no door too early."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.trade.fulfilment import events
from highstreet.trade.fulfilment.models import Fulfilment

from .. import actions, handlers, snapshot
from ..history import History
from ..models import Delivery
from ..reads.tower import tower

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
FIVE = NOON + timedelta(hours=5)


def begin(place: support.Town, not_before: datetime | None = FIVE) -> Delivery:
    """Accepted by its store, and packed long before."""
    row = support.fulfilment(place, status="ready", minutes=360)
    Fulfilment.objects.filter(pk=row.pk).update(not_before=not_before)
    at = NOON.isoformat()
    handlers.accepted(
        events.FulfilmentAccepted(row.pk, row.order_id, row.store_id, "delivery", row.ready_by.isoformat())
    )
    actions.mark_ready(actor=THE_SYSTEM, fulfilment_id=row.pk, at=datetime.fromisoformat(at))
    return Delivery.objects.get(fulfilment_id=row.pk)


def assigned(place: support.Town, at: datetime) -> int:
    with support.ticking(at):
        return actions.plan(actor=THE_SYSTEM, city_id=place.city_id).assigned


def test_the_dispatcher_and_the_tower_do_not_see_it_until_an_hour_before() -> None:
    place = support.town()
    support.courier(place, 0)
    assert begin(place).not_before == FIVE
    assert snapshot.take(place.city_id, NOON).waiting == []
    assert tower(THE_SYSTEM, place.city_id).orders == []
    due = FIVE - timedelta(minutes=59)
    assert len(snapshot.take(place.city_id, due).waiting) == 1
    with support.ticking(due):
        assert len(tower(THE_SYSTEM, place.city_id).orders) == 1
    assert assigned(place, due) == 0


def test_it_is_given_away_when_the_ride_has_to_begin_and_arrives_in_the_window() -> None:
    place = support.town()
    delivery = begin(place)
    at = FIVE - timedelta(minutes=10)
    with support.ticking(at):
        support.courier(place, 0)
    while not assigned(place, at):
        at += timedelta(seconds=30)
        assert at < FIVE + timedelta(minutes=15)
    delivery.refresh_from_db()
    assert delivery.eta is not None
    assert FIVE <= delivery.eta <= FIVE + timedelta(minutes=15)


def test_without_a_window_it_goes_at_once() -> None:
    place = support.town()
    support.courier(place, 0)
    begin(place, None)
    assert assigned(place, NOON) == 1


def test_a_roster_learns_of_it_when_it_was_work_not_when_it_was_ordered() -> None:
    """One of yesterday evening for this noon is today's; one for tomorrow is nobody's yet."""
    place = support.town()
    yesterday = NOON - timedelta(hours=16)
    for not_before in (NOON, NOON + timedelta(days=1)):
        Delivery.objects.filter(pk=begin(place, not_before).pk).update(created_at=yesterday)
    past = History().past(place.city_id, NOON - timedelta(days=7), NOON + timedelta(hours=12), "America/Sao_Paulo", 30)
    assert past.days == {NOON.date(): {11 * 60 + 30: 1}}


def test_what_somebody_was_given_by_hand_is_theirs_however_early() -> None:
    place = support.town()
    courier = support.courier(place, 0)
    delivery = begin(place)
    Delivery.objects.filter(pk=delivery.pk).update(status="assigned", courier_id=courier.courier_id)
    seen = snapshot.take(place.city_id, NOON)
    assert [row.pk for row in seen.live] == [delivery.pk] and seen.problem.free_in[0] > 0
    assert len(tower(THE_SYSTEM, place.city_id).orders) == 1
