"""A recorded day under another roster: whose shifts they are, what they are paid, and what that does to the service."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from highstreet.delivery.couriers.models import Break, Courier, EarningRule, RosterShift, Shift
from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON, Town
from highstreet.kernel import clock, ids
from highstreet.kernel.policy import Actor
from highstreet.kernel.refusal import Refused
from highstreet.supply.organisations import reads as organisations

from .. import actions, replaying
from ..models import Delivery, Replay
from ..reads import replays as reads
from ..reads import turns
from .test_replays import YESTERDAY, a_city, manager, recorded

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
DAY = YESTERDAY.date()
BEFORE = DAY - timedelta(days=1)
HOUR = timedelta(hours=1)


def a_day(orders: int = 24) -> tuple[Town, list[Actor]]:
    """Yesterday four couriers worked seven hours each, the day before two of them two hours."""
    place, riders = a_city()
    for number in range(orders):
        recorded(place, number, riders[number % 4])
    for rider in riders[:2]:
        worked(rider, YESTERDAY - timedelta(days=1, minutes=30), 2)
    return place, riders


def worked(rider: Actor, at: datetime, hours: float) -> Shift:
    assert rider.courier_id
    return Shift.objects.create(courier_id=rider.courier_id, starts_at=at, ends_at=at + hours * HOUR)


def planned(place: Town, at: datetime, hours: float, rider: Actor | None = None) -> RosterShift:
    return RosterShift.objects.create(
        city_id=place.city_id,
        courier_id=rider.courier_id if rider else None,
        status="taken" if rider else "open",
        starts_at=at,
        ends_at=at + hours * HOUR,
    )


def ran(place: Town, **terms: Any) -> dict[str, Any]:
    """The result of a replay of yesterday by these terms."""
    replay_id = actions.ask_replay(actor=manager(place), city_id=place.city_id, day=DAY, policy="timely", **terms)
    replaying.run(replay_id)
    told = reads.replay(manager(place), replay_id)
    assert told.failure == ""
    return told.result


def test_fewer_shifts_cost_less_and_serve_later() -> None:
    """The same day as worked, by half of them, and by the two shifts of the day before."""
    place, _ = a_day()
    as_worked, half, other = ran(place), ran(place, couriers=50), ran(place, roster="other", other_day=BEFORE)
    assert as_worked["asked"] == as_worked["same"]
    hours = [one["asked"]["hours"] for one in (as_worked, half, other)]
    assert hours == [28.0, 14.0, 4.0] and as_worked["happened"]["hours"] == 28.0
    late = [one["asked"]["late"] for one in (as_worked, half, other)]
    assert late[0] < late[1] <= late[2]
    # Who went home at half past one left some of it.
    assert [one["asked"]["undelivered"] > 0 for one in (as_worked, half, other)] == [False, False, True]
    assert other["same"] == as_worked["same"] and other["asked"]["couriers"] == 2
    # At half past eleven by the clock, as on the day before; who was there in each hour.
    assert other["asked"]["there"][11:14] == [1.0, 2.0, 1.0]
    assert as_worked["same"]["there"][11:18] == [4.0] * 7


def test_what_the_couriers_cost_by_the_rule_of_that_day() -> None:
    """By hand: 24 orders at 700; of the guarantee only what was planned; the bonus from the sixth order on."""
    place, riders = a_day()
    rule = {"city_id": place.city_id, "per_order": 700, "per_km": 0}
    EarningRule.objects.create(
        **rule, starts_at=NOON - timedelta(days=20), guarantee_hour=3000, bonus_orders=6, bonus=500
    )
    EarningRule.objects.create(**rule, starts_at=NOON - timedelta(hours=1), guarantee_hour=99_000)
    organisations.forget()
    # Three hours planned of the first rider's seven, half an hour of them a break: 2.5 h are 7500, 6 orders 4200.
    planned(place, YESTERDAY, 3, riders[0])
    assert riders[0].courier_id
    mine = Shift.objects.get(courier_id=riders[0].courier_id, starts_at__gt=YESTERDAY - 2 * HOUR)
    Break.objects.create(shift=mine, starts_at=YESTERDAY + 2 * HOUR, ends_at=YESTERDAY + 2.5 * HOUR)
    result = ran(place, roster="planned")
    was, asked = result["happened"], result["asked"]
    assert (was["hours"], was["pay"], was["top_up"], was["bonus"]) == (27.5, 16_800, 3300, 2000)
    assert was["cost"] == 16_800 + 3300 + 2000
    # Alone in three hours, all of them guaranteed (9000); more orders than that earn more.
    assert was["each"] == 921  # 22 100 of 24
    assert (asked["hours"], asked["couriers"]) == (3.0, 1)
    assert asked["cost"] == asked["pay"] + max(0, 9000 - asked["pay"]) + 500


def test_a_published_roster_is_replayed_whoever_came() -> None:
    """Two named, one nobody took: the named begin where they did and ride what they ride, the other as is usual."""
    place, riders = a_day()
    assert riders[1].courier_id
    Courier.objects.filter(pk=riders[1].courier_id).update(vehicle="walk")
    for number in range(3):
        row = recorded(place, 40 + number, riders[1])
        past = YESTERDAY - timedelta(days=3)
        Delivery.objects.filter(pk=row.pk).update(created_at=past, picked_up_at=past + HOUR, ended_at=past + HOUR)
    planned(place, YESTERDAY - HOUR, 4, riders[0])
    planned(place, YESTERDAY, 4, riders[1])
    planned(place, YESTERDAY + HOUR, 2)
    RosterShift.objects.filter(courier=None).update(
        break_starts_at=YESTERDAY + 1.5 * HOUR, break_ends_at=YESTERDAY + 2 * HOUR
    )
    found = turns.of_roster(organisations.city(place.city_id), DAY, "planned")
    shop = turns.metres(organisations.city(place.city_id), place.store.lat, place.store.lon)
    assert [one.home for one in found] == [shop] * 3
    # Of the weeks before only who walked has picked up anything.
    assert [round(one.pace, 2) for one in found] == [1.0, 3.54, 3.54]
    assert [one.guaranteed for one in found] == [240, 240, 90] and found[2].paid == 90
    assert [(one.on, one.off) for one in found] == [(660, 900), (720, 960), (780, 900)]
    assert ran(place, roster="planned")["asked"]["hours"] == 9.5


def test_a_proposal_for_the_day_does_not_know_the_day() -> None:
    """A spike of that day, and one of the day after, change nothing of the shifts proposed."""
    place, riders = a_day(orders=8)
    city = organisations.city(place.city_id)
    for days in (7, 8, 14):
        for number in range(20):
            at = YESTERDAY - timedelta(days=days) + timedelta(minutes=3 * number)
            row = recorded(place, 0, riders[0])
            Delivery.objects.filter(pk=row.pk).update(created_at=at, picked_up_at=at, ended_at=at + HOUR / 3)
    before = turns.of_roster(city, DAY, "proposed")
    assert before and all(not one.courier and one.guaranteed > 0 for one in before)
    for number in range(40):
        row = recorded(place, number, riders[1])
        at = YESTERDAY + timedelta(hours=6 if number % 2 else 25)
        Delivery.objects.filter(pk=row.pk).update(created_at=at)
    assert turns.of_roster(city, DAY, "proposed") == before
    assert turns.of_roster(city, DAY + timedelta(days=1), "proposed") != before
    result = ran(place, roster="proposed")
    assert result["asked"]["couriers"] == len(before) and result["asked"]["violations"] == 0


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"roster": "planned"}, "replay_no_roster"),
        ({"roster": "proposed"}, "replay_unlearnt"),
        ({"roster": "other", "other_day": DAY - timedelta(days=9)}, "replay_no_shifts"),
        ({"roster": "other", "other_day": NOON.date()}, "replay_other_day"),
        ({"roster": "other", "other_day": NOON.date() + timedelta(days=2)}, "replay_other_day"),
        ({"roster": "other", "other_day": DAY}, "replay_other_day"),
        ({"roster": "other", "other_day": date(1, 1, 1)}, "replay_other_day"),
        ({"roster": "other"}, "replay_other_day"),
        ({"roster": "mine"}, "invalid"),
        ({"roster": "proposed", "day": date(1, 1, 1)}, "invalid"),
    ],
)
def test_a_roster_that_cannot_be_had_is_refused(terms: dict[str, Any], reason: str) -> None:
    place, _ = a_city()
    asked = {"actor": manager(place), "city_id": place.city_id, "day": DAY, "policy": "timely", **terms}
    with pytest.raises(Refused, match=reason):
        actions.ask_replay(**asked)
    assert Replay.objects.count() == 0


def test_a_roster_that_is_gone_when_its_turn_comes_is_told() -> None:
    place, _ = a_day(orders=2)
    row = planned(place, YESTERDAY, 3)
    replay_id = actions.ask_replay(
        actor=manager(place), city_id=place.city_id, day=DAY, policy="timely", roster="planned", other_day=BEFORE
    )
    # The date that was left in the form counts only for another day.
    assert reads.replay(manager(place), replay_id).other_day is None
    row.delete()
    replaying.run(replay_id)
    assert reads.replay(manager(place), replay_id).failure == "replay_no_roster"


def test_a_proposal_that_breaks_does_not_keep_the_city_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told as broken, and another can be asked for."""
    place, _ = a_day(orders=2)
    worked_on: dict[str, Any] = {"actor": manager(place), "city_id": place.city_id, "day": DAY, "policy": "timely"}
    replay_id = actions.ask_replay(**worked_on, roster="other", other_day=BEFORE)

    def no_roster(*_: object) -> None:
        raise RuntimeError("no roster")

    monkeypatch.setattr(turns, "of_roster", no_roster)
    with pytest.raises(RuntimeError, match="no roster"):
        replaying.run(replay_id)
    assert reads.replay(manager(place), replay_id).failure == "broken"
    assert actions.ask_replay(**worked_on) != replay_id


@pytest.mark.parametrize(
    "wrong", [{"roster": "mine"}, {"roster": "other"}, {"other_day": BEFORE}, {"roster": "other", "other_day": DAY}]
)
def test_the_database_keeps_no_other_roster(wrong: dict[str, Any]) -> None:
    place = support.town()
    row: dict[str, Any] = {
        "id": ids.new_id(),
        "city_id": place.city_id,
        "day": DAY,
        "policy": "timely",
        "asked_at": clock.now(),
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        Replay.objects.create(**{**row, **wrong})
    Replay.objects.create(**row, roster="other", other_day=BEFORE)
