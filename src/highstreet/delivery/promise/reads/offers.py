"""Offers for a basket or a page of shops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.routing import reads as routing
from highstreet.kernel.memory import once_a_page
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.orders.ports import PromiseOffer

from .. import rules
from .lately import Lately, lately
from .paces import paces
from .zones import ZONES, Zones

PAGE_UNITS = 3
OPEN = timedelta(days=1)
# Dispatch tells its couriers' reach every minute; what is older says nothing of now.
REACH = timedelta(minutes=5)
# What a shop begins later than this is not before what is ordered now.
AHEAD = timedelta(minutes=10)


@dataclass(frozen=True)
class ShopOffer:
    """What a page says of a shop: when it could be at the door, and when a pick-up would be ready.

    None where it cannot; `opens_at` is set when it is closed now.
    """

    store_id: UUID
    open: bool
    opens_at: datetime | None
    in_reach: bool
    distance_m: int
    delivery: PromiseOffer | None
    pickup: PromiseOffer | None


@dataclass(frozen=True)
class Zone:
    """What a zone's couriers can do now: minutes until one is at a shop, and what is left of the next quarters."""

    id: UUID | None
    courier_minutes: float
    bins: list[rules.Bin]


NOWHERE = Zone(None, rules.LONGEST_WAIT_MINUTES, [])


@dataclass(frozen=True)
class Situation:
    """A city now, as offers need it. `reach`: minutes until a courier is there, by store, where dispatch knows.

    `rides`: how long who comes takes to a door, of a bicycle's seconds, likewise.
    `zones` by their id, None for a city that is one; `zone_of` each store's.
    """

    loads: dict[UUID, rules.Load]
    reach: dict[UUID, float]
    rides: dict[UUID, float]
    zones: dict[UUID | None, Zone]
    zone_of: dict[UUID, UUID]
    quantile: int
    lately: dict[str, Lately]
    paces: dict[UUID, float]

    def zone(self, shop: UUID) -> Zone:
        """The shop's; one without couriers for a shop that has none yet."""
        return self.zones.get(self.zone_of.get(shop), NOWHERE)

    def courier(self, shop: UUID) -> float:
        """Minutes until a courier stands at the shop."""
        return min(self.reach.get(shop, self.zone(shop).courier_minutes), rules.LONGEST_WAIT_MINUTES)

    def residual(self, shop: UUID, mode: str, duration: float) -> float:
        """Seconds after what is expected `duration` seconds from now."""
        return self.lately[mode].residual(shop, self.quantile, duration)


def offers_for(
    city_id: UUID, shops: Sequence[StoreView], lat: float, lon: float, at: datetime, units: int = PAGE_UNITS
) -> dict[UUID, ShopOffer]:
    """Each shop's offer for a typical basket of `units` at the point. Writes nothing; the same queries for 1 or 8."""
    now = situation(city_id, at)
    made = {}
    for shop in shops:
        is_open, metres = shop.is_open(at), shop.distance_m(lat, lon)
        reached = metres <= shop.delivery_radius_m
        ride = _ride(shop, lat, lon, at) if reached and is_open else 0.0
        made[shop.id] = ShopOffer(
            shop.id,
            is_open,
            None if is_open else shop.opens_at(at),
            reached,
            round(metres),
            _delivery(shop, ride, units, at, now) if reached and is_open else None,
            _pickup(shop, units, at, now) if is_open else None,
        )
    return made


def one(store: StoreView, lat: float, lon: float, units: int, mode: str, at: datetime) -> PromiseOffer | None:
    """The soonest window of one shop for one basket. Its slot has no id yet where nobody was promised it before."""
    if not store.is_open(at):
        return None
    if mode == "pickup":
        return _pickup(store, units, at, _at_the_shop(store, at))
    return _delivery(store, _ride(store, lat, lon, at), units, at, situation(store.city_id, at))


@once_a_page(lambda shop, lat, lon, at: (shop.id, lat, lon))
def _ride(shop: StoreView, lat: float, lon: float, at: datetime) -> float:
    """Seconds from the shop to a door; the same for each of a page's baskets."""
    return float(routing.streets(shop.city_id).from_place((shop.lat, shop.lon), [(lat, lon)], at=at)[0])


