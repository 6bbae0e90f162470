"""Offers for a basket or a page of shops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.routing import reads as routing
from highstreet.kernel import clock
from highstreet.kernel.memory import once_a_page
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.orders.ports import PromiseOffer

from .. import rules
from ..models import Promise

PAGE_UNITS = 3
OPEN = timedelta(days=1)
RECENT_HOURS = 1
RECENT_MOST = 400
RECENT_WALL_SECONDS = 5.0


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
class Situation:
    """A city now, as offers need it."""

    loads: dict[UUID, rules.Load]
    courier_minutes: float
    bins: list[rules.Bin]
    quantile: int
    residuals: dict[str, float]


def offers_for(
    city_id: UUID, shops: Sequence[StoreView], lat: float, lon: float, at: datetime, units: int = PAGE_UNITS
) -> dict[UUID, ShopOffer]:
    """Each shop's offer for a typical basket of `units` at the point. Writes nothing; the same queries for 1 or 8."""
    now = situation(city_id, at)
    streets = routing.streets(city_id)
    made = {}
    for shop in shops:
        is_open, metres = shop.is_open(at), shop.distance_m(lat, lon)
        reached = metres <= shop.delivery_radius_m
        ride = float(streets.from_place((shop.lat, shop.lon), [(lat, lon)])[0]) if reached and is_open else 0.0
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
    now = situation(store.city_id, at)
    ride = float(routing.streets(store.city_id).from_place((store.lat, store.lon), [(lat, lon)])[0])
    return _delivery(store, ride, units, at, now)


# Each shop's load (orders to pack, their units, deliveries under way), then each quarter's capacity, held, taken.
_SITUATION = """
SELECT store_id, NULL::timestamptz, count(*) FILTER (WHERE ready_at IS NULL),
       COALESCE(sum(units) FILTER (WHERE ready_at IS NULL), 0)::bigint, count(*) FILTER (WHERE mode = 'delivery')
FROM promise_promise WHERE city_id = %(city)s AND outcome = 'open' AND made_at > %(since)s GROUP BY store_id
UNION ALL
SELECT id, starts_at, capacity, held, taken FROM promise_capacityslot
WHERE city_id = %(city)s AND starts_at >= %(first)s AND starts_at <= %(last)s
"""
_LOAD = """
SELECT count(*), COALESCE(sum(units), 0)::bigint FROM promise_promise
WHERE store_id = %s AND city_id = %s AND outcome = 'open' AND ready_at IS NULL AND made_at > %s
"""


@once_a_page(lambda city_id, at: city_id)
def situation(city_id: UUID, at: datetime) -> Situation:
    """Load, couriers, free capacity and what lately happened, in two queries (and two every few seconds)."""
    terms = organisations.terms(organisations.city(city_id).retailer_id)
    on_shift = couriers.count_at_work(city_id)
    starts = rules.slot_starts(at)
    loads: dict[UUID, rules.Load] = {}
    known: dict[datetime, rules.Bin] = {}
    riding = 0
    with connection.cursor() as cursor:
        cursor.execute(_SITUATION, {"city": city_id, "since": at - OPEN, "first": starts[0], "last": starts[-1]})
        for key, starts_at, first, second, third in cursor.fetchall():
            if starts_at is None:
                loads[key] = rules.Load(first, second)
                riding += third
            else:
                known[starts_at] = rules.Bin(starts_at, first - second - third, key)
    usual = rules.capacity(on_shift)
    return Situation(
        loads,
        rules.courier_minutes(riding, on_shift),
        [known.get(start) or rules.Bin(start, usual) for start in starts],
        terms.promise_quantile,
        {mode: _residual(city_id, mode, terms.promise_quantile, at) for mode in rules.RESIDUALS},
    )


