"""The store's work over JSON: its queue, the pick list, and each step."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import Field

from highstreet.kernel import ids
from highstreet.kernel.api import Body, key_of, once, private, refuses
from highstreet.kernel.guesses import guarded
from highstreet.kernel.policy import actor_of, route

from .. import actions, reads
from ..refusals import CODE_UNKNOWN
from ..rules import guesser

router = Router(tags=["store"])


class PickLineOut(Schema):
    id: str
    variant: str
    sku: str
    barcode: str
    name: str
    unit: str
    aisle: str
    temperature: str
    quantity: int
    picked: int
    short: int
    left: int
    substitute: str | None
    substitute_name: str
    substitute_quantity: int
    substitute_state: str
    answer_by: datetime | None


class FulfilmentOut(Schema):
    """`start_at`: when to begin with it, null for at once; `not_before`: the chosen window begins, null without one."""

    id: str
    order_number: str
    store: str
    mode: str
    status: str
    substitution: str
    phone_tail: str
    note: str
    ready_by: datetime
    promised_from: datetime
    promised_to: datetime
    start_at: datetime | None
    not_before: datetime | None
    collect_due: int
    lines: list[PickLineOut]


class ScanOut(Schema):
    line: str
    name: str
    picked: int
    quantity: int
    done: bool


class Reason(Body):
    reason: str = Field(max_length=40)


class Scan(Body):
    code: str = Field(min_length=1, max_length=64)
    units: int = Field(1, ge=1, le=99)


class Short(Body):
    line: str = Field(max_length=40)
    units: int = Field(ge=1, le=99)


class Substitute(Short):
    variant: str = Field(max_length=40)


class HandOver(Body):
    code: str = Field("", max_length=20)


class Collect(Body):
    store: str = Field(max_length=40)
    code: str = Field(min_length=1, max_length=20)
    cash_received: int = Field(0, ge=0, le=10**9)


def _line(view: reads.FulfilmentView, text: str) -> Any:
    """The line of this fulfilment behind `lin_…`; NOT_FOUND for another's."""
    line_id = private("lin", text)
    for line in view.lines:
        if line.id == line_id:
            return line.id
    return private("lin", "")


def _out(view: reads.FulfilmentView) -> dict[str, Any]:
    return {
        "id": ids.public("ful", view.id),
        "order_number": view.order_number,
        "store": ids.public("str", view.store_id),
        "mode": view.mode,
        "status": view.status,
        "substitution": view.substitution,
        "phone_tail": view.phone_tail,
        "note": view.note,
        "ready_by": view.ready_by,
        "promised_from": view.promised_from,
        "promised_to": view.promised_to,
        "start_at": view.start_at,
        "not_before": view.not_before,
        "collect_due": view.collect_due,
        "lines": [
            {
                "id": ids.public("lin", line.id),
                "variant": ids.public("var", line.variant_id),
                "sku": line.sku,
                "barcode": line.barcode,
                "name": line.name,
                "unit": line.unit,
                "aisle": line.aisle,
                "temperature": line.temperature,
                "quantity": line.quantity,
                "picked": line.picked,
                "short": line.short,
                "left": line.left,
                "substitute": ids.public("var", line.substitute_id) if line.substitute_id else None,
                "substitute_name": line.substitute,
                "substitute_quantity": line.substitute_quantity,
                "substitute_state": line.substitute_state,
                "answer_by": line.answer_by,
            }
            for line in view.lines
        ],
    }


@router.get("/fulfilments/{fulfilment}", response={200: FulfilmentOut}, openapi_extra=refuses("not_found"))
@route("fulfilment.read")
def detail(request: HttpRequest, fulfilment: str) -> dict[str, Any]:
    """One order with its pick list by aisle."""
    return _out(reads.detail(actor_of(request), private("ful", fulfilment)))


@router.post(
    "/fulfilments/{fulfilment}/accept", response={200: FulfilmentOut}, openapi_extra=refuses("not_found", "wrong_state")
)
@route("fulfilment.work")
def accept(request: HttpRequest, fulfilment: str) -> HttpResponse:
    """Accept an order for this store."""
    found = private("ful", fulfilment)

    def work() -> dict[str, Any]:
        actions.accept(actor=actor_of(request), fulfilment_id=found)
        return _out(reads.detail(actor_of(request), found))

    return once(request, work)


@router.post(
    "/fulfilments/{fulfilment}/reject",
    response={200: FulfilmentOut},
    openapi_extra=refuses("bad_reason", "not_found", "wrong_state"),
)
@route("fulfilment.work")
def reject(request: HttpRequest, fulfilment: str, body: Reason) -> HttpResponse:
    """Refuse an order: its money goes back. Reasons: out_of_stock, too_busy, closing, equipment, other."""
    found = private("ful", fulfilment)

    def work() -> dict[str, Any]:
        actions.reject(actor=actor_of(request), fulfilment_id=found, reason=body.reason)
        return _out(reads.detail(actor_of(request), found))

    return once(request, work)


