"""Today's figures of one store, and its pause."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.utils.translation import gettext as _

from highstreet.kernel import clock
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.supply.stores import actions as stores
from highstreet.trade.fulfilment import reads as fulfilments

from .frame import StaffRequest, go, page, store_for, tried

MINUTES = (15, 30, 60, 120)


@route("store.figures")
def figures(request: StaffRequest, store: str) -> HttpResponse:
    """One day's orders, how many were on time, units, shortages, and the minutes to accept and to pick."""
    shop = store_for(request, store)
    today = clock.now().astimezone(ZoneInfo(shop.time_zone)).date()
    day = _day(request.GET.get("day", ""), today)
    found = fulfilments.figures(actor=request.actor, store_id=shop.id, day=day)
    return page(request, shop, "figures", {"figures": found, "day": day, "today": today}, tab="figures")


@route("store.manage")
def pause(request: StaffRequest, store: str) -> HttpResponse:
    """Take no new orders for some minutes, or take them again. Orders already here are not touched."""
    shop = store_for(request, store)
    if request.method != "POST":
        return page(request, shop, "pause", {"choices": MINUTES}, tab="pause")
    if request.POST.get("resume"):
        done = tried(lambda: stores.resume(actor=request.actor, store_id=shop.id))
        return _paused(request, store, done.refused, _("New orders come in again"))
    minutes = request.POST.get("minutes", "")
    if minutes not in {str(choice) for choice in MINUTES}:
        context = {"choices": MINUTES, "problem": _("Choose for how long")}
        return page(request, shop, "pause", context, tab="pause", status=422)
    done = tried(lambda: stores.pause(actor=request.actor, store_id=shop.id, minutes=int(minutes)))
    return _paused(request, store, done.refused, _("No new orders for {minutes} min").format(minutes=minutes))


def _paused(request: StaffRequest, store: str, refused: Refused | None, say: str) -> HttpResponse:
    if refused:
        return page(request, store_for(request, store), "pause", {"choices": MINUTES}, tab="pause",
                    refused=refused)
    return go(request, "queue", store, say=say)


def _day(text: str, today: date) -> date:
    """The day asked for, if it is one and not in the future; else today."""
    try:
        return min(datetime.strptime(text, "%Y-%m-%d").date(), today)  # noqa: DTZ007 - a date only
    except ValueError:
        return today
