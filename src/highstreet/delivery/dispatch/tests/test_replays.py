"""A recorded day run again: the same gives the same, fewer couriers are no better, and what happened is told truly."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from highstreet.delivery.couriers.models import Shift
from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON, Town
from highstreet.delivery.promise.models import Promise
from highstreet.kernel import clock, ids
from highstreet.kernel.models import StateChange
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused

from .. import actions, replaying
from ..engine.days.replays import Past, Terms, Trip, built, happened, ran
from ..engine.days.turns import Turn
from ..models import Delivery, DispatchDecision, Replay
from ..reads import replays as reads
from ..reads.peaks import courses
from ..rules.peaks import lost


def a_day(orders: int = 90, couriers: int = 9, seed: int = 3) -> Past:
    """Three shops, an hour and a half of orders, everybody there from the beginning."""
    draw = random.Random(seed)
    shops = [(0.0, 0.0), (1500.0, 400.0), (-600.0, 1800.0)]
    trips = []
    for number in range(orders):
        store = number % 3
        placed = draw.uniform(10, 100)
        told = placed + draw.uniform(6, 12)
        expected = told + 12
        door = shops[store][0] + draw.gauss(0, 900), shops[store][1] + draw.gauss(0, 900)
        done = expected + draw.uniform(-3, 9)
        trips.append(
            Trip(
                f"o{number:03d}",
                store,
                door,
                placed,
                told,
                told + draw.uniform(-1, 3),
                expected,
                expected + 8,
                done,
                0,
                700,
            )
        )
    turns = [Turn(f"c{number}", shops[number % 3], 0.0, 240.0) for number in range(couriers)]
    return Past("a day", "timely", 200.0, shops, trips, turns)


def test_the_same_day_under_the_same_terms_gives_the_same_bytes() -> None:
    first, second = (json.dumps(ran(a_day(), Terms("timely"))) for _ in range(2))
    assert first == second
    other = json.dumps(ran(a_day(), Terms("nearest")))
    assert other != first


@pytest.mark.parametrize("policy", ["timely", "nearest", "reyes"])
def test_fewer_couriers_are_not_better(policy: str) -> None:
    whole, half = ran(a_day(), Terms(policy)), ran(a_day(), Terms(policy, couriers=40))
    assert (whole["couriers"], half["couriers"]) == (9, 4)
    assert half["late"] > whole["late"] and half["click"] > whole["click"]
    assert whole["violations"] == half["violations"] == 0


def test_more_couriers_bring_it_no_later() -> None:
    whole, many = ran(a_day(couriers=5), Terms("timely")), ran(a_day(couriers=5), Terms("timely", couriers=200))
    assert many["couriers"] == 10 and many["late"] <= whole["late"] and many["click"] < whole["click"]


def test_a_higher_quantile_promises_later_and_keeps_more() -> None:
    tight, safe = ran(a_day(), Terms("timely", quantile=50)), ran(a_day(), Terms("timely", quantile=99))
    assert safe["promised"] > tight["promised"] and safe["late"] < tight["late"]


def test_each_orders_own_promise_counts() -> None:
    day = a_day(orders=6)
    trips = [replace(trip, due=trip.placed + 100.0 + number) for number, trip in enumerate(day.trips)]
    assert built(replace(day, trips=trips), Terms("timely")).promised.tolist() == [trip.due for trip in trips]


def test_what_happened_by_the_same_definitions() -> None:
    day = a_day(orders=4)
    trips = [
        replace(trip, placed=0.0, due=30.0, done=done) for trip, done in zip(day.trips, (20, 30, 36, 40), strict=True)
    ]
    told = happened(replace(day, trips=trips, turns=day.turns[:2]))
    assert (told["late"], told["minutes_late"], told["click"], told["pay"]) == (50.0, 4.0, 31.5, 2800)
    assert (told["hours"], told["an_hour"]) == (8.0, 0.5)


YESTERDAY = NOON - timedelta(days=1)


def manager(place: Town, *permissions: str) -> Actor:
    return Actor(
        kind="staff",
        user_id=ids.new_id(),
        organisation_id=place.retailer_id,
        store_ids=None,
        permissions=frozenset(permissions or ("console.read", "dispatch.replay")),
    )


def recorded(place: Town, number: int, rider: Actor, *, late: float = 0.0) -> Delivery:
    """Yesterday's delivery number `number`: ordered three minutes after the one before, in time but for `late`."""
    at = YESTERDAY + timedelta(minutes=3 * number)
    lat, lon = support.point(400 + 90 * (number % 7), 60 * (number % 5))
    done = at + timedelta(minutes=25 + late)
    assert rider.courier_id is not None
    given = at + timedelta(minutes=8 + late)
    row = Delivery.objects.create(
        fulfilment_id=ids.new_id(),
        order_id=ids.new_id(),
        city_id=place.city_id,
        store_id=place.store.id,
        courier_id=rider.courier_id,
        status="delivered",
        lat=lat,
        lon=lon,
        promised_to=at + timedelta(minutes=30),
        ready_by=at + timedelta(minutes=12),
        ready_at=at + timedelta(minutes=12),
        distance_m=900,
        pay=700,
        created_at=at + timedelta(minutes=1),
        assigned_at=given,
        accepted_at=given,
        arrived_at=at + timedelta(minutes=13 + late),
        picked_up_at=at + timedelta(minutes=15 + late),
        at_door_at=at + timedelta(minutes=24 + late),
        ended_at=done,
    )
    Promise.objects.create(
        order_id=row.order_id,
        city_id=place.city_id,
        store_id=place.store.id,
        mode="delivery",
        promised_from=at,
        promised_to=row.promised_to,
        basis={"expected": (at + timedelta(minutes=25)).isoformat(), "travel_seconds": 540},
        made_at=at,
        fulfilled_at=done,
        outcome="broken" if late > 5 else "kept",
    )
    StateChange.objects.create(
        machine="delivery",
        subject=row.pk,
        event="assign",
        was="waiting",
        now="assigned",
        actor="system",
        at=given,
    )
    DispatchDecision.objects.create(delivery=row, courier_id=rider.courier_id, policy="timely", cost_seconds=1, at=at)
    return row