@router.post(
    "/fulfilments/{fulfilment}/start", response={200: FulfilmentOut}, openapi_extra=refuses("not_found", "wrong_state")
)
@route("fulfilment.work")
def start(request: HttpRequest, fulfilment: str) -> HttpResponse:
    """Start picking."""
    found = private("ful", fulfilment)

    def work() -> dict[str, Any]:
        actions.start_picking(actor=actor_of(request), fulfilment_id=found)
        return _out(reads.detail(actor_of(request), found))

    return once(request, work)


@router.post(
    "/fulfilments/{fulfilment}/scan",
    response={200: ScanOut},
    openapi_extra=refuses("already_picked", "not_found", "unknown_code", "wrong_item", "wrong_state"),
)
@route("fulfilment.work")
def scan(request: HttpRequest, fulfilment: str, body: Scan) -> HttpResponse:
    """One scanned barcode or SKU. A wrong item is refused in words that name both."""
    found = private("ful", fulfilment)

    def work() -> dict[str, Any]:
        result = actions.scan(actor=actor_of(request), fulfilment_id=found, code=body.code, units=body.units)
        return {
            "line": ids.public("lin", result.line_id),
            "name": result.name,
            "picked": result.picked,
            "quantity": result.quantity,
            "done": result.done,
        }

    return once(request, work)


@router.post(
    "/fulfilments/{fulfilment}/short",
    response={200: FulfilmentOut},
    openapi_extra=refuses("not_enough_stock", "not_found", "too_many_units", "wrong_state"),
)
@route("fulfilment.work")
def short(request: HttpRequest, fulfilment: str, body: Short) -> HttpResponse:
    """Units of a line that are not there: their money goes back."""
    found = private("ful", fulfilment)

    def work() -> dict[str, Any]:
        line = _line(reads.detail(actor_of(request), found), body.line)
        actions.mark_short(actor=actor_of(request), line_id=line, units=body.units)
        return _out(reads.detail(actor_of(request), found))

    return once(request, work)


@router.post(
    "/fulfilments/{fulfilment}/substitute",
    response={200: FulfilmentOut},
    openapi_extra=refuses(
        "already_substituted",
        "no_substitutes",
        "not_a_substitute",
        "not_enough_stock",
        "not_found",
        "too_many_units",
        "wrong_state",
    ),
)
@route("fulfilment.work")
def substitute(request: HttpRequest, fulfilment: str, body: Substitute) -> HttpResponse:
    """Another variant in the place of missing units, as the shopper prefers."""
    found = private("ful", fulfilment)

    def work() -> dict[str, Any]:
        variant = private("var", body.variant)
        line = _line(reads.detail(actor_of(request), found), body.line)
        actions.propose_substitute(actor=actor_of(request), line_id=line, variant_id=variant, units=body.units)
        return _out(reads.detail(actor_of(request), found))

    return once(request, work)


@router.post(
    "/fulfilments/{fulfilment}/pack",
    response={200: FulfilmentOut},
    openapi_extra=refuses(
        "not_all_picked", "not_answered", "not_asked", "not_enough_stock", "not_found", "nothing_picked", "wrong_state"
    ),
)
@route("fulfilment.work")
def pack(request: HttpRequest, fulfilment: str) -> HttpResponse:
    """Close the bag: every line is picked, short or replaced."""
    found = private("ful", fulfilment)

    def work() -> dict[str, Any]:
        actions.pack(actor=actor_of(request), fulfilment_id=found)
        return _out(reads.detail(actor_of(request), found))

    return once(request, work)


@router.post(
    "/fulfilments/{fulfilment}/hand-over",
    response={200: FulfilmentOut},
    openapi_extra=refuses("not_found", "other_order", "nobodys_yet", "wrong_state"),
)
@route("fulfilment.work")
def hand_over(request: HttpRequest, fulfilment: str, body: HandOver) -> HttpResponse:
    """The courier has the bag; `code` is the order's number that the courier names, or empty."""
    found = private("ful", fulfilment)

    def work() -> dict[str, Any]:
        actions.hand_over(actor=actor_of(request), fulfilment_id=found, code=body.code)
        return _out(reads.detail(actor_of(request), found))

    return once(request, work)


@router.post(
    "/store/collect",
    response={200: FulfilmentOut},
    openapi_extra=refuses(
        "cash_due", "not_found", "pickup_code_unknown", "pickup_code_used", "too_many_tries", "wrong_state"
    ),
)
@route("fulfilment.work")
def collect(request: HttpRequest, body: Collect) -> HttpResponse:
    """Redeem a pickup code, once, with what is due paid in cash (fen). Ten unknown codes lock for 15 minutes."""
    key_of(request)
    store = private("str", body.store)

    def work() -> dict[str, Any]:
        found = actions.collect(
            actor=actor_of(request), store_id=store, code=body.code, cash_received=body.cash_received
        )
        return _out(reads.detail(actor_of(request), found))

    with guarded("pickup", guesser(actor_of(request).name, store), CODE_UNKNOWN):
        return once(request, work)
