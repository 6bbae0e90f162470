"""The tower: the city live, the promises with the least time left first. One read, whatever the number."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.dispatch.reads import tower as dispatch
from highstreet.delivery.dispatch.reads.tower import IN_STORE, UNANSWERED, TowerOrder, TowerView
from highstreet.kernel import ids
from highstreet.kernel.policy import route
from highstreet.supply.organisations.reads import CityView

from .. import words
from .frame import Scope, StaffRequest, cities_of, page, scope_of, store_for, text_of
from .overview import bounds

MOST_ROWS = 25
SHOWN = ("", "risk", "late", "waiting", "pinned")
STATES = (IN_STORE, "waiting", "assigned", "accepted", "at_store", "picked_up", "at_door", "failed", UNANSWERED)
PINNED, READY, URGENT = 1, 2, 4
OWN_STATES = {
    IN_STORE: gettext_lazy("Not accepted by the store"),
    UNANSWERED: gettext_lazy("Given by hand, not accepted"),
}


@dataclass(frozen=True)
class Line:
    """A row of the table for who has no script: the most urgent orders."""

    code: str
    number: str
    tone: str
    left: str
    state: str
    promised_to: datetime
    expected: datetime
    store: str
    courier: str


@route("console.read")
def tower(request: StaffRequest) -> HttpResponse:
    """Counts, map and list; the table at the bottom says the same without a script."""
    scope = scope_of(request, text_of(request, "city", 40))
    seen = dispatch.tower(request.actor, scope.city.id)
    store, show = text_of(request, "store", 40), text_of(request, "show", 8)
    rows = _chosen(seen, scope, store, show)
    context = {
        "counts": _counts(seen),
        "absent": couriers.absent(request.actor, scope.city.id),
        "lines": [_line(one, seen, scope) for one in rows[:MOST_ROWS]],
        "more": max(0, len(rows) - MOST_ROWS),
        "cities": _cities(request, scope),
        "shops": [(shop.name, ids.public("str", shop.id)) for shop in scope.stores],
        "store": store,
        "show": show if show in SHOWN else "",
        "shows": _shows(),
        "bounds": bounds(scope),
        "summary": _("Map of {city}: stores, couriers and orders. The list says the same.").format(
            city=scope.city.name
        ),
    }
    return page(request, "tower", context, tab="tower", live=scope.topics)


@route("console.read")
def board(request: StaffRequest) -> JsonResponse:
    """Everything the board draws, as short rows (tower.js says which column is what). Times in seconds from `at`."""
    scope = scope_of(request, text_of(request, "city", 40))
    seen = dispatch.tower(request.actor, scope.city.id)
    shop_at = {shop.id: number for number, shop in enumerate(scope.stores)}
    rider_at = {rider.id: number for number, rider in enumerate(seen.couriers)}
    state_at = {state: number for number, state in enumerate(STATES)}
    at = seen.at
    rows = [
        [
            one.order_id.hex,
            one.number,
            shop_at.get(one.store_id, -1),
            rider_at.get(one.courier_id, -1) if one.courier_id else -1,
            state_at[one.status],
            round(one.lat, 5),
            round(one.lon, 5),
            round(one.promised_in),
            round(one.expected_in),
            one.pinned * PINNED + one.ready * READY + (one.status == UNANSWERED) * URGENT,
        ]
        for one in seen.orders
    ]
    riders = [
        [str(rider.id), rider.name, _at(rider.lat), _at(rider.lon), seen.in_hand[rider.id]] for rider in seen.couriers
    ]
    local = at.astimezone(scope.city.zone)
    offset = local.utcoffset()
    return JsonResponse(
        {
            "at": round(at.timestamp()),
            "offset": round(offset.total_seconds()) if offset is not None else 0,
            "states": [_state(state) for state in STATES],
            "stores": [
                [ids.public("str", shop.id), shop.name, round(shop.lat, 5), round(shop.lon, 5)] for shop in scope.stores
            ],
            "couriers": riders,
            "orders": rows,
        },
        json_dumps_params={"separators": (",", ":"), "ensure_ascii": False},
    )


def left(slack_seconds: float, late: bool) -> str:
    """The time that is left, in words; the script says the same."""
    minutes = abs(round(slack_seconds) // 60)
    if late:
        return _("{minutes} min late").format(minutes=minutes)
    if slack_seconds < 0:
        return _("will be {minutes} min late").format(minutes=minutes)
    return _("{minutes} min left").format(minutes=minutes)


def _line(one: TowerOrder, seen: TowerView, scope: Scope) -> Line:
    store = scope.by_id.get(one.store_id)
    names = {rider.id: rider.name for rider in seen.couriers} if one.courier_id else {}
    return Line(
        ids.public("ord", one.order_id),
        one.number,
        one.risk,
        left(one.slack_seconds, one.risk == "late"),
        _state(one.status),
        seen.at + timedelta(seconds=one.promised_in),
        seen.at + timedelta(seconds=one.expected_in),
        store.name if store else "–",
        names.get(one.courier_id, "–") if one.courier_id else "–",
    )


def _chosen(seen: TowerView, scope: Scope, store: str, show: str) -> list[TowerOrder]:
    only = store_for(scope, store).id if store else None
    return [one for one in seen.orders if only in (None, one.store_id) and _wanted(one, show)]


def _wanted(one: TowerOrder, show: str) -> bool:
    fits = {
        "risk": one.risk != "ok",
        "late": one.risk == "late",
        "waiting": one.courier_id is None,
        "pinned": one.pinned,
    }
    return fits.get(show, True)


def _counts(seen: TowerView) -> list[tuple[str, str, int, str]]:
    """(key, label, number, tone) of each figure above the map; the script keeps them fresh by their keys."""
    risks = Counter(one.risk for one in seen.orders)
    riding = sum(seen.in_hand[rider.id] > 0 for rider in seen.couriers)
    return [
        ("late", _("Late now"), risks["late"], "bad" if risks["late"] else "ok"),
        ("risk", _("At risk"), risks["warn"], "warn" if risks["warn"] else "ok"),
        ("waiting", _("Without a courier"), sum(one.courier_id is None for one in seen.orders), ""),
        ("orders", _("Running orders"), len(seen.orders), ""),
        ("riding", _("Couriers with orders"), riding, ""),
        ("free", _("Couriers free"), len(seen.couriers) - riding, ""),
    ]


def _shows() -> list[tuple[str, str]]:
    return [
        ("", _("All running orders")),
        ("risk", _("At risk or late")),
        ("late", _("Late")),
        ("waiting", _("Without a courier")),
        ("pinned", _("Decided by hand")),
    ]


def _cities(request: StaffRequest, scope: Scope) -> list[tuple[str, str, bool]]:
    own: list[CityView] = cities_of(request)
    return [(city.code, city.name, city.id == scope.city.id) for city in own] if len(own) > 1 else []


def _state(status: str) -> str:
    return str(OWN_STATES.get(status) or words.of(words.DELIVERY, status))


def _at(degrees: float | None) -> float | None:
    return None if degrees is None else round(degrees, 5)
