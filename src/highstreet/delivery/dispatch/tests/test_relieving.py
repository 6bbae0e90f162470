"""A courier stands at a door where nobody opens: who waits behind it gets somebody else, if that is sooner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from unittest.mock import patch

import pytest

from highstreet.delivery.couriers import actions as courier_actions
from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON
from highstreet.kernel import clock, ids
from highstreet.kernel.models import StateChange
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused

from .. import actions, reads, rules, snapshot
from ..engine import Plan
from ..models import Delivery, Override
from ..reads import tracking
from ..reads.taken import taken_away
from .test_actions import begin, plan
from .test_api import Phone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
LATER = NOON + timedelta(minutes=16)


@dataclass
class Behind:
    """Ana has stood at a door for eleven minutes; `row` waits at the store for her to come back."""

    place: support.Town
    ana: Actor
    row: Delivery

    @classmethod
    def a_door(cls, *, promised: int = 25, others: int = 0) -> Behind:
        place = support.town()
        ana = support.courier(place, 0, name="Ana Lima")
        first = begin(support.fulfilment(place, 1500, status="ready", minutes=60))
        plan(place)
        actions.accept(actor=ana, delivery_id=first.pk)
        actions.pick_up(actor=ana, delivery_id=first.pk)
        with clock.frozen(NOON + timedelta(minutes=5)):
            courier_actions.report_position(actor=ana, lat=first.lat, lon=first.lon)
            row = begin(support.fulfilment(place, 500, status="ready", minutes=promised))
            behind = [row, *(begin(support.fulfilment(place, 600, status="ready", minutes=28)) for _ in range(others))]
            plan(place)
            for one in behind:
                actions.accept(actor=ana, delivery_id=one.pk)
            actions.arrive_door(actor=ana, delivery_id=first.pk)
        with clock.frozen(LATER):
            courier_actions.report_position(actor=ana, lat=first.lat, lon=first.lon)
        return cls(place, ana, row)

    def helper(self, north: float = 0.0) -> Actor:
        with clock.frozen(LATER):
            return support.courier(self.place, north, name="Ben Maia")

    def after(self, epochs: int = 2) -> Delivery:
        with clock.frozen(LATER):
            for _ in range(epochs):
                plan(self.place)
        self.row.refresh_from_db()
        return self.row


def test_who_is_idle_and_sooner_brings_it() -> None:
    behind = Behind.a_door()
    ben = behind.helper()
    row = behind.after()
    assert (row.status, row.courier_id) == ("assigned", ben.courier_id)
    assert row.eta is not None and row.eta < row.promised_to
    (why,) = Override.objects.filter(delivery=row)
    assert (why.why, why.was_courier_id, why.pinned, why.actor) == ("held_up", behind.ana.courier_id, False, "system")
    path = StateChange.objects.filter(subject=row.pk).order_by("id").values_list("event", "note")
    assert list(path) == [("assign", ""), ("accept", ""), ("let_go", "held_up"), ("assign", "")]
    with clock.frozen(LATER):
        assert len(reads.tasks(behind.ana)) == 1
        with pytest.raises(Refused, match="not_found"):
            actions.pick_up(actor=behind.ana, delivery_id=row.pk)
        (told,) = taken_away(behind.ana)
        (on_phone,) = Phone(behind.ana).send("GET", "/courier/tasks").json()["taken"]
        assert on_phone == {"order_number": told.order_number, "why": told.why}
        assert (told.order_number, told.why) == (row.order_number, "held_up")
        track = tracking.track(row.order_id)
        assert track is not None and track.other_courier
    assert taken_away(ben) == []
    again = {"was_courier_id": behind.ana.courier_id, "pinned": False, "actor": "test", "id": ids.new_id()}
    Override.objects.create(delivery=row, why="asked", at=LATER + timedelta(seconds=1), **again)
    with clock.frozen(LATER + timedelta(seconds=2)):
        assert [one.why for one in taken_away(behind.ana)] == ["asked"], "each order once, with the latest reason"
    with clock.frozen(LATER + timedelta(minutes=11)):
        assert taken_away(behind.ana) == []
    support.settle()
    assert support.broken() == []


def test_without_somebody_idle_it_stays() -> None:
    behind = Behind.a_door()
    assert behind.after().courier_id == behind.ana.courier_id


def test_what_comes_in_time_all_the_same_stays() -> None:
    behind = Behind.a_door(promised=45)
    behind.helper()
    assert behind.after().courier_id == behind.ana.courier_id


def test_who_would_be_hardly_sooner_is_not_asked() -> None:
    behind = Behind.a_door()
    behind.helper(2800)
    assert behind.after().courier_id == behind.ana.courier_id


def test_what_was_decided_by_hand_stays() -> None:
    behind = Behind.a_door()
    behind.helper()
    Delivery.objects.filter(pk=behind.row.pk).update(pinned=True)
    assert behind.after().courier_id == behind.ana.courier_id


def test_who_declined_it_or_stops_soon_is_not_counted_on() -> None:
    behind = Behind.a_door()
    ben = behind.helper()
    assert ben.courier_id is not None
    Override.objects.create(
        delivery=behind.row, was_courier_id=ben.courier_id, why="asked", pinned=False, actor="test", at=LATER
    )
    assert behind.after().courier_id == behind.ana.courier_id
    Override.objects.all().delete()
    with clock.frozen(LATER):
        courier_actions.no_more_orders(actor=ben)
    assert behind.after().courier_id == behind.ana.courier_id


def test_who_was_just_given_something_else_is_not_idle() -> None:
    behind = Behind.a_door()
    behind.helper()
    with clock.frozen(LATER):
        begin(support.fulfilment(behind.place, 300, at=LATER, status="ready", minutes=60))
    assert behind.after(1).courier_id == behind.ana.courier_id


def test_one_helper_is_counted_on_once() -> None:
    behind = Behind.a_door(others=1)
    behind.helper()
    behind.after(1)
    assert Delivery.objects.get(status="waiting") == behind.row, "what is promised first"
    behind.helper()
    assert behind.after(1).status == "assigned"
    assert Delivery.objects.filter(status="waiting").count() == 1, "and the other with the second's help"


def picked_up_since(behind: Behind) -> int:
    """Look, let Ana pick it up, then carry out what was seen: how many were let go."""
    behind.helper()
    with clock.frozen(LATER):
        seen = snapshot.take(behind.place.city_id, LATER)
        actions.pick_up(actor=behind.ana, delivery_id=behind.row.pk)
        count = actions.relieve(actor=THE_SYSTEM, seen=seen, decided=Plan(), now=LATER)
    support.settle()
    return count


def test_what_was_picked_up_since_we_looked_stays() -> None:
    behind = Behind.a_door()
    assert picked_up_since(behind) == 0
    behind.row.refresh_from_db()
    assert (behind.row.status, behind.row.courier_id) == ("picked_up", behind.ana.courier_id)
    assert support.broken() == []


def test_without_the_second_look_the_goods_would_be_nobodys() -> None:
    """The negative control."""

    def at_first_sight(actor: Actor, row: Delivery, now: datetime) -> bool:
        Delivery.objects.filter(pk=row.pk).update(status="waiting", courier_id=None, eta=None)
        return True

    with patch("highstreet.delivery.dispatch.actions.relieving._let_go", at_first_sight):
        assert picked_up_since(Behind.a_door()) == 1
    assert [says for says, _ in support.broken()] == ["what has left the store is in a courier's bag"]


def test_nobody_is_asked_about_while_all_is_well() -> None:
    behind = Behind.a_door(promised=45)
    behind.helper()
    with patch("highstreet.delivery.dispatch.reads.candidates.candidates") as candidates:
        behind.after()
    candidates.assert_not_called()


def test_who_stands_at_a_door_for_long_stands_there_longer() -> None:
    minute = timedelta(minutes=1)
    assert rules.still_there(timedelta()) == timedelta(seconds=90)
    assert rules.still_there(minute) == minute / 2
    assert rules.still_there(11 * minute) == 5.5 * minute
    assert rules.still_there(60 * minute) == 15 * minute
