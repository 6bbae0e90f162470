"""The courier's planned shifts: own, to take, to offer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any

from django.http import HttpResponse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST

from highstreet.delivery.couriers import actions, words
from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.couriers.reads import ShiftView
from highstreet.kernel import ids
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations import reads as organisations

from .frame import CourierRequest, home, page, refusal

VERBS: dict[str, Callable[..., Any]] = {"take": actions.take, "offer": actions.offer, "keep": actions.keep}


@dataclass(frozen=True)
class Line:
    """A planned shift; `against` says in words what speaks against taking it."""

    view: ShiftView
    code: str
    day: str
    hours: str
    against: str = ""
    offered: bool = False
    alike: int = 1


@route("courier.work")
def shifts(request: CourierRequest) -> HttpResponse:
    """My shifts, and those that I may take."""
    return _shifts(request)


@route("courier.work")
@require_POST
def change(request: CourierRequest, shift: str, what: str) -> HttpResponse:
    """Take, offer or keep a shift."""
    do, shift_id = VERBS.get(what), ids.private("shf", shift)
    if do is None or shift_id is None:
        raise Refused(NOT_FOUND)
    refused = refusal(lambda: do(actor=request.actor, shift_id=shift_id))
    if refused:
        return _shifts(request, refused)
    said = {
        "take": _("The shift is yours"),
        "offer": _("Offered. It stays yours until somebody takes it"),
        "keep": _("You keep the shift"),
    }
    return home(request, said[what], "courier:shifts")


def _shifts(request: CourierRequest, refused: Refused | None = None) -> HttpResponse:
    zone = organisations.city(couriers.me(request.actor).city_id).zone
    others = [
        _line(one.shift, zone, against=words.of_all(one.breaches), offered=one.shift.status == "offered")
        for one in couriers.to_take(request.actor)
    ]
    context = {
        "mine": [_line(one, zone) for one in couriers.mine(request.actor)],
        "others": _alike([one for one in others if not one.against]),
        "barred": _alike([one for one in others if one.against]),
        "refused": refused,
        "tab": "shifts",
    }
    return page(request, "shifts", context, status=refused.reason.status if refused else 200)


def _alike(lines: list[Line]) -> list[Line]:
    """One line for shifts of the same time: whoever takes it takes the first."""
    found: dict[tuple[object, ...], Line] = {}
    for one in lines:
        view = one.view
        key = (view.starts_at, view.ends_at, view.break_starts_at, one.offered)
        found[key] = replace(found[key], alike=found[key].alike + 1) if key in found else one
    return list(found.values())


def _line(view: ShiftView, zone: tzinfo, *, against: str = "", offered: bool = False) -> Line:
    day = date_format(view.starts_at.astimezone(zone).date(), pgettext("a day of the roster", "D j M"))
    return Line(view, ids.public("shf", view.id), day, words.hours(view.paid), against, offered)
