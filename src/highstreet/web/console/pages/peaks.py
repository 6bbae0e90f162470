"""Peaks: a day in five-minute bins: demand, arrivals, lateness and its causes, what couriers were paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.http import HttpResponse
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from highstreet.delivery.dispatch.reads.peaks import courses
from highstreet.delivery.dispatch.rules.peaks import CAUSES, Bin, bins, busiest, together
from highstreet.kernel import ids
from highstreet.kernel.policy import route
from highstreet.web.ui.templatetags.ui import money

from .. import charts
from .frame import Scope, StaffRequest, page, scope_of, store_for, text_of
from .promises import interval, percent

EVENING = timedelta(hours=3)
CAUSE_WORDS: dict[str, LazyText] = {
    "shop": gettext_lazy("Shop: not packed"),
    "capacity": gettext_lazy("Capacity: no courier had it"),
    "courier": gettext_lazy("Courier: not at the store yet"),
    "bundle": gettext_lazy("Bundle: another door first"),
    "travel": gettext_lazy("Travel: the ride took longer"),
    "door": gettext_lazy("Door: handing over"),
}


@dataclass(frozen=True)
class Row:
    """Five minutes of the table."""

    time: str
    bin: Bin
    share: str
    lost: list[str]


@dataclass(frozen=True)
class Cause:
    """A cause's minutes and its share of all lateness."""

    code: str
    words: str
    minutes: str
    share: str


@route("console.read")
def peaks(request: StaffRequest) -> HttpResponse:
    """Pictures first, then the numbers."""
    scope = scope_of(request, text_of(request, "city", 40))
    day, code = day_of(request, scope), text_of(request, "store", 40)
    store = store_for(scope, code) if code else None
    start, end = scope.midnight(day), scope.midnight(day + timedelta(days=1))
    # What was ordered before midnight may arrive after it.
    found = courses(request.actor, scope.city.id, start - EVENING, end, store.id if store else None)
    made = used(bins(found, start, end))
    whole = together(made) if made else Bin(start)
    context = {
        "day": day,
        "today": scope.now().date(),
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
        "store": code,
        "shops": [(shop.name, ids.public("str", shop.id)) for shop in scope.stores],
        "whole": whole,
        "share": percent(whole.late, whole.done),
        "interval": interval(whole.late, whole.done),
        "lost": f"{whole.lost_seconds / 60:,.0f}",
        "pay": money(round(whole.pay / whole.done), scope.city.currency) if whole.done else "–",
        "causes": causes(whole),
        "peak": _peak(made, scope) if whole.placed else "",
        "demand": _demand(made, scope),
        "lateness": _lateness(made, scope),
        "cost": _cost(made, scope),
        "rows": [_row(one, scope) for one in made if one.placed or one.done],
        "cause_words": CAUSE_WORDS,
    }
    return page(request, "peaks", context, tab="tower")


def day_of(request: StaffRequest, scope: Scope) -> date:
    """The day asked for, or today; never in the future."""
    today = scope.now().date()
    try:
        return min(datetime.strptime(text_of(request, "day", 10), "%Y-%m-%d").date(), today)
    except ValueError:
        return today


def used(made: list[Bin]) -> list[Bin]:
    """From the first to the last bin in which something happened, in whole hours."""
    busy = [number for number, one in enumerate(made) if one.placed or one.done]
    return made[busy[0] // 12 * 12 : (busy[-1] // 12 + 1) * 12] if busy else []


def causes(whole: Bin) -> list[Cause]:
    """Every cause, the one to which most was lost first."""
    ranked = sorted(CAUSES, key=lambda cause: (-whole.lost[cause], CAUSES.index(cause)))
    return [
        Cause(
            cause,
            str(CAUSE_WORDS[cause]),
            f"{whole.lost[cause] / 60:,.1f}",
            percent(whole.lost[cause], whole.lost_seconds),
        )
        for cause in ranked
    ]


def _peak(made: list[Bin], scope: Scope) -> str:
    """The busiest half hour in a sentence."""
    best = busiest(made)
    whole = together(best)
    until = best[-1].starts_at + timedelta(minutes=5)
    text = _("Busiest half hour: {start}–{end}, {orders} orders placed, {done} arrived, {late} of them late.")
    said = text.format(
        start=_time(best[0].starts_at, scope),
        end=_time(until, scope),
        orders=whole.placed,
        done=whole.done,
        late=whole.late,
    )
    if whole.lost_seconds:
        first = causes(whole)[0]
        said += " " + _("Most was lost to: {cause} ({share}).").format(cause=first.words, share=first.share)
    return said


def _labels(made: list[Bin], scope: Scope) -> list[str]:
    return [_time(one.starts_at, scope) if number % 12 == 0 else "" for number, one in enumerate(made)]


def _demand(made: list[Bin], scope: Scope) -> charts.Piles:
    rows = [(label, [("demand", one.placed)]) for label, one in zip(_labels(made, scope), made, strict=True)]
    lines = [("done", [one.done for one in made]), ("late", [one.late for one in made])]
    return charts.piles(rows, lines if made else ())


def _lateness(made: list[Bin], scope: Scope) -> charts.Piles:
    rows = [
        (label, [(cause, one.lost[cause]) for cause in CAUSES])
        for label, one in zip(_labels(made, scope), made, strict=True)
    ]
    return charts.piles(rows, scale=60)


def _cost(made: list[Bin], scope: Scope) -> charts.Piles:
    rows = [(label, [("pay", one.pay)]) for label, one in zip(_labels(made, scope), made, strict=True)]
    return charts.piles(rows, scale=100)


def _row(one: Bin, scope: Scope) -> Row:
    return Row(
        _time(one.starts_at, scope),
        one,
        percent(one.late, one.done),
        [f"{one.lost[cause] / 60:.1f}" if one.lost[cause] else "" for cause in CAUSES],
    )


def _time(moment: datetime, scope: Scope) -> str:
    return f"{moment.astimezone(scope.city.zone):%H:%M}"