# Each shop's load (orders to pack, their units, deliveries under way), then its seconds to the next courier and how
# that one rides; then what `zones` asks for.
_SITUATION = (
    """
SELECT store_id, NULL::timestamptz,
       count(*) FILTER (WHERE ready_at IS NULL AND (start_at IS NULL OR start_at <= %(ahead)s)),
       COALESCE(sum(units) FILTER (WHERE ready_at IS NULL AND (start_at IS NULL OR start_at <= %(ahead)s)), 0)::bigint,
       count(*) FILTER (WHERE mode = 'delivery'), NULL::uuid
FROM promise_promise WHERE city_id = %(city)s AND outcome = 'open' AND COALESCE(begins_at, made_at) > %(since)s
AND (begins_at IS NULL OR begins_at <= %(now)s) GROUP BY store_id
UNION ALL
SELECT store_id, NULL, seconds, ride_percent, NULL, NULL FROM promise_courierreach
WHERE city_id = %(city)s AND at > %(fresh)s
UNION ALL """
    + ZONES
)
_LOAD = """
SELECT count(*), COALESCE(sum(units), 0)::bigint FROM promise_promise
WHERE store_id = %s AND city_id = %s AND outcome = 'open' AND ready_at IS NULL AND COALESCE(begins_at, made_at) > %s
AND (begins_at IS NULL OR begins_at <= %s) AND (start_at IS NULL OR start_at <= %s)
"""


@once_a_page(lambda city_id, at: city_id)
def situation(city_id: UUID, at: datetime) -> Situation:
    """Load, couriers, free capacity and what lately happened, in two queries (and two every few seconds)."""
    terms = organisations.terms(organisations.city(city_id).retailer_id)
    on_shift = couriers.count_on_shift(city_id)
    starts = rules.slot_starts(at)
    loads: dict[UUID, rules.Load] = {}
    riding: dict[UUID, int] = {}
    reach: dict[UUID, float] = {}
    rides: dict[UUID, float] = {}
    known = Zones(hired=couriers.hired(city_id))
    moments = {"since": at - OPEN, "first": starts[0], "last": starts[-1], "fresh": at - REACH, "now": at}
    moments |= {"ahead": at + AHEAD}
    with connection.cursor() as cursor:
        cursor.execute(_SITUATION, {"city": city_id, **moments})
        for row in cursor.fetchall():
            key, _, first, second, third, _ = row
            if known.add(row):
                continue
            if third is None:
                reach[key], rides[key] = first / 60, second / 100
            else:
                loads[key] = rules.Load(first, second)
                riding[key] = third
    return Situation(
        loads,
        reach,
        rides,
        _zones(known, on_shift, riding, starts),
        known.of,
        terms.promise_quantile,
        {mode: lately(city_id, mode, at) for mode in rules.RESIDUALS},
        paces(city_id, at),
    )


def _zones(known: Zones, on_shift: int, riding: dict[UUID, int], starts: Sequence[datetime]) -> dict[UUID | None, Zone]:
    found = {}
    for zone, people in zip(known.all, known.at_work(on_shift), strict=True):
        rows, usual = known.quarters.get(zone, {}), rules.capacity(people)
        under_way = sum(count for shop, count in riding.items() if known.of.get(shop) == zone)
        bins = [rows.get(start) or rules.Bin(start, usual) for start in starts]
        found[zone] = Zone(zone, rules.courier_minutes(under_way, people), bins)
    return found


def _at_the_shop(store: StoreView, at: datetime) -> Situation:
    """What a pick-up needs of a situation: the shop's load and how long its kind took lately. One query."""
    terms = organisations.terms(organisations.city(store.city_id).retailer_id)
    with connection.cursor() as cursor:
        cursor.execute(_LOAD, [store.id, store.city_id, at - OPEN, at, at + AHEAD])
        orders, units = cursor.fetchone()
    known = {"pickup": lately(store.city_id, "pickup", at)}
    load = {store.id: rules.Load(orders, units)}
    return Situation(load, {}, {}, {}, {}, terms.promise_quantile, known, paces(store.city_id, at))


