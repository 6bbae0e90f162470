"""Times that a shopper may choose, later today or tomorrow, and the promise of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.routing import reads as routing
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.rules import Terms
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.orders.ports import PromiseOffer, Slot

from .. import rules
from ..models import CapacitySlot
from ..rules import slots as chosen
from .paces import paces


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
    bins = _bins(store.city_id, hours, terms, at) if mode == "delivery" else []
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
    made = _window(hours[0], _bins(store.city_id, hours, terms, at) if mode == "delivery" else [], basket)
    if made is None or not _in_hours(store, made[0], basket, at):
        return None
    window, quarter = made
    basis = {"expected": window.expected.isoformat(), "prep_minutes": round(basket.prep, 1), "units": units}
    basis["residual_seconds"] = round(basket.residual)
    if quarter is not None:
        local = quarter.starts_at.astimezone(store.zone)
        words = f"{local:%H:%M}–{local + timedelta(minutes=rules.SLOT_MINUTES):%H:%M}"
        basis |= {"travel_seconds": round(basket.ride), "slot": quarter.starts_at.isoformat(), "slot_words": words}
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


def capacities(city_id: UUID, starts: Sequence[datetime], terms: Terms, at: datetime) -> list[int]:
    """Deliveries that quarters without a row are opened for: by who works now, beyond the next hours by who will.

    Of those, only a share is given away so early; the rest is for who orders then.
    """
    near = rules.slot_starts(at)[-1]
    if not starts:
        return []
    usual = rules.capacity(couriers.count_at_work(city_id))
    later = [start for start in starts if start > near]
    people = dict(zip(later, couriers.expected(city_id, later, at), strict=True)) if later else {}
    return [
        -(-rules.capacity(people[start]) * terms.slot_share // 100) if start in people else usual for start in starts
    ]


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


def _bins(city_id: UUID, hours: Sequence[chosen.Hours], terms: Terms, at: datetime) -> list[rules.Bin]:
    starts = chosen.quarters(hours)
    if not starts:
        return []
    rows = CapacitySlot.objects.filter(city_id=city_id, starts_at__gte=starts[0], starts_at__lte=starts[-1])
    known = {row.starts_at: rules.Bin(row.starts_at, row.capacity - row.held - row.taken, row.pk) for row in rows}
    unknown = [start for start in starts if start not in known]
    for start, most in zip(unknown, capacities(city_id, unknown, terms, at), strict=True):
        known[start] = rules.Bin(start, most)
    return [known[start] for start in starts]


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
