"""A recorded day, ready to be run again; and what replays have shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import Q

from highstreet.delivery.promise import reads as promises
from highstreet.delivery.promise.reads import Record
from highstreet.kernel import states
from highstreet.kernel.policy import Actor, require
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.reads import CityView
from highstreet.supply.stores import reads as stores

from .. import rules
from ..engine import SERVING
from ..engine.days.replays import Past, Trip
from ..models import Delivery, DispatchDecision, Replay
from . import turns

MINUTE = timedelta(minutes=1)
KEPT = 20
# Metres of straight line a minute where nothing was recorded: 17 km/h and streets 1.4 times as long.
USUAL_SPEED = 17_000 / 60 / 1.4


@dataclass(frozen=True)
class ReplayView:
    """One replay: what was asked, how far it is, what came of it. `failure` is a refusal's code."""

    id: UUID
    city_id: UUID
    day: date
    policy: str
    couriers: int
    roster: str
    other_day: date | None
    quantile: int
    progress: int
    failure: str
    asked_at: datetime
    finished_at: datetime | None
    result: dict[str, Any]


def replays(actor: Actor, city_id: UUID) -> list[ReplayView]:
    """The city's latest replays, newest first."""
    require(actor, "dispatch.replay")
    must_run(actor, city_id)
    return [view(row) for row in Replay.objects.filter(city_id=city_id).order_by("-asked_at", "-pk")[:KEPT]]


def replay(actor: Actor, replay_id: UUID) -> ReplayView:
    """One replay; NOT_FOUND unless the actor's organisation runs its city."""
    require(actor, "dispatch.replay")
    row = Replay.objects.filter(pk=replay_id).first()
    if row is None:
        raise Refused(NOT_FOUND)
    must_run(actor, row.city_id)
    return view(row)


def must_run(actor: Actor, city_id: UUID) -> CityView:
    """The city, if the actor's organisation retails there and the actor works at all its stores."""
    if not stores.runs_city(actor, city_id):
        raise Refused(NOT_FOUND)
    return organisations.city(city_id)


def view(row: Replay) -> ReplayView:
    return ReplayView(
        row.pk,
        row.city_id,
        row.day,
        row.policy,
        row.couriers,
        row.roster,
        row.other_day,
        row.quantile,
        row.progress,
        row.failure,
        row.asked_at,
        row.finished_at,
        row.result,
    )


def past(city_id: UUID, day: date) -> Past | None:
    """The city's local day as recorded; None when nothing that arrived can be run again. Ten statements."""
    city = organisations.city(city_id)
    start = datetime.combine(day, time.min, tzinfo=city.zone)
    end = datetime.combine(day + timedelta(days=1), time.min, tzinfo=city.zone)
    told = {row.order_id: row for row in promises.day(city_id, start, end)}
    rides = _rides(list(told))
    if not rides:
        return None
    shops = sorted({ride.store_id for ride in rides})
    places = {shop.id: turns.metres(city, shop.lat, shop.lon) for shop in stores.by_ids(shops)}
    lapses = Counter(one.subject for one in states.history([ride.pk for ride in rides]) if one.event in _LET_GO)
    trips = [
        _trip(city, start, told[ride.order_id], ride, shops.index(ride.store_id), lapses[ride.pk]) for ride in rides
    ]
    found = turns.worked(city, day)
    if not found:
        return None
    return Past(
        f"{city.code} {day}",
        _policy([ride.pk for ride in rides]),
        _speed(told, rides, trips, [places[shop] for shop in shops]),
        [places[shop] for shop in shops],
        turns.brought_by(trips, [ride.courier_id for ride in rides], found),
        found,
    )


_LET_GO = ("lapse", "let_go")


def _rides(order_ids: list[UUID]) -> list[Delivery]:
    """What arrived with all its moments. A person's door is coarse half a year later: then the day is only rough."""
    return list(
        Delivery.objects.filter(order_id__in=order_ids, status="delivered", carrier="own")
        .exclude(Q(ready_at=None) | Q(picked_up_at=None) | Q(ended_at=None))
        .order_by("created_at", "pk")
        .defer("proof")
    )


def _trip(city: CityView, start: datetime, told: Record, ride: Delivery, store: int, lapses: int) -> Trip:
    assert ride.ready_at is not None and ride.ended_at is not None
    # What was begun later because couriers were late would have been begun at once for others.
    waited = max(ride.start_at - ride.created_at, timedelta()) if ride.start_at else timedelta()
    return Trip(
        str(ride.pk),
        store,
        turns.metres(city, ride.lat, ride.lon),
        (told.made_at - start) / MINUTE,
        (ride.ready_by - waited - start) / MINUTE,
        (ride.ready_at - waited - start) / MINUTE,
        (told.expected - start) / MINUTE,
        (told.promised_to - start) / MINUTE,
        (ride.ended_at - start) / MINUTE,
        lapses,
        ride.pay,
    )


def _policy(delivery_ids: list[UUID]) -> str:
    """Which policy decided most of them."""
    rows = DispatchDecision.objects.filter(delivery_id__in=delivery_ids).exclude(policy=rules.BY_HAND)
    found = Counter(rows.values_list("policy", flat=True)).most_common(1)
    return found[0][0] if found else SERVING.name


def _speed(
    told: dict[UUID, Record], rides: list[Delivery], trips: list[Trip], shops: list[tuple[float, float]]
) -> float:
    """Metres of straight line a minute: so that rides take, all in all, as long as the roads said."""
    straight = sum(
        float(np.hypot(trip.door[0] - shops[trip.store][0], trip.door[1] - shops[trip.store][1])) for trip in trips
    )
    ridden = sum(told[ride.order_id].travel_seconds for ride in rides) / 60.0
    return straight / ridden if straight > 0 and ridden > 0 else USUAL_SPEED
