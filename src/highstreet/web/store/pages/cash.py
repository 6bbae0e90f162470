"""Couriers hand in the cash that they took at doors."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _

from highstreet.delivery.couriers import actions
from highstreet.delivery.couriers import reads as couriers
from highstreet.kernel import ids
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.supply.stores.reads import StoreView
from highstreet.web.ui import rules as ui

from .frame import StaffRequest, go, known, page, store_for, tried


@route("fulfilment.work")
def cash(request: StaffRequest, store: str) -> HttpResponse:
    """Who has cash to hand in; what was counted is typed, and taken in once for each form."""
    shop = store_for(request, store)
    if request.method != "POST":
        return _page(request, shop)
    courier = known("cou", request.POST.get("courier", ""))
    typed, key = request.POST.get("amount", "")[:12], request.POST.get("key", "")[:40]
    amount = ui.fen(typed)
    if amount is None:
        return _page(request, shop, courier, typed, problem=_("Count it, and type the amount, such as 168.50"))
    done = tried(
        lambda: actions.take_cash(actor=request.actor, store_id=shop.id, courier_id=courier, amount=amount, key=key)
    )
    if done.refused:
        return _page(request, shop, courier, typed, refused=done.refused)
    words = _("{amount} from {name} is in the till. Still in hand: {left}")
    said = words.format(amount=ui.money(amount), name=done.value.courier_name, left=ui.money(done.value.left))
    return go(request, "cash", store, say=said)


def _page(
    request: StaffRequest,
    shop: StoreView,
    courier: UUID | None = None,
    typed: str = "",
    *,
    problem: str = "",
    refused: Refused | None = None,
) -> HttpResponse:
    till = couriers.till(request.actor, shop.id)
    context: dict[str, Any] = {
        "rows": [
            (one, ids.public("cou", one.courier_id), ids.random_token(16), one.courier_id == courier)
            for one in till.couriers
        ],
        "hand_ins": till.hand_ins,
        "typed": typed,
        "problem": problem,
    }
    return page(request, shop, "cash", context, tab="collect", refused=refused, status=422 if problem else 0)