def _at_the_shop(store: StoreView, at: datetime) -> Situation:
    """What a pick-up needs of a situation: the shop's load and how long its kind took lately. One query."""
    terms = organisations.terms(organisations.city(store.city_id).retailer_id)
    with connection.cursor() as cursor:
        cursor.execute(_LOAD, [store.id, store.city_id, at - OPEN])
        orders, units = cursor.fetchone()
    residual = _residual(store.city_id, "pickup", terms.promise_quantile, at)
    return Situation({store.id: rules.Load(orders, units)}, 0.0, [], terms.promise_quantile, {"pickup": residual})


def _delivery(shop: StoreView, ride: float, units: int, at: datetime, now: Situation) -> PromiseOffer | None:
    prep = _prep(shop, units, now)
    plain = rules.offer(
        at, prep=prep, travel_seconds=ride, courier=now.courier_minutes, residual_seconds=now.residuals["delivery"]
    )
    chosen = rules.first_free(now.bins, plain.expected)
    if chosen is None:
        return None
    later = chosen.starts_at > plain.expected
    window = (
        plain
        if not later
        else rules.offer(
            at,
            prep=prep,
            travel_seconds=ride,
            courier=now.courier_minutes,
            residual_seconds=now.residuals["delivery"],
            not_before=chosen.starts_at,
        )
    )
    if window.ready_by > shop.closes_at(at):
        return None
    local = chosen.starts_at.astimezone(shop.zone)
    basis = {
        "expected": window.expected.isoformat(),
        "prep_minutes": round(prep, 1),
        "travel_seconds": round(ride),
        "courier_minutes": round(now.courier_minutes, 1),
        "residual_seconds": round(now.residuals["delivery"]),
        "units": units,
        "load_orders": now.loads.get(shop.id, rules.Load()).orders,
        "slot": chosen.starts_at.isoformat(),
        "slot_words": f"{local:%H:%M}–{local + timedelta(minutes=rules.SLOT_MINUTES):%H:%M}",
    }
    return PromiseOffer(
        window.promised_from,
        window.promised_to,
        window.ready_by,
        now.quantile,
        basis,
        chosen.slot_id,
        "no_capacity" if later else "",
    )


def _pickup(shop: StoreView, units: int, at: datetime, now: Situation) -> PromiseOffer | None:
    prep = _prep(shop, units, now)
    window = rules.pickup(at, prep=prep, residual_seconds=now.residuals["pickup"])
    if window.ready_by > shop.closes_at(at):
        return None
    basis = {
        "expected": window.expected.isoformat(),
        "prep_minutes": round(prep, 1),
        "units": units,
        "residual_seconds": round(now.residuals["pickup"]),
        "load_orders": now.loads.get(shop.id, rules.Load()).orders,
    }
    return PromiseOffer(window.promised_from, window.promised_to, window.ready_by, now.quantile, basis)


def _prep(shop: StoreView, units: int, now: Situation) -> float:
    return rules.prep_minutes(
        shop.pick_minutes_base, shop.pick_seconds_per_unit, units, now.loads.get(shop.id, rules.Load()), shop.kind
    )


_recent: dict[tuple[UUID, str, int], tuple[float, float]] = {}


def forget() -> None:
    """Drop the residuals that this process remembers for a few seconds."""
    _recent.clear()


def _residual(city_id: UUID, mode: str, quantile: int, at: datetime) -> float:
    """Seconds over what was expected, by the last hours' outcomes in this city; asked anew every few seconds."""
    key = (city_id, mode, quantile)
    kept_value = _recent.get(key)
    if kept_value is not None and kept_value[0] > clock.wall():
        return kept_value[1]
    rows = (
        Promise.objects.filter(city_id=city_id, mode=mode, fulfilled_at__gt=at - timedelta(hours=RECENT_HOURS))
        .order_by("-fulfilled_at")
        .values_list("basis__expected", "fulfilled_at")[:RECENT_MOST]
    )
    samples = [
        (done - datetime.fromisoformat(expected)).total_seconds() for expected, done in rows if expected and done
    ]
    value = rules.learned(samples, quantile, mode)
    _recent[key] = (clock.wall() + RECENT_WALL_SECONDS, value)
    return value
