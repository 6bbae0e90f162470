"""An order that rides along, on the database: where it comes among the stops, and when it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from highstreet.delivery.couriers import actions as courier_actions
from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON
from highstreet.kernel import clock
from highstreet.kernel.policy import THE_SYSTEM, Actor

from .. import actions, reads, rules, snapshot
from ..actions import planning
from ..engine import SERVING, Job, Plan, Ride
from ..models import Delivery, DispatchDecision
from .test_actions import begin, plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
MINUTE = timedelta(minutes=1)


def waits(*, doors: tuple[int, ...] = (900,)) -> tuple[support.Town, Actor, list[Delivery]]:
    """Ana is to fetch these, which are packed in three minutes."""
    place = support.town()
    ana = support.courier(place, 0)
    rows = [begin(support.fulfilment(place, north, ready_in=3, minutes=60)) for north in doors]
    assert plan(place).assigned == len(doors)
    for row in rows:
        actions.accept(actor=ana, delivery_id=row.pk)
    return place, ana, rows


def test_it_comes_between_the_doors() -> None:
    place, ana, (near, far) = waits(doors=(400, 1600))
    more = begin(support.fulfilment(place, 1000, status="ready", minutes=60))
    assert plan(place).assigned == 1
    more.refresh_from_db()
    assert (more.courier_id, more.status) == (ana.courier_id, "assigned")
    stops = reads.tasks(ana)
    assert [stop.kind for stop in stops] == ["pickup", "dropoff", "dropoff", "dropoff"]
    assert len(stops[0].jobs) == 3
    assert [stop.jobs[0].id for stop in stops[1:]] == [near.pk, more.pk, far.pk]
    assert more.eta is not None and abs((more.eta - stops[2].eta).total_seconds()) < 45
    basis = DispatchDecision.objects.get(delivery=more).basis
    assert (basis["along"], basis["free"], basis["stores"]) == (2, 0, 1)
    assert len({row.seat for row in Delivery.objects.all()}) == 3
    actions.accept(actor=ana, delivery_id=more.pk)
    support.settle()
    assert support.broken() == []


def test_what_is_planned_after_it_stays_after_it() -> None:
    place, ana, (first,) = waits(doors=(900,))
    with clock.frozen(NOON + MINUTE):
        # A later ride of hers, counted behind.
        later = begin(support.fulfilment(place, -800, status="ready", minutes=90))
        Delivery.objects.filter(pk=later.pk).update(
            courier_id=ana.courier_id, status="accepted", seat=5, sequence=7, pick=6, accepted_at=NOON
        )
        Delivery.objects.filter(pk=first.pk).update(sequence=6)
        seen = snapshot.take(place.city_id, NOON + MINUTE)
    assert seen.fetching == {}, "the next visit is not only its doors"
    more = begin(support.fulfilment(place, 1000, status="ready", minutes=60))
    job = Job(0, (0,), (0,), 0.0, 240.0, (500.0,), (), 1)
    with clock.frozen(NOON + MINUTE):
        seen = snapshot.take(place.city_id, NOON + MINUTE)
        told = rules.Fetching(place.store.id, (first.pk,), NOON, (NOON,))
        ride = Ride(0, 0, 240.0, np.array([400.0]), np.array([3000.0]), np.array([[60.0]]))
        problem = replace(seen.problem, rides=(ride,))
        seen = replace(seen, fetching={0: told}, problem=problem)
        decided = Plan((job,))
        assert planning.give(actor=THE_SYSTEM, seen=seen, decided=decided, policy="timely", now=NOON) == 1
    for row in (first, more, later):
        row.refresh_from_db()
    assert (first.sequence, more.sequence, later.sequence, later.pick) == (6, 7, 8, 6)


def test_what_was_fetched_since_we_looked_goes_without_it() -> None:
    place, _, (first,) = waits()
    more = begin(support.fulfilment(place, 1000, status="ready", minutes=60))
    with clock.frozen(NOON + MINUTE):
        seen = snapshot.take(place.city_id, NOON + MINUTE)
        decided = SERVING.assign(seen.problem)
        assert [job.place for job in decided.jobs] == [1]
        Delivery.objects.filter(pk=first.pk).update(status="picked_up")
        given = planning.give(actor=THE_SYSTEM, seen=seen, decided=decided, policy="timely", now=NOON + MINUTE)
    more.refresh_from_db()
    assert (given, more.status) == (0, "waiting")


def test_who_is_at_the_counter_with_all_of_it_packed_is_not_kept() -> None:
    place, ana, (first,) = waits()
    actions.arrive_store(actor=ana, delivery_id=first.pk)
    actions.mark_ready(actor=THE_SYSTEM, fulfilment_id=first.fulfilment_id, at=NOON)
    begin(support.fulfilment(place, 1000, status="ready", minutes=60))
    assert snapshot.take(place.city_id, NOON).fetching == {}


def test_with_goods_in_hand_the_next_visit_may_grow() -> None:
    """What is in the bag is brought first, and stays as it is."""
    place = support.town()
    ana = support.courier(place, 0)
    first = begin(support.fulfilment(place, 900, status="ready", minutes=60))
    plan(place)
    actions.pick_up(actor=ana, delivery_id=first.pk)
    with clock.frozen(NOON + 2 * MINUTE):
        lat, lon = support.point(850, 0)
        courier_actions.report_position(actor=ana, lat=lat, lon=lon)
        second = begin(support.fulfilment(place, 400, status="ready", minutes=60))
        assert plan(place).assigned == 1
        actions.accept(actor=ana, delivery_id=second.pk)
        third = begin(support.fulfilment(place, 700, status="ready", minutes=60))
        assert plan(place).assigned == 1
        third.refresh_from_db()
        assert third.courier_id == ana.courier_id
        assert [stop.jobs[0].id for stop in reads.tasks(ana) if stop.kind == "dropoff"] == [
            first.pk,
            second.pk,
            third.pk,
        ]
