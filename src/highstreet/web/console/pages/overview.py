"""The overview: today's figures, the live map, and the same facts in words, at risk first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from highstreet.delivery.dispatch import reads as dispatch
from highstreet.delivery.dispatch.reads import BoardDelivery, BoardView
from highstreet.delivery.promise import reads as promises
from highstreet.delivery.routing import reads as routing
from highstreet.kernel import clock, ids
from highstreet.kernel.policy import route
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.orders.reads import console as orders
from highstreet.trade.orders.reads.console import OrderRow
from highstreet.web.ui.templatetags.ui import money

from .. import words
from .frame import Scope, StaffRequest, page, scope_of, text_of

SOON = timedelta(minutes=10)
MOST_ROWS = 40
AREAS = ("water", "green")
RISKS = {"late": 0, "warn": 1, "ok": 2}


@dataclass(frozen=True)
class Stat:
    """One figure; `n` says how many promises it rests on."""

    label: str
    value: str
    n: int | None = None
    change: str = ""
    tone: str = ""
    interval: str = ""
    href: str = ""


@dataclass(frozen=True)
class Work:
    """An order that is promised and not yet done. `risk`: late, warn or ok; `minutes` past (< 0: before) its time."""

    code: str
    number: str
    mode: str
    store: str
    courier: str
    state: str
    promised_to: datetime
    eta: datetime | None
    risk: str
    minutes: int
    lat: float
    lon: float

    @property
    def words(self) -> str:
        if self.risk == "late":
            return _("{minutes} min late").format(minutes=self.minutes)
        if self.eta is not None and self.eta > self.promised_to:
            by = -(-int((self.eta - self.promised_to).total_seconds()) // 60)
            return _("will be {minutes} min late").format(minutes=by)
        return _("{minutes} min left").format(minutes=-self.minutes)


@dataclass(frozen=True)
class Person:
    """A courier on shift."""

    name: str
    in_hand: int
    seen_at: datetime | None
    placed: bool


@dataclass(frozen=True)
class Now:
    """The city at this moment."""

    work: list[Work]
    couriers: list[Person]
    points: list[dict[str, Any]]

    @property
    def late(self) -> int:
        return sum(one.risk == "late" for one in self.work)

    @property
    def at_risk(self) -> int:
        return sum(one.risk == "warn" for one in self.work)


@route("console.read")
def overview(request: StaffRequest) -> HttpResponse:
    """Figures of the day, the map, and every running order with the most urgent on top."""
    scope = scope_of(request)
    seen = _now(request, scope)
    start, end = scope.today()
    day = orders.day(actor=request.actor, start=start, end=end)
    kept = promises.tally(actor=request.actor, start=start, end=end, by="day", zone=scope.city.zone)
    at = clock.now()
    context = {
        "stats": _stats(day, kept, seen, _quantile(request)),
        "work": seen.work[:MOST_ROWS],
        "more_work": max(0, len(seen.work) - MOST_ROWS),
        "couriers": seen.couriers,
        "shops": [Shop(store, store.is_open(at), _waiting(seen.work, store)) for store in scope.stores],
        "bounds": bounds(scope),
        "summary": _summary(seen, scope),
    }
    part = text_of(request, "part", 8) if request.htmx else ""
    template = {"stats": "overview_stats", "work": "overview_work"}.get(part, "overview")
    return page(request, template, context, tab="overview", live=scope.topics)


@route("console.read")
def points(request: StaffRequest) -> JsonResponse:
    """Stores, couriers and running orders for the map."""
    return JsonResponse({"points": _now(request, scope_of(request)).points})


@route("console.read")
def roads(request: StaffRequest) -> JsonResponse:
    """The city's streets and waters for the map, simplified; the same for hours."""
    city = scope_of(request).city
    layers = routing.streets(city.id).layers
    drawn: list[dict[str, Any]] = []
    if layers is not None:
        clipped = layers.clip((city.south, city.west, city.north, city.east))
        shapes = {
            "water": clipped.water,
            "green": clipped.green,
            **{kind: clipped.roads[kind] for kind in ("path", "minor", "major")},
        }
        drawn = [
            {"class": kind, "lines": [line.round(5).tolist() for line in lines]}
            for kind, lines in shapes.items()
            if lines
        ]
    answer = JsonResponse({"layers": drawn})
    patch_cache_control(answer, private=True, max_age=3600)
    return answer


@dataclass(frozen=True)
class Shop:
    """A store of the list: open or not, and how many orders wait in it."""

    store: StoreView
    open: bool
    waiting: int

    @property
    def code(self) -> str:
        return ids.public("str", self.store.id)


def _now(request: StaffRequest, scope: Scope) -> Now:
    """Running promises, the city's couriers and deliveries, and where they are: six reads."""
    cases = promises.still_open(actor=request.actor)
    known = orders.by_ids(actor=request.actor, order_ids=[case.order_id for case in cases])
    states = fulfilments.statuses(list(known))
    # A franchisee sees its own stores and orders; the couriers are the retailer's.
    board = (
        dispatch.board(actor=request.actor, city_id=scope.city.id)
        if scope.whole_city
        else BoardView(scope.city.id, [], [])
    )
    on_way = {one.order_id: one for one in board.deliveries}
    names = {one.id: one.name for one in board.couriers}
    at = clock.now()
    work = [
        _work(known[case.order_id], states.get(case.order_id, ""), on_way.get(case.order_id), names, scope, at)
        for case in cases
        if case.order_id in known and known[case.order_id].status in ("pending", "confirmed")
    ]
    work.sort(key=lambda one: (RISKS[one.risk], one.promised_to))
    people = [Person(one.name, one.in_hand, one.seen_at, one.lat is not None) for one in board.couriers]
    return Now(work, sorted(people, key=lambda one: (-one.in_hand, one.name)), _points(board, work, scope, at))


