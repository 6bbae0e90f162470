"""A day's shifts for a replay: as worked, as published, as would have been proposed, or as worked on another day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from math import cos, radians
from uuid import UUID

import numpy as np
from django.db.models import Count

from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.couriers.reads import Stint
from highstreet.delivery.routing.engine import STRAIGHT_MPS, Mode
from highstreet.supply.organisations.reads import CityView
from highstreet.supply.stores import reads as stores

from ..engine.days.replays import Trip
from ..engine.days.turns import Turn, spread
from ..models import Delivery

MINUTE = timedelta(minutes=1)
DEGREE = 111_195.0
# How couriers usually begin is read from so many days before.
USUAL = timedelta(days=28)
# A window may be chosen so long before its delivery.
CHOSEN_BEFORE = timedelta(days=15)

Point = tuple[float, float]
_Made = tuple[Point, Mode]


def of_roster(city: CityView, day: date, roster: str, other: date | None = None) -> list[Turn]:
    """The shifts of the local day under a roster: worked, planned, proposed, or other (those of the `other` day, at the
    same times by the clock). [] where there are none."""
    if roster == "planned":
        return _named(city, day, couriers.published(city.id, day))
    if roster == "proposed":
        return _unnamed(city, day, couriers.proposal(city.id, day))
    return worked(city, day, other if roster == "other" else None)


def worked(city: CityView, day: date, other: date | None = None) -> list[Turn]:
    """As worked on the day itself or the other. Positions are not kept: who worked is taken to begin at the store of
    the first pick-up, else in the middle of all of them."""
    stints = couriers.worked(city.id, other or day)
    begun = _begun(city, stints)
    homes = list(begun.values()) or [(0.0, 0.0)]
    middle = (float(np.mean([x for x, _ in homes])), float(np.mean([y for _, y in homes])))
    rides = couriers.vehicles(city.id)
    apart = (day - other).days if other else 0
    return [
        _turn(city, day, one.moved(apart, city.zone) if apart else one, begun.get(one.id, middle), _mode(rides, one))
        for one in stints
    ]


def brought_by(trips: Sequence[Trip], couriers_of: Sequence[UUID | None], turns: Sequence[Turn]) -> list[Trip]:
    """The trips with the turn in which they arrived, as a shift's orders are counted when it is paid."""
    own: dict[str, list[Turn]] = defaultdict(list)
    for turn in turns:
        own[turn.courier].append(turn)
    made = []
    for trip, courier_id in zip(trips, couriers_of, strict=True):
        within = [turn.id for turn in own[str(courier_id)] if turn.on <= trip.done <= turn.off]
        made.append(replace(trip, by=within[0] if within else ""))
    return made


def metres(city: CityView, lat: float, lon: float) -> Point:
    """North and east of the city's middle, as on a flat map."""
    return (lat - city.centre_lat) * DEGREE, (lon - city.centre_lon) * DEGREE * cos(radians(city.centre_lat))


def _named(city: CityView, day: date, stints: list[Stint]) -> list[Turn]:
    """Whoever is named begins as on the day, or as is usual where they did not come; the others as is usual."""
    begun, rides = _begun(city, stints), couriers.vehicles(city.id)
    usual = _usual(city, day, len(stints))
    return [
        _turn(city, day, one, begun.get(one.id, home), _mode(rides, one) if one.courier_id else mode)
        for one, (home, mode) in zip(stints, usual, strict=True)
    ]


def _unnamed(city: CityView, day: date, stints: list[Stint]) -> list[Turn]:
    usual = _usual(city, day, len(stints))
    return [_turn(city, day, one, home, mode) for one, (home, mode) in zip(stints, usual, strict=True)]


def _usual(city: CityView, day: date, number: int) -> list[_Made]:
    """So many beginnings and vehicles in the proportion of the weeks before the day: where goods were picked up, by
    what vehicle. A city without such weeks begins in its middle, on bicycles."""
    start = datetime.combine(day, time.min, tzinfo=city.zone)
    rides = couriers.vehicles(city.id)
    rows = Delivery.objects.filter(city_id=city.id, carrier="own", courier__isnull=False, picked_up_at__lt=start)
    rows = rows.filter(created_at__gte=start - USUAL, created_at__lt=start)
    counts: Counter[tuple[UUID, Mode]] = Counter()
    found = rows.order_by("store_id", "courier_id").values_list("store_id", "courier_id")
    for store_id, courier_id, times in found.annotate(times=Count("pk")):
        counts[store_id, rides.get(courier_id, "bike")] += times
    places = _places(city, {store_id for store_id, _ in counts})
    drawn = spread(dict(sorted(counts.items())), number)
    return [(places[store_id], mode) for store_id, mode in drawn] or [((0.0, 0.0), "bike")] * number


def _begun(city: CityView, stints: Sequence[Stint]) -> dict[str, Point]:
    """Of each shift in which something was picked up: at which store first."""
    named = {one.courier_id for one in stints if one.courier_id}
    if not named:
        return {}
    since, until = min(one.starts_at for one in stints), max(one.ends_at for one in stints)
    rows = Delivery.objects.filter(city_id=city.id, created_at__gte=since - CHOSEN_BEFORE, created_at__lt=until)
    rows = rows.filter(courier_id__in=named, picked_up_at__gte=since, picked_up_at__lte=until)
    picked: dict[UUID, list[tuple[datetime, UUID]]] = defaultdict(list)
    for courier_id, at, store_id in rows.order_by("picked_up_at", "pk").values_list(
        "courier_id", "picked_up_at", "store_id"
    ):
        if courier_id is not None and at is not None:
            picked[courier_id].append((at, store_id))
    first: dict[str, UUID] = {}
    for one in stints:
        own = picked[one.courier_id] if one.courier_id else []
        within = [store_id for at, store_id in own if one.starts_at <= at <= one.ends_at]
        if within:
            first[one.id] = within[0]
    places = _places(city, set(first.values()))
    return {stint_id: places[store_id] for stint_id, store_id in first.items()}


def _places(city: CityView, store_ids: Collection[UUID]) -> dict[UUID, Point]:
    return {shop.id: metres(city, shop.lat, shop.lon) for shop in stores.by_ids(sorted(store_ids))}


def _mode(rides: dict[UUID, Mode], stint: Stint) -> Mode:
    return rides.get(stint.courier_id, "bike") if stint.courier_id else "bike"


def _turn(city: CityView, day: date, stint: Stint, home: Point, mode: Mode) -> Turn:
    start = datetime.combine(day, time.min, tzinfo=city.zone)

    def minute(at: datetime) -> float:
        return (at - start) / MINUTE

    return Turn(
        stint.id,
        home,
        minute(stint.starts_at),
        minute(stint.ends_at),
        tuple((minute(since), minute(until)) for since, until in stint.breaks),
        STRAIGHT_MPS["bike"] / STRAIGHT_MPS[mode],
        str(stint.courier_id or ""),
        stint.guaranteed,
    )
