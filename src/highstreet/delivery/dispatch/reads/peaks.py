"""A day's deliveries as they went: from the promise, the delivery's stamps, and the history of its states."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from highstreet.delivery.promise import reads as promises
from highstreet.delivery.promise.reads import Record
from highstreet.kernel import states
from highstreet.kernel.policy import SYSTEM, Actor, require
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores

from ..models import Delivery
from ..rules.peaks import Course
from .tower import whose

Stretch = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Stamps:
    """What a delivery keeps of its moments."""

    id: UUID
    order_id: UUID
    store_id: UUID
    courier_id: UUID | None
    status: str
    created_at: datetime
    ready_at: datetime | None
    picked_up_at: datetime | None
    at_door_at: datetime | None
    ended_at: datetime | None
    pay: int


def courses(actor: Actor, city_id: UUID, start: datetime, end: datetime, store_id: UUID | None = None) -> list[Course]:
    """The deliveries promised in [start, end) that the actor may see, as they went. Three statements."""
    require(actor, "console.read")
    asked = [row for row in promises.day(city_id, start, end) if store_id in (None, row.store_id)]
    of = {row.order_id: row for row in stamps(actor, [row.order_id for row in asked])}
    # What no store has accepted yet has no delivery, and only counts.
    mine = _stores(actor, city_id)
    whole = [(row, of.get(row.order_id)) for row in asked if row.order_id in of or row.store_id in mine]
    doors = _doors([ride for ride in of.values() if ride.status == "delivered"])
    late = [ride.id for row, ride in whole if ride and ride.ended_at and ride.ended_at > row.promised_to]
    waited = _waited(late, {ride.id: ride.created_at for ride in of.values()})
    return [_course(row, ride, doors, waited) for row, ride in whole]


def stamps(actor: Actor, order_ids: list[UUID]) -> list[Stamps]:
    """Each order's latest delivery, oldest first."""
    rows = Delivery.objects.filter(order_id__in=order_ids).filter(whose(actor)).order_by("created_at", "pk")
    found = rows.values_list(*Stamps.__slots__)
    return list({row[1]: Stamps(*row) for row in found}.values())


def _stores(actor: Actor, city_id: UUID) -> set[UUID]:
    """The city's stores whose orders the actor may see."""
    own, runs = actor.organisation_id, organisations.city(city_id).retailer_id
    shops = [shop for shop in stores.stores_of(city_id) if actor.at_store(shop.id)]
    return {shop.id for shop in shops if actor.kind == SYSTEM or own in (runs, shop.organisation_id)}


def _course(
    row: Record, ride: Stamps | None, doors: dict[UUID, list[Stretch]], waited: dict[UUID, list[Stretch]]
) -> Course:
    if ride is None:
        return Course(row.made_at, row.promised_to, row.expected, row.travel_seconds)
    done = ride.ended_at if ride.status == "delivered" else None
    freed = None
    if done and ride.picked_up_at and ride.courier_id:
        until = ride.at_door_at or done
        others = [end for end, _ in doors[ride.courier_id] if ride.picked_up_at < end <= until and end < done]
        freed = max(others, default=None)
    return Course(
        row.made_at,
        row.promised_to,
        row.expected,
        row.travel_seconds,
        ride.ready_at,
        tuple(waited.get(ride.id, ())),
        ride.picked_up_at,
        freed,
        ride.at_door_at,
        done,
        ride.pay,
    )


def _doors(rides: list[Stamps]) -> dict[UUID, list[Stretch]]:
    """When each courier had done with each door, and when those goods had been picked up."""
    made: dict[UUID, list[Stretch]] = defaultdict(list)
    for ride in rides:
        if ride.courier_id and ride.ended_at and ride.picked_up_at:
            made[ride.courier_id].append((ride.ended_at, ride.picked_up_at))
    return made


def _waited(delivery_ids: list[UUID], begun: dict[UUID, datetime]) -> dict[UUID, list[Stretch]]:
    """While nobody had each of these: from its beginning, or from being taken back, until it was given."""
    since = {delivery_id: begun[delivery_id] for delivery_id in delivery_ids}
    made: dict[UUID, list[Stretch]] = defaultdict(list)
    for change in states.history(delivery_ids):
        if change.was == "waiting" and change.subject in since:
            made[change.subject].append((since.pop(change.subject), change.at))
        if change.now == "waiting":
            since[change.subject] = change.at
    return made