def _work(
    row: OrderRow, status: str, ride: BoardDelivery | None, names: dict[UUID, str], scope: Scope, at: datetime
) -> Work:
    store = scope.by_id.get(row.store_id)
    eta = ride.eta if ride is not None else None
    if at > row.promised_to:
        risk = "late"
    elif (eta is not None and eta > row.promised_to) or (
        row.promised_to - at < SOON and status in ("", "pending", "accepted", "picking")
    ):
        risk = "warn"
    else:
        risk = "ok"
    riding = (
        ride is not None
        and ride.status not in ("waiting", "cancelled")
        and status not in ("pending", "accepted", "picking", "packed")
    )
    state = words.of(words.DELIVERY, ride.status) if riding and ride else words.of(words.FULFILMENT, status)
    return Work(
        ids.public("ord", row.id),
        row.number,
        words.of(words.MODES, row.mode),
        store.name if store else "",
        names.get(ride.courier_id, "") if ride is not None and ride.courier_id else "",
        state if status else words.of(words.ORDER, row.status),
        row.promised_to,
        eta,
        risk,
        int((at - row.promised_to).total_seconds() // 60),
        row.lat,
        row.lon,
    )


def _points(board: BoardView, work: list[Work], scope: Scope, at: datetime) -> list[dict[str, Any]]:
    shops = [
        {
            "id": f"store-{store.code}",
            "kind": "store",
            "lat": store.lat,
            "lon": store.lon,
            "label": store.name,
            "state": "ok" if store.is_open(at) else "idle",
            "href": f"{reverse('console:orders')}?store={ids.public('str', store.id)}",
        }
        for store in scope.stores
    ]
    riders = [
        {
            "id": str(one.id),
            "kind": "courier",
            "lat": round(one.lat, 5),
            "lon": round(one.lon, 5),
            "label": _("{name}: {count} in hand").format(name=one.name, count=one.in_hand),
            "state": "ok" if one.in_hand else "idle",
        }
        for one in board.couriers
        if one.lat is not None and one.lon is not None
    ]
    doors = [
        {
            "id": one.code,
            "kind": "order",
            "lat": round(one.lat, 5),
            "lon": round(one.lon, 5),
            "label": f"{one.number} · {one.state} · {one.words}",
            "state": one.risk,
            "href": reverse("console:order", args=[one.code]),
        }
        for one in work
    ]
    return [*doors, *riders, *shops]


def _stats(day: orders.Day, kept: list[promises.Tally], seen: Now, quantile: int) -> list[Stat]:
    good, judged = sum(one.kept for one in kept), sum(one.judged for one in kept)
    share = 100 * good / judged if judged else None
    to_orders = reverse("console:orders")
    return [
        Stat(
            _("At risk"),
            str(seen.at_risk),
            change=_("needs a hand") if seen.at_risk else _("none"),
            tone="warn" if seen.at_risk else "ok",
            href="#work",
        ),
        Stat(
            _("Late now"),
            str(seen.late),
            change=_("past the promise") if seen.late else _("none"),
            tone="bad" if seen.late else "ok",
            href="#work",
        ),
        Stat(
            _("Orders today"),
            f"{day.orders:,}",
            href=to_orders,
            change=ngettext("{count} cancelled", "{count} cancelled", day.cancelled).format(count=day.cancelled),
        ),
        Stat(_("Open"), f"{day.open:,}", href=f"{to_orders}?status=open"),
        Stat(
            _("Revenue today"),
            money(day.revenue),
            change=_("{amount} given back").format(amount=money(day.given_back)) if day.given_back else "",
        ),
        Stat(
            _("Promises kept"),
            "–" if share is None else f"{share:.1f} %",
            judged,
            change="" if share is None else _("{count} broken").format(count=judged - good),
            tone="ok" if share is not None and share >= quantile else "bad",
            interval=_("promised at {quantile} %").format(quantile=quantile),
            href=reverse("console:promises"),
        ),
    ]


def _quantile(request: StaffRequest) -> int:
    return organisations.terms(scope_of(request).city.retailer_id).promise_quantile


def _waiting(work: list[Work], store: StoreView) -> int:
    return sum(one.store == store.name for one in work)


def bounds(scope: Scope) -> str:
    """The box around the stores, a little wider; the city's where there are none."""
    if not scope.stores:
        return f"{scope.city.south},{scope.city.west},{scope.city.north},{scope.city.east}"
    lats = [store.lat for store in scope.stores]
    lons = [store.lon for store in scope.stores]
    return f"{min(lats) - 0.006:.5f},{min(lons) - 0.006:.5f},{max(lats) + 0.006:.5f},{max(lons) + 0.006:.5f}"


def _summary(seen: Now, scope: Scope) -> str:
    return _(
        "Map of {city}: {stores} stores, {couriers} couriers on shift, {orders} running orders, {late} late. "
        "The tables below say the same."
    ).format(
        city=scope.city.name,
        stores=len(scope.stores),
        couriers=len(seen.couriers),
        orders=len(seen.work),
        late=seen.late,
    )
