"""Times that a shopper may choose, later today or tomorrow, and the promise of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from highstreet.delivery.routing import reads as routing
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.rules import Terms
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.orders.ports import PromiseOffer, Slot

from .. import rules
from ..rules import slots as chosen
from .paces import paces
from .zones import capacities, zones


@dataclass(frozen=True)
class _Basket:
    """What a window has to hold: minutes to pack it, seconds to the door, and what it may be late at the quantile."""

    mode: str
    units: int
    prep: float
    ride: float
    residual: float
    spare: float
    quantile: int


def slots(store: StoreView, lat: float, lon: float, units: int, mode: str, at: datetime) -> list[Slot]:
    """The shop's windows today and tomorrow that can still be chosen, the full ones too, which are not `free`."""
    terms, basket = _asked(store, lat, lon, units, mode, at)
    hours = _hours(store, terms, at, terms.slot_cutoff_minutes)
    bins, _ = _bins(store, hours, terms, at) if mode == "delivery" else ([], None)
    found = []
    for one in hours:
        made = _window(one, bins, basket)
        if made is None:
            # Whoever sees that an hour is full does not look for it.
            found.append(Slot(one.starts_at, one.ends_at, False))
        elif _in_hours(store, made[0], basket, at):
            found.append(Slot(one.starts_at, one.ends_at, True))
    return found


def at_slot(
    store: StoreView, lat: float, lon: float, units: int, mode: str, at: datetime, slot: datetime, *, agreed: bool
) -> PromiseOffer | None:
    """The promise of the window that begins at `slot`; None when it cannot be had (any more).

    `agreed`: the shopper chose it before, so its cut-off is over; only whether it can be done counts.
    """
    terms, basket = _asked(store, lat, lon, units, mode, at)
    cutoff = 0 if agreed else terms.slot_cutoff_minutes
    hours = [one for one in _hours(store, terms, at, cutoff) if one.starts_at == slot]
    if not hours:
        return None
    bins, zone = _bins(store, hours, terms, at) if mode == "delivery" else ([], None)
    made = _window(hours[0], bins, basket)
    if made is None or not _in_hours(store, made[0], basket, at):
        return None
    window, quarter = made
    basis = {"expected": window.expected.isoformat(), "prep_minutes": round(basket.prep, 1), "units": units}
    basis["residual_seconds"] = round(basket.residual)
    if quarter is not None:
        local = quarter.starts_at.astimezone(store.zone)
        words = f"{local:%H:%M}–{local + timedelta(minutes=rules.SLOT_MINUTES):%H:%M}"
        basis |= {"travel_seconds": round(basket.ride), "slot": quarter.starts_at.isoformat(), "slot_words": words}
        if zone is not None:
            basis["zone"] = str(zone)
    return PromiseOffer(
        window.promised_from,
        window.promised_to,
        window.ready_by,
        basket.quantile,
        basis,
        quarter.slot_id if quarter else None,
        start_at=rules.begins(window.ready_by, basket.prep, basket.spare),
        slot=hours[0].starts_at,
    )


def _asked(store: StoreView, lat: float, lon: float, units: int, mode: str, at: datetime) -> tuple[Terms, _Basket]:
    terms = organisations.terms(organisations.city(store.city_id).retailer_id)
    usual = rules.prep_minutes(store.pick_minutes_base, store.pick_seconds_per_unit, units, rules.Load(), store.kind)
    prep = usual * paces(store.city_id, at).get(store.id, 1.0)
    ride = 0.0
    if mode == "delivery":
        streets = routing.streets(store.city_id)
        ride = float(streets.from_place((store.lat, store.lon), [(lat, lon)], at=at)[0])
    residual = rules.usual_residual(mode, terms.promise_quantile)
    spare = rules.usual_residual("pickup", terms.promise_quantile)
    return terms, _Basket(mode, units, prep, ride, residual, spare, terms.promise_quantile)


def _hours(store: StoreView, terms: Terms, at: datetime, cutoff: int) -> list[chosen.Hours]:
    return chosen.windows(
        at,
        store.opens_minute,
        store.closes_minute,
        store.zone,
        minutes=terms.slot_minutes,
        cutoff=cutoff,
        days=terms.slot_days,
    )


def _bins(
    store: StoreView, hours: Sequence[chosen.Hours], terms: Terms, at: datetime
) -> tuple[list[rules.Bin], UUID | None]:
    """The windows' quarters in the store's zone, and which zone that is."""
    starts = chosen.quarters(hours)
    if not starts:
        return [], None
    known = zones(store.city_id, starts[0], starts[-1])
    if not known.knows(store.id):
        return [], None
    zone = known.of.get(store.id)
    bins = dict(known.quarters.get(zone, {}))
    unknown = [start for start in starts if start not in bins]
    for start, most in zip(unknown, capacities(store.city_id, known, zone, unknown, terms, at), strict=True):
        bins[start] = rules.Bin(start, most)
    return [bins[start] for start in starts], zone


def _window(
    hours: chosen.Hours, bins: Sequence[rules.Bin], basket: _Basket
) -> tuple[rules.Window, rules.Bin | None] | None:
    """The window's promise and the quarter that its ride takes; None when no courier is left in it."""
    if basket.mode == "pickup":
        return chosen.collected(hours), None
    free = chosen.quarter(hours, bins, basket.residual)
    if free is None:
        return None
    return chosen.delivered(hours, free, travel_seconds=basket.ride, residual_seconds=basket.residual), free


def _in_hours(store: StoreView, window: rules.Window, basket: _Basket, at: datetime) -> bool:
    """Whether the shop is open when it has to begin, which is not over yet."""
    begin = rules.begins(window.ready_by, basket.prep, 0.0)
    return begin >= at and store.is_open(begin)
