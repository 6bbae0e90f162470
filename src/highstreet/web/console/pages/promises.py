"""Promises kept and broken: by day, by hour, by store, and the worst cases; and what can still be promised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from highstreet.delivery.promise import reads as promises
from highstreet.delivery.promise.reads import CaseView, QuarterRoom, Tally, ZoneRoom
from highstreet.kernel import clock, ids
from highstreet.kernel.policy import route
from highstreet.supply.organisations import reads as organisations
from highstreet.trade.orders.reads import console as orders
from highstreet.trade.orders.reads.console import OrderRow
from highstreet.web.ui import rules

from .. import charts, words
from .frame import Scope, StaffRequest, page, period_of, scope_of

# Pixels of a quarter of an hour in its picture, of which each hour's first is named; shops named of a zone.
QUARTER, HOUR = 18, 4
SHOWN = 3


@dataclass(frozen=True)
class Row:
    """One line of the table beneath a chart."""

    label: str
    tally: Tally

    @property
    def percent(self) -> str:
        return percent(self.tally.kept, self.tally.judged)


@dataclass(frozen=True)
class View:
    """A chart and the same numbers."""

    id: str
    title: str
    what: str
    chart: charts.Chart
    rows: list[Row]


@dataclass(frozen=True)
class Case:
    """A broken promise with its order."""

    case: CaseView
    code: str
    number: str
    store: str
    mode: str
    late: str


@dataclass(frozen=True)
class Zone:
    """What couriers can bring from a zone's shops in the next hours, and how much of it is promised."""

    name: str
    shops: str
    people: str
    state: str
    tone: str
    chart: charts.Against
    quarters: tuple[QuarterRoom, ...]


@route("console.read")
def kept(request: StaffRequest) -> HttpResponse:
    """Kept and broken over the chosen days, with n and the quantile that was promised."""
    scope = scope_of(request)
    first, last = period_of(request, scope)
    start, end = scope.midnight(first), scope.midnight(last + timedelta(days=1))
    by = {
        name: promises.tally(actor=request.actor, start=start, end=end, by=name, zone=scope.city.zone)
        for name in ("day", "hour", "store")
    }
    good, bad = sum(one.kept for one in by["day"]), sum(one.broken for one in by["day"])
    worst = promises.worst(actor=request.actor, start=start, end=end)
    known = orders.by_ids(actor=request.actor, order_ids=[case.order_id for case in worst])
    quantile = organisations.terms(scope.city.retailer_id).promise_quantile
    context = {
        "first": first,
        "last": last,
        "today": scope.now().date(),
        "quantile": quantile,
        "judged": good + bad,
        "kept": good,
        "broken": bad,
        "share": percent(good, good + bad),
        "met": good * 100 >= quantile * (good + bad),
        "running": sum(one.open for one in by["day"]),
        "void": sum(one.void for one in by["day"]),
        "interval": interval(good, good + bad),
        "views": [_days(by["day"], first, last), _hours(by["hour"]), _stores(by["store"], scope)],
        "worst": [_case(case, known, scope) for case in worst],
        "periods": _periods(scope, first, last),
        "zones": _zones(request, scope),
    }
    return page(request, "promises", context, tab="promises")


def _zones(request: StaffRequest, scope: Scope) -> list[Zone]:
    """For who sees the whole city; who works in some of its stores has no couriers to plan."""
    if not scope.whole_city:
        return []
    found = promises.room(request.actor, scope.city.id, clock.now())
    return [_zone(one, scope, alone=len(found) == 1) for one in found]


