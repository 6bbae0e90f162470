"""Offers for a basket or a page of shops; what came of the promises that were made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any
from uuid import UUID

from django.db.models import Avg, Count, F, Q, QuerySet, Sum
from django.db.models.functions import ExtractHour, TruncDate

from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.routing import reads as routing
from highstreet.kernel import clock
from highstreet.kernel.policy import SYSTEM, Actor, require
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.orders.ports import PromiseOffer

from . import rules
from .models import CapacitySlot, Promise

PAGE_UNITS = 3
RECENT_HOURS = 3
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
class KeptDay:
    """A local day's promises. `percent` of those judged were kept; minutes from promise made to fulfilled."""

    day: date
    mode: str
    made: int
    kept: int
    broken: int
    void: int
    open: int
    quantile: int
    mean_minutes: float | None
    credit: int

    @property
    def percent(self) -> float | None:
        judged = self.kept + self.broken
        return round(100 * self.kept / judged, 1) if judged else None


@dataclass(frozen=True)
class PromiseView:
    """What an order was promised and what came of it: open, kept, broken or void."""

    order_id: UUID
    mode: str
    quantile: int
    promised_from: datetime
    promised_to: datetime
    basis: dict[str, Any]
    outcome: str
    fulfilled_at: datetime | None
    late_seconds: int | None
    compensation: int


@dataclass(frozen=True)
class Situation:
    """A city now, as offers need it."""

    loads: dict[UUID, rules.Load]
    courier_minutes: float
    bins: list[rules.Bin]
    quantile: int
    residuals: dict[str, float]


def offers_for(
    city_id: UUID, store_ids: Sequence[UUID], lat: float, lon: float, at: datetime, units: int = PAGE_UNITS
) -> dict[UUID, ShopOffer]:
    """Each shop's offer for a typical basket of `units` at the point. Writes nothing; the same queries for 1 or 8."""
    wanted = set(store_ids)
    shops = [shop for shop in stores.stores_of(city_id) if shop.id in wanted]
    now = situation(city_id, at)
    streets = routing.streets(city_id)
    made = {}
    for shop in shops:
        is_open, metres = shop.is_open(at), shop.distance_m(lat, lon)
        reached = metres <= shop.delivery_radius_m
        ride = float(streets.from_place((shop.lat, shop.lon), [(lat, lon)])[0]) if reached and is_open else 0.0
        made[shop.id] = ShopOffer(
            shop.id, is_open, None if is_open else shop.opens_at(at), reached, round(metres),
            _delivery(shop, ride, units, at, now) if reached and is_open else None,
            _pickup(shop, units, at, now) if is_open else None,
        )
    return made


def one(store: StoreView, lat: float, lon: float, units: int, mode: str, at: datetime) -> PromiseOffer | None:
    """The soonest window of one shop for one basket. Its slot has no id yet where nobody was promised it before."""
    if not store.is_open(at):
        return None
    now = situation(store.city_id, at)
    if mode == "pickup":
        return _pickup(store, units, at, now)
    ride = float(routing.streets(store.city_id).from_place((store.lat, store.lon), [(lat, lon)])[0])
    return _delivery(store, ride, units, at, now)


def situation(city_id: UUID, at: datetime) -> Situation:
    """Load, couriers, free capacity and what lately happened, in three queries (and two every few seconds)."""
    terms = organisations.terms(organisations.city(city_id).retailer_id)
    on_shift = couriers.count_on_shift(city_id)
    loads: dict[UUID, rules.Load] = {}
    riding = 0
    rows = Promise.objects.filter(city_id=city_id, outcome="open", made_at__gt=at - timedelta(days=1))
    for store_id, packing, units, deliveries in rows.values_list("store_id").annotate(
            packing=Count("pk", filter=Q(ready_at=None)), waiting=Sum("units", filter=Q(ready_at=None)),
            deliveries=Count("pk", filter=Q(mode="delivery"))):
        loads[store_id] = rules.Load(packing, units or 0)
        riding += deliveries
    starts = rules.slot_starts(at)
    usual = rules.capacity(on_shift)
    known = {
        starts_at: rules.Bin(starts_at, capacity - held - taken, slot_id)
        for slot_id, starts_at, capacity, held, taken in CapacitySlot.objects.filter(
            city_id=city_id, starts_at__gte=starts[0], starts_at__lte=starts[-1],
        ).values_list("id", "starts_at", "capacity", "held", "taken")
    }
    return Situation(
        loads, rules.courier_minutes(riding, on_shift),
        [known.get(start) or rules.Bin(start, usual) for start in starts], terms.promise_quantile,
        {mode: _residual(city_id, mode, terms.promise_quantile, at) for mode in rules.RESIDUALS},
    )


