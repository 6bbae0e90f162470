"""The pick list: scan by scan, by aisle, with what is short and what may stand for it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from highstreet.kernel import clock, ids
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.catalog import reads as catalog
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.fulfilment import actions
from highstreet.trade.fulfilment.reads import FulfilmentView, LineView

from ..barcodes import svg
from .frame import StaffRequest, Tried, go, order_for, page, store_for, tried
from .queue import Due

PICKING = ("accepted", "picking")
PAPERS = ("a5", "80")
CANDIDATES = 4


@route("fulfilment.read")
def order(request: StaffRequest, store: str, order: str) -> HttpResponse:
    """One order: its pick list while it is picked, and the next step after."""
    shop = store_for(request, store)
    return _order(request, shop, order, order_for(request, shop, order))


@route("fulfilment.work")
def scan(request: StaffRequest, store: str, order: str) -> HttpResponse:
    """Count one unit of the line that the code names; a wrong code is refused within the page."""
    shop = store_for(request, store)
    view = order_for(request, shop, order)
    code = request.POST.get("code", "").strip()
    done = tried(lambda: actions.scan(actor=request.actor, fulfilment_id=view.id, code=code))
    if done.refused or request.htmx:
        return _order(request, shop, order, order_for(request, shop, order), done=done, typed=code)
    return go(request, "order", store, order, tail="#pick")


@route("fulfilment.work")
def short(request: StaffRequest, store: str, order: str, line: str) -> HttpResponse:
    """A line that is not all there: offer the nearest goods, or say that it is short."""
    shop = store_for(request, store)
    view = order_for(request, shop, order)
    row = _line(view, line)
    if request.method != "POST":
        return _short(request, shop, order, view, row)
    units = _units(request, row)
    if units is None:
        return _short(request, shop, order, view, row, problem=_problem(row))
    done = tried(lambda: actions.mark_short(actor=request.actor, line_id=row.id, units=units))
    if done.refused:
        return _short(request, shop, order, view, row, refused=done.refused)
    return go(request, "order", store, order, say=_("{units} × {name} short: the money goes back").format(
        units=units, name=row.name))


@route("fulfilment.work")
def substitute(request: StaffRequest, store: str, order: str, line: str) -> HttpResponse:
    """Put another variant in the place of what is short, by the shopper's preference."""
    shop = store_for(request, store)
    view = order_for(request, shop, order)
    row = _line(view, line)
    units = _units(request, row)
    variant_id = ids.private("var", request.POST.get("variant", ""))
    if units is None or variant_id is None:
        problem = _problem(row) if units is None else _("Choose what to put in its place")
        return _short(request, shop, order, view, row, problem=problem)
    done = tried(lambda: actions.propose_substitute(
        actor=request.actor, line_id=row.id, variant_id=variant_id, units=units))
    if done.refused:
        return _short(request, shop, order, view, row, refused=done.refused)
    said = _("Asked the shopper about {name}") if view.substitution == "ask" else _("Swap for {name} kept")
    return go(request, "order", store, order, say=said.format(name=row.name))


@route("fulfilment.work")
def pack(request: StaffRequest, store: str, order: str) -> HttpResponse:
    """All picked or short: packed, labelled and ready to leave."""
    shop = store_for(request, store)
    view = order_for(request, shop, order)
    done = tried(lambda: actions.pack(actor=request.actor, fulfilment_id=view.id))
    if done.refused:
        return _order(request, shop, order, order_for(request, shop, order), done=done)
    return go(request, "order", store, order, say=_("{number} is ready").format(number=view.order_number))


@route("fulfilment.read")
def printed(request: StaffRequest, store: str, order: str) -> HttpResponse:
    """The pick list on paper: A5, or the 80 mm roll of a receipt printer."""
    shop = store_for(request, store)
    view = order_for(request, shop, order)
    paper = request.GET.get("paper", "a5")
    context = {
        "order": view, "order_code": order, "paper": paper if paper in PAPERS else "a5",
        "lines": [(line, svg(line.barcode)) for line in view.lines],
        "number_bars": svg(view.order_number), "units": sum(line.quantity for line in view.lines),
        "cold": sum(line.quantity for line in view.lines if line.temperature != "ambient"),
    }
    return page(request, shop, "print", context, tab="queue")


def _order(
    request: StaffRequest, shop: StoreView, code: str, view: FulfilmentView, *, done: Tried | None = None,
    typed: str = "",
) -> HttpResponse:
    done = done or Tried()
    lines = [(line, ids.public("lin", line.id), left(line)) for line in view.lines]
    waiting = next(((line, code, count) for line, code, count in lines if count > 0), None)
    scanned = done.value
    context: dict[str, Any] = {
        "order": view, "order_code": code, "lines": lines, "next": waiting, "typed": typed,
        "scanned": next((line for line in view.lines if scanned and line.id == scanned.line_id), None),
        "due": Due.of(view.ready_by, clock.now()), "may_pick": view.status in PICKING,
        "units_left": sum(count for _line, _code, count in lines),
        "units": sum(line.quantity for line in view.lines),
        "asked": [line for line in view.lines if line.substitute_state == "asked"],
    }
    return page(request, shop, "order", context, tab="queue", refused=done.refused)


def _short(
    request: StaffRequest, shop: StoreView, code: str, view: FulfilmentView, row: LineView, *,
    problem: str = "", refused: Refused | None = None,
) -> HttpResponse:
    similar = catalog.similar(shop.id, row.variant_id, CANDIDATES)
    context = {
        "order": view, "order_code": code, "line": row, "line_code": ids.public("lin", row.id),
        "left": left(row), "problem": problem, "unit_price": row.unit_price,
        "typed_units": request.POST.get("units", str(left(row))), "chosen": request.POST.get("variant", ""),
        "candidates": [(card, ids.public("var", card.variant_id), card.price - row.unit_price)
                       for card in similar],
    }
    status = 422 if problem else 0
    return page(request, shop, "short", context, tab="queue", refused=refused, status=status)


def left(line: LineView) -> int:
    """Units that nobody has put in the bag yet and that are not known to be short."""
    return line.quantity - line.picked - line.short


def _line(view: FulfilmentView, code: str) -> LineView:
    line_id = ids.private("lin", code)
    for line in view.lines:
        if line.id == line_id:
            return line
    raise Refused(NOT_FOUND)


def _units(request: StaffRequest, line: LineView) -> int | None:
    """The units of the form, between 1 and what is left of the line; None for anything else."""
    typed = request.POST.get("units", "").strip()
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 4):
        return None
    units = int(typed)
    return units if 1 <= units <= left(line) else None


def _problem(line: LineView) -> str:
    return _("Type a number from 1 to {most}").format(most=left(line))
