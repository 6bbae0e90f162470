"""The pick list: scan by scan, by aisle, with what is short and what may stand for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from highstreet.kernel import clock, idempotency, ids
from highstreet.kernel.api import subject_of
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.catalog import reads as catalog
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.fulfilment import actions
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.fulfilment.reads import FulfilmentView, LineView

from ..barcodes import svg
from . import chosen
from .frame import StaffRequest, Tried, go, order_for, page, store_for, tried
from .queue import Due, coming

PICKING = ("accepted", "picking")
FETCHED = (*PICKING, "packed", "ready")
PAPERS = ("a5", "80")
CANDIDATES = 4
PREFERENCES = {
    "best": gettext_lazy("swaps welcome"),
    "ask": gettext_lazy("ask before a swap"),
    "refund": gettext_lazy("no swaps, money back"),
}
STATES = {
    "packed": ("ok", gettext_lazy("Packed")),
    "ready": ("ok", gettext_lazy("Ready")),
    "handed_over": ("ok", gettext_lazy("With the courier")),
    "in_transit": ("ok", gettext_lazy("On its way")),
    "delivered": ("ok", gettext_lazy("Done")),
    "rejected": ("bad", gettext_lazy("Rejected")),
    "failed": ("bad", gettext_lazy("Not delivered")),
    "returning": ("warn", gettext_lazy("Coming back")),
    "returned": ("warn", gettext_lazy("Came back")),
    "cancelled": ("bad", gettext_lazy("Cancelled")),
}


@dataclass(frozen=True)
class Row:
    """A line with its public id, the units still to pick, and the units that are wanted of it at all."""

    line: LineView
    code: str
    left: int
    wanted: int

    @staticmethod
    def of(line: LineView) -> Row:
        return Row(line, ids.public("lin", line.id), line.left, line.quantity - line.short)


@route("fulfilment.read")
def order(request: StaffRequest, store: str, order: str) -> HttpResponse:
    """One order: its pick list while it is picked, and the next step after. `part=comes`: who fetches it, alone."""
    shop = store_for(request, store)
    view = order_for(request, shop, order)
    if request.htmx and request.GET.get("part") == "comes":
        return page(request, shop, "comes", {"order_code": order, "comes": _comes(view)}, tab="queue")
    return _order(request, shop, order, view)


def _comes(view: FulfilmentView) -> str:
    return coming(fulfilments.riders([view.id]).get(view.id))


@route("fulfilment.work")
@require_POST
def scan(request: StaffRequest, store: str, order: str) -> HttpResponse:
    """Count one unit of the line that the code names; a wrong code is refused within the page."""
    shop = store_for(request, store)
    view = order_for(request, shop, order)
    code = request.POST.get("code", "").strip()[:64]
    done = tried(lambda: _scan_once(request, view.id, code))
    if done.refused or request.htmx:
        return _order(request, shop, order, order_for(request, shop, order), scanned=done, typed=code)
    return go(request, "order", store, order, tail="#pick")


def _scan_once(request: StaffRequest, fulfilment_id: UUID, code: str) -> str:
    """The scanned line's id. A scan that waited without a network brings its key, and counts once."""

    def work() -> tuple[int, Any]:
        result = actions.scan(actor=request.actor, fulfilment_id=fulfilment_id, code=code)
        return 200, str(result.line_id)

    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return str(work()[1])
    return str(
        idempotency.once(
            subject=subject_of(request.actor), endpoint=f"POST {request.path}", key=key, body=code.encode(), work=work
        )[1]
    )


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
    return go(
        request,
        "order",
        store,
        order,
        say=_("{units} × {name} short: the money goes back").format(units=units, name=row.name),
    )


@route("fulfilment.work")
@require_POST
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
    done = tried(
        lambda: actions.propose_substitute(actor=request.actor, line_id=row.id, variant_id=variant_id, units=units)
    )
    if done.refused:
        return _short(request, shop, order, view, row, refused=done.refused)
    said = _("Asked the shopper about {name}") if view.substitution == "ask" else _("Swap for {name} kept")
    return go(request, "order", store, order, say=said.format(name=row.name))


@route("fulfilment.work")
@require_POST
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
    paper, now = request.GET.get("paper", "a5"), clock.now()
    context = {
        "order": view,
        "order_code": order,
        "paper": paper if paper in PAPERS else "a5",
        "lines": [(line, svg(line.barcode)) for line in view.lines],
        "ready_by": chosen.printed_time(view.ready_by, now, shop.zone),
        "window": chosen.printed_window(view, now, shop.zone),
        "number_bars": svg(view.order_number),
        "units": sum(line.quantity for line in view.lines),
        "cold": sum(line.quantity for line in view.lines if line.temperature != "ambient"),
    }
    return page(request, shop, "print", context, tab="queue")


def _order(
    request: StaffRequest,
    shop: StoreView,
    code: str,
    view: FulfilmentView,
    *,
    done: Tried | None = None,
    scanned: Tried | None = None,
    typed: str = "",
) -> HttpResponse:
    scan, done, now = scanned or Tried(), done or Tried(), clock.now()
    rows = sorted((Row.of(line) for line in view.lines), key=lambda row: row.left == 0)
    tone, words = STATES.get(view.status, ("", ""))
    # A scan draws the list alone, and asks for nobody.
    awaited = view.mode == "delivery" and view.status in FETCHED and not request.htmx
    context: dict[str, Any] = {
        "order": view,
        "order_code": code,
        "rows": rows,
        "typed": typed,
        "units": view.units,
        "next": next((row for row in rows if row.left > 0), None),
        "scanned": next((row for row in rows if str(row.line.id) == scan.value), None),
        "scan_refused": scan.refused,
        "due": Due.of(view.ready_by, now),
        "window": chosen.window(view, now, shop.zone),
        "notice": chosen.notice(view, now, shop.zone),
        "may_pick": view.status in PICKING and request.actor.may("fulfilment.work"),
        "state_tone": tone,
        "state_words": words,
        "preference": PREFERENCES[view.substitution],
        "awaited": awaited,
        "comes": _comes(view) if awaited else "",
    }
    status = scan.status if scan.refused else 0
    template = "pick" if request.htmx else "order"
    return page(request, shop, template, context, tab="queue", refused=done.refused, status=status)


def _short(
    request: StaffRequest,
    shop: StoreView,
    code: str,
    view: FulfilmentView,
    row: LineView,
    *,
    problem: str = "",
    refused: Refused | None = None,
) -> HttpResponse:
    similar = catalog.similar(shop.id, row.variant_id, CANDIDATES)
    context = {
        "order": view,
        "order_code": code,
        "line": row,
        "line_code": ids.public("lin", row.id),
        "left": row.left,
        "problem": problem,
        "unit_price": row.unit_price,
        "typed_units": request.POST.get("units", str(row.left)),
        "chosen": request.POST.get("variant", ""),
        "candidates": [(card, ids.public("var", card.variant_id), card.price - row.unit_price) for card in similar],
    }
    status = 422 if problem else 0
    return page(request, shop, "short", context, tab="queue", refused=refused, status=status)


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
    return units if 1 <= units <= line.left else None


def _problem(line: LineView) -> str:
    return _("Type a number from 1 to {most}").format(most=line.left)