def promise(order_id: UUID) -> PromiseView | None:
    """What an order was promised. Whoever calls has checked that the order may be seen."""
    row = Promise.objects.filter(order_id=order_id).first()
    if row is None:
        return None
    return PromiseView(row.order_id, row.mode, row.quantile, row.promised_from, row.promised_to, row.basis,
                       row.outcome, row.fulfilled_at, row.late_seconds, row.compensation)


def kept(actor: Actor, city_id: UUID, start: date, end: date) -> list[KeptDay]:
    """Promises made on the local days [start, end), by day and mode, newest first."""
    require(actor, "console.read")
    city = organisations.city(city_id)
    if actor.kind != SYSTEM and actor.organisation_id != city.retailer_id:
        raise Refused(NOT_FOUND)
    first = datetime(start.year, start.month, start.day, tzinfo=city.zone)
    last = datetime(end.year, end.month, end.day, tzinfo=city.zone)
    rows = (
        Promise.objects.filter(city_id=city_id, made_at__gte=first, made_at__lt=last)
        .annotate(day=TruncDate("made_at", tzinfo=city.zone)).values("day", "mode")
        .annotate(
            made=Count("pk"), kept=Count("pk", filter=Q(outcome="kept")),
            broken=Count("pk", filter=Q(outcome="broken")), void=Count("pk", filter=Q(outcome="void")),
            open=Count("pk", filter=Q(outcome="open")), mean=Avg(F("fulfilled_at") - F("made_at")),
            asked=Avg("quantile"), credit=Sum("compensation"),
        ).order_by("-day", "mode")
    )
    return [
        KeptDay(row["day"], row["mode"], row["made"], row["kept"], row["broken"], row["void"], row["open"],
                round(row["asked"]), round(row["mean"].total_seconds() / 60, 1) if row["mean"] else None,
                row["credit"] or 0)
        for row in rows
    ]


def _delivery(shop: StoreView, ride: float, units: int, at: datetime, now: Situation) -> PromiseOffer | None:
    prep = _prep(shop, units, now)
    plain = rules.offer(at, prep=prep, travel_seconds=ride, courier=now.courier_minutes,
                        residual_seconds=now.residuals["delivery"])
    chosen = rules.first_free(now.bins, plain.expected)
    if chosen is None:
        return None
    later = chosen.starts_at > plain.expected
    window = plain if not later else rules.offer(
        at, prep=prep, travel_seconds=ride, courier=now.courier_minutes, residual_seconds=now.residuals["delivery"],
        not_before=chosen.starts_at)
    if window.ready_by > shop.closes_at(at):
        return None
    local = chosen.starts_at.astimezone(shop.zone)
    basis = {
        "expected": window.expected.isoformat(), "prep_minutes": round(prep, 1), "travel_seconds": round(ride),
        "courier_minutes": round(now.courier_minutes, 1), "residual_seconds": round(now.residuals["delivery"]),
        "units": units, "load_orders": now.loads.get(shop.id, rules.Load()).orders,
        "slot": chosen.starts_at.isoformat(),
        "slot_words": f"{local:%H:%M}–{local + timedelta(minutes=rules.SLOT_MINUTES):%H:%M}",
    }
    return PromiseOffer(window.promised_from, window.promised_to, window.ready_by, now.quantile, basis,
                        chosen.slot_id, "no_capacity" if later else "")