def _delivery(shop: StoreView, ride: float, units: int, at: datetime, now: Situation) -> PromiseOffer | None:
    prep, usual = _prep(shop, units, at, now)
    zone, ride = now.zone(shop.id), ride * now.rides.get(shop.id, 1.0)
    courier = now.courier(shop.id)
    duration = rules.expected_seconds(prep=prep, travel_seconds=ride, courier=courier)
    residual = now.residual(shop.id, "delivery", duration)

    def offered(not_before: datetime | None = None) -> rules.Window:
        return rules.offer(
            at,
            prep=prep,
            travel_seconds=ride,
            courier=courier,
            residual_seconds=residual,
            not_before=not_before,
        )

    window = offered()
    chosen = rules.first_free(zone.bins, window.expected)
    if chosen is None:
        return None
    later = chosen.starts_at > window.expected
    if later:
        window = offered(chosen.starts_at)
    if window.ready_by > shop.closes_at(at):
        return None
    local = chosen.starts_at.astimezone(shop.zone)
    basis = {
        "expected": window.expected.isoformat(),
        "prep_minutes": round(prep, 1),
        "prep_usual": round(usual, 1),
        "travel_seconds": round(ride),
        "courier_minutes": round(courier, 1),
        "residual_seconds": round(residual),
        "units": units,
        "load_orders": now.loads.get(shop.id, rules.Load()).orders,
        "slot": chosen.starts_at.isoformat(),
        "slot_words": f"{local:%H:%M}–{local + timedelta(minutes=rules.SLOT_MINUTES):%H:%M}",
    }
    if zone.id is not None:
        basis["zone"] = str(zone.id)
    start = _begins(shop, units, rules.in_hand(window.expected, ride), prep, at, now)
    if start is not None:
        basis |= {"start_at": start.at.isoformat(), "prep_usual": round(start.usual, 1)}
    return PromiseOffer(
        window.promised_from,
        window.promised_to,
        start.ready_by if start else window.ready_by,
        now.quantile,
        basis,
        chosen.slot_id,
        "no_capacity" if later else "",
        start.at if start else None,
    )


@dataclass(frozen=True)
class _Start:
    """When a shop begins, has packed, and the minutes it is reckoned to take."""

    at: datetime
    ready_by: datetime
    usual: float


def _begins(shop: StoreView, units: int, comes: datetime, prep: float, at: datetime, now: Situation) -> _Start | None:
    """When the shop begins, where the courier `comes` so late that goods would stand; None: at once.

    What waits there now is packed by then, else it begins at once too: nothing is before it when it begins.
    """
    if comes < at + timedelta(minutes=prep) + rules.LEAST_WAIT:
        return None
    alone, usual = _prep(shop, units, at, now, alone=True)
    spare = now.residual(shop.id, "pickup", 60 * alone)
    found = rules.waits(
        at, comes, shop.closes_at(at), prep=alone, spare_seconds=spare, queue=timedelta(minutes=prep - alone)
    )
    return None if found is None else _Start(*found, usual)


def _pickup(shop: StoreView, units: int, at: datetime, now: Situation) -> PromiseOffer | None:
    prep, usual = _prep(shop, units, at, now)
    residual = now.residual(shop.id, "pickup", 60 * prep)
    window = rules.pickup(at, prep=prep, residual_seconds=residual)
    if window.ready_by > shop.closes_at(at):
        return None
    basis = {
        "expected": window.expected.isoformat(),
        "prep_minutes": round(prep, 1),
        "prep_usual": round(usual, 1),
        "units": units,
        "residual_seconds": round(residual),
        "load_orders": now.loads.get(shop.id, rules.Load()).orders,
    }
    return PromiseOffer(window.promised_from, window.promised_to, window.ready_by, now.quantile, basis)


def _prep(shop: StoreView, units: int, at: datetime, now: Situation, *, alone: bool = False) -> tuple[float, float]:
    """Minutes as this shop packs now and says that it is busy, and as they are reckoned of any; `alone`: with nothing
    before it."""
    load = rules.Load() if alone else now.loads.get(shop.id, rules.Load())
    usual = rules.prep_minutes(shop.pick_minutes_base, shop.pick_seconds_per_unit, units, load, shop.kind)
    return usual * now.paces.get(shop.id, 1.0) + shop.extra_minutes(at), usual
