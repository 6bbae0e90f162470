"""Today's figures of one store, and its pause."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from highstreet.kernel import clock
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.supply.stores import actions as stores
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.fulfilment.reads import Figures

from .frame import StaffRequest, go, page, store_for, tried

MINUTES = (15, 30, 60, 120)
EXTRA = (10, 20, 30)
BUSY_FOR = 60
CHOICES = {"choices": MINUTES, "extras": EXTRA}


@route("store.figures")
def figures(request: StaffRequest, store: str) -> HttpResponse:
    """One day's orders, how many were on time, units, shortages, and the minutes to accept and to pick."""
    shop = store_for(request, store)
    today = clock.now().astimezone(shop.zone).date()
    day = _day(request.GET.get("day", ""), today)
    found = fulfilments.figures(actor=request.actor, store_id=shop.id, day=day)
    context = {"figures": found, "stats": _stats(found), "day": day, "today": today}
    return page(request, shop, "figures", context, tab="figures")


@route("store.manage")
def pause(request: StaffRequest, store: str) -> HttpResponse:
    """Promise later for an hour, take no new orders for some minutes, or be as usual again.

    Orders already here are not touched.
    """
    shop = store_for(request, store)
    if request.method != "POST":
        return page(request, shop, "pause", CHOICES, tab="pause")
    if "extra" in request.POST or request.POST.get("way") == "busy":
        return _busy(request, store)
    if request.POST.get("resume"):
        done = tried(lambda: stores.resume(actor=request.actor, store_id=shop.id))
        return _paused(request, store, done.refused, _("New orders come in again"))
    minutes = request.POST.get("minutes", "")
    if minutes not in {str(choice) for choice in MINUTES}:
        context = {**CHOICES, "problem": _("Choose for how long")}
        return page(request, shop, "pause", context, tab="pause", status=422)
    done = tried(lambda: stores.pause(actor=request.actor, store_id=shop.id, minutes=int(minutes)))
    return _paused(request, store, done.refused, _("No new orders for {minutes} min").format(minutes=minutes))


@dataclass(frozen=True)
class Stat:
    """One number of the day; `n`: how many orders it rests on."""

    label: str
    value: str
    n: int | None = None
    change: str = ""
    tone: str = ""


def _stats(day: Figures) -> list[Stat]:
    on_time = f"{100 * day.on_time / day.ready:.0f} %" if day.ready else "–"
    late = day.ready - day.on_time
    return [
        Stat(_("Orders"), str(day.orders)),
        Stat(_("Still open"), str(day.open)),
        Stat(
            _("Ready on time"),
            on_time,
            day.ready,
            ngettext("{count} late", "{count} late", late).format(count=late) if late else _("none late"),
            "bad" if late else "ok",
        ),
        Stat(_("Units"), str(day.units)),
        Stat(_("Units short"), str(day.short)),
        Stat(_("Rejected"), str(day.rejected)),
        Stat(_("Minutes to accept, median"), _minutes(day.accept_minutes)),
        Stat(_("Minutes to pick, median"), _minutes(day.pick_minutes)),
    ]


def _minutes(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _busy(request: StaffRequest, store: str) -> HttpResponse:
    shop, extra = store_for(request, store), request.POST.get("extra", "")
    if extra not in {str(choice) for choice in (0, *EXTRA)}:
        context = {**CHOICES, "busy_problem": _("Choose how much later")}
        return page(request, shop, "pause", context, tab="pause", status=422)
    done = tried(lambda: stores.be_busy(actor=request.actor, store_id=shop.id, extra=int(extra), minutes=BUSY_FOR))
    later = _("Promises are {minutes} min later for an hour").format(minutes=extra)
    return _paused(request, store, done.refused, later if extra != "0" else _("Promises are as usual again"))


def _paused(request: StaffRequest, store: str, refused: Refused | None, say: str) -> HttpResponse:
    if refused:
        return page(request, store_for(request, store), "pause", CHOICES, tab="pause", refused=refused)
    return go(request, "queue", store, say=say)


def _day(text: str, today: date) -> date:
    """The day asked for, if it is one and not in the future; else today."""
    try:
        return min(datetime.strptime(text, "%Y-%m-%d").date(), today)
    except ValueError:
        return today
