"""Orders: found by number, phone tail or pickup code; one with all that happened; cancelled or refunded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from highstreet.kernel import ids
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.orders import actions
from highstreet.trade.orders.reads import console as orders
from highstreet.trade.orders.reads.console import OrderRow, Sheet, SheetLine
from highstreet.web.ui.templatetags.ui import day_time, local_time, money

from .. import words
from .dossier import Dossier
from .frame import Scope, StaffRequest, go, known, page, scope_of, store_for, text_of, tried

FILTERS = {
    "": (gettext_lazy("All"), ()),
    "open": (gettext_lazy("Open"), ("pending", "confirmed")),
    "completed": (gettext_lazy("Completed"), ("completed",)),
    "cancelled": (gettext_lazy("Cancelled"), ("cancelled",)),
    "expired": (gettext_lazy("Not paid in time"), ("expired",)),
}
CANCEL_REASONS = {
    "customer": gettext_lazy("The customer asked for it"),
    "out_of_stock": gettext_lazy("The goods are not there"),
    "no_capacity": gettext_lazy("No courier can bring it"),
    "other": gettext_lazy("Another reason"),
}
REFUND_REASONS = {
    "damaged": gettext_lazy("Damaged"),
    "missing": gettext_lazy("Missing in the bag"),
    "quality": gettext_lazy("Poor quality"),
    "wrong_item": gettext_lazy("Wrong item"),
    "other": gettext_lazy("Another reason"),
}


@dataclass(frozen=True)
class Hit:
    """An order in the list."""

    row: OrderRow
    code: str
    store: str
    state: str
    tone: str
    payment: str
    payment_tone: str

    @property
    def mode(self) -> str:
        return words.of(words.MODES, self.row.mode)

    @property
    def promised(self) -> str:
        """By when; a delivery's chosen window from when to when."""
        row = self.row
        if row.slot is None or row.mode == "pickup":
            return day_time(row.promised_to)
        return f"{day_time(row.promised_from)}–{local_time(row.promised_to)}"

    @property
    def tail(self) -> str:
        return self.row.phone[-4:]


@route("console.read")
def listed(request: StaffRequest) -> HttpResponse:
    """The newest orders, by state, by store, or by what was typed; each page 30."""
    scope = scope_of(request)
    query, chosen = text_of(request, "q", 20), text_of(request, "status", 12)
    status = chosen if chosen in FILTERS else ""
    code = text_of(request, "store", 40)
    store = store_for(scope, code) if code else None
    found = orders.search(
        actor=request.actor,
        statuses=FILTERS[status][1],
        store_id=store.id if store else None,
        text=query,
        cursor=request.GET.get("from", "")[:60],
    )
    kept = {name: value for name, value in (("q", query), ("status", status), ("store", code)) if value}
    context = {
        "hits": hits_of(found.items, scope),
        "query": query,
        "status": status,
        "store": store,
        "code": code,
        "filters": _filters(kept, status),
        "next": _address({**kept, "from": found.next}) if found.next else "",
        "first": "" if not request.GET.get("from") else _address(kept),
        "shops": [(shop.name, ids.public("str", shop.id)) for shop in scope.stores],
    }
    return page(request, "orders", context, tab="orders")


@route("console.read")
def jump(request: StaffRequest) -> HttpResponse:
    """Ctrl-K: straight to the order when only one fits, else the list of those that do."""
    query = text_of(request, "q", 20)
    found = orders.search(actor=request.actor, text=query, limit=2).items if query else []
    if len(found) == 1:
        return redirect("console:order", ids.public("ord", found[0].id))
    return redirect(_address({"q": query} if query else {}))


@route("console.read")
def order(request: StaffRequest, order: str) -> HttpResponse:
    """One order: lines, money, the promise, the way, and everything that happened."""
    return _order(request, _sheet(request, order))


@route("orders.cancel_any")
def cancel(request: StaffRequest, order: str) -> HttpResponse:
    """Call the order off; whatever was paid goes back. Typed confirmation where money moves."""
    sheet = _sheet(request, order)
    context: dict[str, Any] = {"reasons": CANCEL_REASONS, "typed": sheet.row.number if sheet.left else ""}
    if request.method != "POST":
        return _form(request, sheet, "cancel", context)
    reason, typed = text_of(request, "reason", 20), text_of(request, "typed", 20)
    problems = {}
    if reason not in CANCEL_REASONS:
        problems["reason"] = _("Choose a reason")
    if sheet.left and typed.upper() != sheet.row.number:
        problems["typed"] = _("Type {number}, so that no other order is meant").format(number=sheet.row.number)
    if problems:
        return _form(request, sheet, "cancel", {**context, "problems": problems}, status=422)
    done = tried(lambda: actions.cancel(actor=request.actor, order_id=sheet.row.id, reason=reason))
    if done.refused:
        return _form(request, sheet, "cancel", context, refused=done.refused)
    back = _("{number} is cancelled; {amount} goes back").format(number=sheet.row.number, amount=money(sheet.left))
    return go(
        request, "order", order, say=back if sheet.left else _("{number} is cancelled").format(number=sheet.row.number)
    )