def _pickup(shop: StoreView, units: int, at: datetime, now: Situation) -> PromiseOffer | None:
    prep = _prep(shop, units, now)
    window = rules.pickup(at, prep=prep, residual_seconds=now.residuals["pickup"])
    if window.ready_by > shop.closes_at(at):
        return None
    basis = {
        "expected": window.expected.isoformat(), "prep_minutes": round(prep, 1), "units": units,
        "residual_seconds": round(now.residuals["pickup"]),
        "load_orders": now.loads.get(shop.id, rules.Load()).orders,
    }
    return PromiseOffer(window.promised_from, window.promised_to, window.ready_by, now.quantile, basis)


def _prep(shop: StoreView, units: int, now: Situation) -> float:
    return rules.prep_minutes(shop.pick_minutes_base, shop.pick_seconds_per_unit, units,
                              now.loads.get(shop.id, rules.Load()), shop.kind)


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
        .order_by("-fulfilled_at").values_list("basis__expected", "fulfilled_at")[:RECENT_MOST]
    )
    samples = [(done - datetime.fromisoformat(expected)).total_seconds() for expected, done in rows
               if expected and done]
    value = rules.learned(samples, quantile, mode)
    _recent[key] = (clock.wall() + RECENT_WALL_SECONDS, value)
    return value


@dataclass(frozen=True)
class Tally:
    """Promises of one day, hour or shop (`key`), and what came of them."""

    key: date | int | UUID
    kept: int
    broken: int
    open: int
    void: int

    @property
    def judged(self) -> int:
        return self.kept + self.broken


@dataclass(frozen=True)
class CaseView:
    """One promise, to be looked into. `late_seconds` < 0: in time; None until it is judged."""

    order_id: UUID
    store_id: UUID
    mode: str
    quantile: int
    made_at: datetime
    promised_to: datetime
    fulfilled_at: datetime | None
    late_seconds: int | None
    outcome: str
    compensation: int


def tally(actor: Actor, start: datetime, end: datetime, by: str, zone: tzinfo) -> list[Tally]:
    """Promises made in [start, end) that the actor's organisation made or kept, by "day", "hour" or "store"."""
    what = {"day": TruncDate("made_at", tzinfo=zone), "hour": ExtractHour("made_at", tzinfo=zone), "store": F("store")}
    rows = (
        _of_staff(actor).filter(made_at__gte=start, made_at__lt=end).annotate(key=what[by]).values("key")
        .annotate(
            kept=Count("pk", filter=Q(outcome="kept")), broken=Count("pk", filter=Q(outcome="broken")),
            open=Count("pk", filter=Q(outcome="open")), void=Count("pk", filter=Q(outcome="void")),
        ).order_by("key")
    )
    return [Tally(row["key"], row["kept"], row["broken"], row["open"], row["void"]) for row in rows]


def worst(actor: Actor, start: datetime, end: datetime, limit: int = 20) -> list[CaseView]:
    """The broken promises made in [start, end), the latest arrivals first; never fulfilled ones on top."""
    rows = _of_staff(actor).filter(made_at__gte=start, made_at__lt=end, outcome="broken")
    return _cases(rows.order_by(F("late_seconds").desc(nulls_first=True), "made_at")[:limit])


def still_open(actor: Actor, limit: int = 300) -> list[CaseView]:
    """What is promised and not yet done, the most urgent first."""
    return _cases(_of_staff(actor).filter(outcome="open").order_by("promised_to", "pk")[:limit])


def _of_staff(actor: Actor) -> QuerySet[Promise]:
    require(actor, "console.read")
    own = actor.organisation_id
    if actor.kind == SYSTEM:
        return Promise.objects.all()
    if own is None:
        return Promise.objects.none()
    return Promise.objects.filter(Q(city__retailer_id=own) | Q(store__organisation_id=own))


def _cases(rows: QuerySet[Promise]) -> list[CaseView]:
    return [
        CaseView(row.order_id, row.store_id, row.mode, row.quantile, row.made_at, row.promised_to,
                 row.fulfilled_at, row.late_seconds, row.outcome, row.compensation)
        for row in rows
    ]
