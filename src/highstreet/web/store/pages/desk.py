"""The desk: orders leave the store with a courier or with the shopper, and any order is found."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from highstreet.kernel import ids
from highstreet.kernel.guesses import guarded
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import TOO_MANY_TRIES
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.fulfilment import actions
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.fulfilment.reads import FulfilmentView
from highstreet.trade.fulfilment.refusals import CODE_UNKNOWN
from highstreet.trade.fulfilment.rules import guesser

from .frame import StaffRequest, go, order_for, page, store_for, tried

CODE_DIGITS = 8


@route("fulfilment.work")
@require_POST
def hand_over(request: StaffRequest, store: str, order: str) -> HttpResponse:
    """The courier has the bag. Twice is once."""
    shop = store_for(request, store)
    view = order_for(request, shop, order)
    done = tried(lambda: actions.hand_over(actor=request.actor, fulfilment_id=view.id))
    if done.refused:
        return page(request, shop, "refused", {"order": view, "order_code": order}, tab="queue", refused=done.refused)
    return go(request, "queue", store, say=_("{number} is with the courier").format(number=view.order_number))


@route("fulfilment.work")
def collect(request: StaffRequest, store: str) -> HttpResponse:
    """The shopper's eight digits: first what it is and the cash due, then redeemed once."""
    shop = store_for(request, store)
    code = "".join((request.POST.get("code") or request.GET.get("code") or "").split())
    context: dict[str, Any] = {"code": code, "order": None}
    if not code:
        return page(request, shop, "collect", context, tab="collect")
    if not (code.isascii() and code.isdigit() and len(code) == CODE_DIGITS):
        context["problem"] = _("A pickup code has {digits} digits").format(digits=CODE_DIGITS)
        return page(request, shop, "collect", context, tab="collect", status=422)
    found = tried(lambda: _looked_up(request, shop, code))
    if found.refused and found.refused.reason is TOO_MANY_TRIES:
        return page(request, shop, "collect", context, tab="collect", refused=found.refused)
    if found.refused:
        context["problem"] = _("No order waits here under {code}. Read it again, digit by digit").format(code=code)
        return page(request, shop, "collect", context, tab="collect", status=422)
    context |= {"order": found.value, "bag": _in_bag(found.value)}
    if request.method != "POST":
        return page(request, shop, "collect", context, tab="collect")
    return _redeem(request, store, code, context)


@route("fulfilment.read")
def find(request: StaffRequest, store: str) -> HttpResponse:
    """An open order by number, phone tail or pickup code; straight to it when there is one."""
    shop = store_for(request, store)
    text = request.GET.get("q", "").strip()[:40]
    cards = fulfilments.queue(actor=request.actor, store_id=shop.id)
    bare = text.lower().replace(" ", "")
    hits = [card for card in cards if bare and (bare in card.order_number.lower() or card.phone_tail == bare)]
    if len(hits) == 1:
        return go(request, "order", store, ids.public("ful", hits[0].id))
    if not hits and len(bare) == CODE_DIGITS and bare.isdigit():
        return go(request, "collect", store, tail=f"?code={bare}")
    rows = [(card, ids.public("ful", card.id)) for card in hits]
    return page(request, shop, "find", {"text": text, "rows": rows}, tab="queue")


def _looked_up(request: StaffRequest, shop: StoreView, code: str) -> FulfilmentView:
    """The order that waits under a code. Unknown codes are counted, with those of the API."""
    with guarded("pickup", guesser(request.actor.name, shop.id), CODE_UNKNOWN):
        found = fulfilments.by_code(actor=request.actor, store_id=shop.id, code=code)
        if found is None:
            raise Refused(CODE_UNKNOWN)
        return found


def _in_bag(view: FulfilmentView) -> int:
    return view.picked + sum(line.substitute_quantity for line in view.lines if line.substitute_state == "agreed")


def _redeem(request: StaffRequest, store: str, code: str, context: dict[str, Any]) -> HttpResponse:
    shop = store_for(request, store)
    view = context["order"]
    cash = view.collect_due if request.POST.get("cash") == "taken" else 0
    if view.collect_due and not cash:
        context["problem"] = _("Take the money first, then tick that you have it")
        return page(request, shop, "collect", context, tab="collect", status=422)
    done = tried(lambda: actions.collect(actor=request.actor, store_id=shop.id, code=code, cash_received=cash))
    refused: Refused | None = done.refused
    if refused:
        return page(request, shop, "collect", context, tab="collect", refused=refused)
    return go(request, "collect", store, say=_("{number} collected").format(number=view.order_number))