def a_city() -> tuple[Town, list[Actor]]:
    place = support.town()
    riders = [support.courier(place, 40 * number) for number in range(4)]
    Shift.objects.filter(courier_id__in=[one.courier_id for one in riders]).update(
        starts_at=YESTERDAY - timedelta(hours=1), ends_at=YESTERDAY + timedelta(hours=6)
    )
    return place, riders


@pytest.mark.django_db
def test_a_late_delivery_has_its_cause_from_what_is_recorded(noon: None) -> None:
    place, riders = a_city()
    recorded(place, 0, riders[0])
    late = recorded(place, 1, riders[1], late=10)
    found = courses(manager(place), place.city_id, YESTERDAY - timedelta(hours=1), NOON)
    assert [lost(one) for one in found[:1]] == [{}]
    # To be picked up after 15 minutes, given to a courier after 18, picked up after 25: late by five minutes.
    assert lost(found[1]) == {"capacity": 90, "courier": 210}
    other = replace(manager(place), organisation_id=ids.new_id())
    assert courses(other, place.city_id, YESTERDAY - timedelta(hours=1), NOON) == []
    assert late.pay == found[1].pay


@pytest.mark.django_db
def test_a_day_is_read_run_and_kept(noon: None) -> None:
    place, riders = a_city()
    for number in range(24):
        recorded(place, number, riders[number % 4], late=10 if number % 6 == 5 else 0)
    day = YESTERDAY.date()
    replay_id = actions.ask_replay(actor=manager(place), city_id=place.city_id, day=day, policy="nearest", couriers=50)
    with pytest.raises(Refused, match="replay_runs"):
        actions.ask_replay(actor=manager(place), city_id=place.city_id, day=day, policy="timely")
    replaying.run(replay_id)
    told = reads.replay(manager(place), replay_id)
    assert (told.progress, told.failure) == (100, "") and told.finished_at is not None
    happened_then, same, asked = (told.result[name] for name in ("happened", "same", "asked"))
    assert told.result["policy"] == "timely"
    assert happened_then["orders"] == same["orders"] == asked["orders"] == 24
    assert happened_then["late"] == pytest.approx(100 * 4 / 24, abs=0.01)
    assert (happened_then["couriers"], asked["couriers"]) == (4, 2)
    assert same["violations"] == asked["violations"] == 0 and same["delivered"] == 24
    assert asked["click"] > same["click"]
    # Done: another may be asked for, and running it again changes nothing.
    kept = Replay.objects.get(pk=replay_id).result
    replaying.run(replay_id)
    assert Replay.objects.get(pk=replay_id).result == kept
    assert [one.id for one in reads.replays(manager(place), place.city_id)] == [replay_id]


@pytest.mark.django_db
def test_a_day_without_deliveries_says_so(noon: None) -> None:
    place, _ = a_city()
    replay_id = actions.ask_replay(
        actor=manager(place), city_id=place.city_id, day=YESTERDAY.date(), policy="timely", quantile=95
    )
    replaying.run(replay_id)
    assert reads.replay(manager(place), replay_id).failure == "replay_empty"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [
        {"day": NOON.date()},
        {"day": NOON.date() + timedelta(days=3)},
        {"policy": "magic"},
        {"couriers": 9},
        {"couriers": 301},
        {"quantile": 49},
        {"quantile": 100},
    ],
)
def test_what_cannot_be_asked(noon: None, wrong: dict[str, object]) -> None:
    place, _ = a_city()
    asked = {"city_id": place.city_id, "day": YESTERDAY.date(), "policy": "timely", **wrong}
    with pytest.raises(Refused, match="invalid"):
        actions.ask_replay(actor=manager(place), **asked)  # type: ignore[arg-type]
    assert Replay.objects.count() == 0


@pytest.mark.django_db
def test_whose_city_and_who_may(noon: None) -> None:
    place, other = support.town(), support.town()
    day: date = YESTERDAY.date()
    with pytest.raises(Refused, match="not_found"):
        actions.ask_replay(actor=manager(other), city_id=place.city_id, day=day, policy="timely")
    with pytest.raises(Refused, match="forbidden"):
        actions.ask_replay(actor=manager(place, "console.read"), city_id=place.city_id, day=day, policy="timely")
    replay_id: UUID = actions.ask_replay(actor=manager(place), city_id=place.city_id, day=day, policy="timely")
    with pytest.raises(Refused, match="not_found"):
        reads.replay(manager(other), replay_id)
    bound = replace(manager(place), store_ids=frozenset())
    with pytest.raises(Refused, match="not_found"):
        reads.replays(bound, place.city_id)
    assert clock.now() > YESTERDAY and reads.replay(THE_SYSTEM, replay_id).progress == 0