def _zone(one: ZoneRoom, scope: Scope, *, alone: bool) -> Zone:
    names = [scope.by_id[store_id].name for store_id in one.store_ids if store_id in scope.by_id]
    count = ngettext("{count} shop", "{count} shops", len(names)).format(count=len(names))
    people = ngettext("{count} courier", "{count} couriers", one.couriers).format(count=one.couriers)
    zone = scope.city.zone
    rows = [(f"{each.starts_at.astimezone(zone):%H:%M}", each.promised, each.most) for each in one.quarters]
    state, tone = _("Room now"), "ok"
    if one.free_from is None:
        state, tone = (_("Full for three hours") if one.couriers else _("No courier is on shift")), "late"
    elif one.free_from > one.quarters[0].starts_at:
        state, tone = _("Room from {time}").format(time=f"{one.free_from.astimezone(zone):%H:%M}"), "warn"
    return Zone(
        _("The whole city") if alone else _listed(names),
        "" if alone else count,
        people,
        state,
        tone,
        charts.against(rows, missing=False, step=QUARTER, every=HOUR),
        one.quarters,
    )


def _listed(names: list[str]) -> str:
    """The first shops by name, for a zone has no name of its own."""
    shown, more = _(", ").join(names[:SHOWN]), len(names) - SHOWN
    if more <= 0:
        return shown
    return ngettext("{shops} and {count} more", "{shops} and {count} more", more).format(shops=shown, count=more)


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def interval(good: int, n: int) -> str:
    """The 95 % interval of a share (Wilson, 1927), where there is one."""
    if not n:
        return ""
    z = 1.959964
    share, scale = good / n, 1 + z * z / n
    middle = (share + z * z / (2 * n)) / scale
    half = z * ((share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5) / scale
    return f"95 %: {100 * (middle - half):.1f}–{100 * (middle + half):.1f}"


def _days(found: list[Tally], first: date, last: date) -> View:
    at = {one.key: one for one in found}
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    rows = [Row(_date(day), at.get(day) or Tally(day, 0, 0, 0, 0)) for day in days]
    return _view(
        "by-day",
        _("By day"),
        _("Day"),
        rows,
        [f"{day.month}/{day.day}" if day in (first, last) or day.day == 1 else str(day.day) for day in days],
    )


def _hours(found: list[Tally]) -> View:
    at = {one.key: one for one in found}
    used = [hour for hour in range(24) if hour in at]
    hours = range(used[0], used[-1] + 1) if used else range(0)
    rows = [Row(f"{hour:02d}:00", at.get(hour) or Tally(hour, 0, 0, 0, 0)) for hour in hours]
    return _view("by-hour", _("By hour of the order"), _("Hour"), rows, [f"{hour:02d}" for hour in hours])


def _stores(found: list[Tally], scope: Scope) -> View:
    names = {store.id: store.name for store in scope.stores}
    rows = [Row(names.get(one.key, "–") if isinstance(one.key, UUID) else "–", one) for one in found]
    rows.sort(key=lambda row: (-row.tally.broken, row.label))
    return _view("by-store", _("By store"), _("Store"), rows, [str(number) for number in range(1, len(rows) + 1)])


def _view(name: str, title: str, what: str, rows: list[Row], labels: list[str]) -> View:
    bars = [(label, row.tally.kept, row.tally.broken) for label, row in zip(labels, rows, strict=True)]
    return View(name, title, what, charts.stacked(bars), rows)


def _case(case: CaseView, known: dict[UUID, OrderRow], scope: Scope) -> Case:
    row, store = known.get(case.order_id), scope.by_id.get(case.store_id)
    late = _("never came") if case.late_seconds is None else rules.minutes(case.late_seconds / 60, get_language())
    return Case(
        case,
        ids.public("ord", case.order_id) if row else "",
        row.number if row else "–",
        store.name if store else "–",
        words.of(words.MODES, case.mode),
        late,
    )


def _date(day: date) -> str:
    return f"{day:%Y-%m-%d}"


def _periods(scope: Scope, first: date, last: date) -> list[tuple[str, str, bool]]:
    """Chips: today, 7 days, 28 days."""
    today: datetime = scope.now()
    made = []
    for label, days in ((_("Today"), 1), (_("7 days"), 7), (_("28 days"), 28)):
        start = today.date() - timedelta(days=days - 1)
        made.append((label, f"?from={start}&to={today.date()}", (start, today.date()) == (first, last)))
    return made