@route("orders.refund")
def refund(request: StaffRequest, order: str, line: str) -> HttpResponse:
    """Give back units of one line at the price that was frozen. The amount is typed to confirm."""
    sheet = _sheet(request, order)
    row = _line(sheet, line)
    context: dict[str, Any] = {"line": row, "line_code": line, "reasons": REFUND_REASONS}
    if request.method != "POST":
        return _form(request, sheet, "refund", context)
    units, reason = text_of(request, "units", 6), text_of(request, "reason", 20)
    problems = {}
    if not (units.isascii() and units.isdigit() and 1 <= int(units) <= max(row.left, 1)):
        problems["units"] = _("Type a number from 1 to {most}").format(most=row.left)
    if reason not in REFUND_REASONS:
        problems["reason"] = _("Choose a reason")
    if text_of(request, "typed", 20).upper() != sheet.row.number:
        problems["typed"] = _("Type {number}, so that no other order is meant").format(number=sheet.row.number)
    if problems:
        return _form(request, sheet, "refund", {**context, "problems": problems}, status=422)
    done = tried(
        lambda: actions.refund_units(actor=request.actor, order_line_id=row.id, units=int(units), reason=reason)
    )
    if done.refused:
        return _form(request, sheet, "refund", context, refused=done.refused)
    return go(request, "order", order, say=_("{amount} goes back").format(amount=money(done.value)), tail="#money")


def hits_of(rows: list[OrderRow], scope: Scope) -> list[Hit]:
    """Orders with their words and their stores' names; a fulfilment's state is finer than the order's."""
    states = fulfilments.statuses([row.id for row in rows if row.status == "confirmed"])
    made = []
    for row in rows:
        store = scope.by_id.get(row.store_id)
        fine = states.get(row.id)
        state = words.of(words.FULFILMENT, fine) if fine else words.of(words.ORDER, row.status)
        made.append(
            Hit(
                row,
                ids.public("ord", row.id),
                store.name if store else "–",
                state,
                words.ORDER_TONE.get(row.status, ""),
                words.of(words.PAYMENT, row.payment_status),
                words.PAYMENT_TONE.get(row.payment_status, ""),
            )
        )
    return made


def _sheet(request: StaffRequest, code: str) -> Sheet:
    return orders.sheet(actor=request.actor, order_id=known("ord", code))


def _line(sheet: Sheet, code: str) -> SheetLine:
    line_id = known("oli", code)
    for row in sheet.lines:
        if row.id == line_id:
            return row
    raise Refused(NOT_FOUND)


def _order(request: StaffRequest, sheet: Sheet) -> HttpResponse:
    scope = scope_of(request)
    dossier = Dossier.of(request.actor, sheet, scope)
    code = ids.public("ord", sheet.row.id)
    open_now = sheet.row.status in ("pending", "confirmed")
    context = {
        "sheet": sheet,
        "row": sheet.row,
        "code": code,
        "dossier": dossier,
        "hit": hits_of([sheet.row], scope)[0],
        "lines": [(line, ids.public("oli", line.id), ids.public("var", line.variant_id)) for line in sheet.lines],
        "may_cancel": open_now and request.actor.may("orders.cancel_any"),
        "may_refund": request.actor.may("orders.refund") and sheet.row.status in ("confirmed", "completed"),
        "may_ledger": request.actor.may("ledger.read"),
        "store_code": ids.public("str", sheet.row.store_id),
    }
    return page(request, "order", context, tab="orders", live=[f"order:{sheet.row.id}"])


def _form(
    request: StaffRequest,
    sheet: Sheet,
    template: str,
    context: dict[str, Any],
    *,
    refused: Refused | None = None,
    status: int = 0,
) -> HttpResponse:
    frame = {
        "sheet": sheet,
        "row": sheet.row,
        "code": ids.public("ord", sheet.row.id),
        "problems": {},
        "form": request.POST,
    }
    return page(request, template, {**frame, **context}, tab="orders", refused=refused, status=status)


def _filters(kept: dict[str, str], chosen: str) -> list[tuple[str, str, bool]]:
    rest = {name: value for name, value in kept.items() if name != "status"}
    return [
        (_address({**rest, "status": code} if code else rest), str(label), code == chosen)
        for code, (label, _statuses) in FILTERS.items()
    ]


def _address(query: dict[str, str]) -> str:
    return reverse("console:orders") + (f"?{urlencode(query)}" if query else "")
