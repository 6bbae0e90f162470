"""What couriers can bring in each of the next quarters of an hour, and how much of it is given away: for planners."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from highstreet.delivery.couriers import reads as couriers
from highstreet.kernel.policy import SYSTEM, Actor, require
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores

from .. import rules
from .zones import capacities, zones


@dataclass(frozen=True)
class QuarterRoom:
    """The deliveries that may end in [starts_at, +15 min), and how many of them are promised or held."""

    starts_at: datetime
    most: int
    promised: int


@dataclass(frozen=True)
class ZoneRoom:
    """Stores that the same couriers serve, how many couriers count for them, and their quarters from now on."""

    store_ids: tuple[UUID, ...]
    couriers: int
    quarters: tuple[QuarterRoom, ...]

    @property
    def free_from(self) -> datetime | None:
        """The first quarter with room."""
        return next((one.starts_at for one in self.quarters if one.promised < one.most), None)


def room(actor: Actor, city_id: UUID, at: datetime) -> list[ZoneRoom]:
    """Every zone of the city, the one with the least room first; the whole city where it is one. For its retailer's
    staff, else NOT_FOUND."""
    require(actor, "console.read")
    city = organisations.city(city_id)
    if actor.kind != SYSTEM and city.retailer_id != actor.organisation_id:
        raise Refused(NOT_FOUND)
    terms, starts = organisations.terms(city.retailer_id), rules.slot_starts(at)
    known = zones(city_id, starts[0], starts[-1])
    shops = sorted(stores.stores_of(city_id), key=lambda shop: shop.code)
    found = []
    for zone, people in zip(known.all, known.at_work(couriers.count_on_shift(city_id)), strict=True):
        bins, promised = known.quarters.get(zone, {}), known.promised.get(zone, {})
        unknown = [start for start in starts if start not in bins]
        most = {start: one.free + promised[start] for start, one in bins.items()}
        most |= zip(unknown, capacities(city_id, known, zone, unknown, terms, at), strict=True)
        found.append(
            ZoneRoom(
                tuple(shop.id for shop in shops if known.of.get(shop.id) == zone),
                people,
                tuple(QuarterRoom(start, most[start], promised.get(start, 0)) for start in starts),
            )
        )
    return sorted(found, key=lambda one: sum(quarter.most - quarter.promised for quarter in one.quarters))
