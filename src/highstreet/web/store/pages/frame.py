"""What every page of the store app stands on: which store, which order, and how a refusal is shown in place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from highstreet.kernel import clock, ids, streams
from highstreet.kernel.policy import Actor
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.fulfilment.reads import FulfilmentView

T = TypeVar("T")


class StaffRequest(HttpRequest):
    """A request after the middleware: who asks, and whether htmx asks."""

    actor: Actor
    htmx: Any


@dataclass(frozen=True)
class Tried:
    """What came of an action: its value, or why it was refused."""

    value: Any = None
    refused: Refused | None = None

    @property
    def status(self) -> int:
        return self.refused.reason.status if self.refused else 200


def tried(work: Callable[[], object]) -> Tried:
    """Run one action; a refusal is kept to be shown on the page, except "there is nothing here"."""
    try:
        return Tried(value=work())
    except Refused as refused:
        if refused.reason.code == NOT_FOUND.code:
            raise
        return Tried(refused=refused)


def known(prefix: str, text: str) -> UUID:
    """The UUID behind a public identifier of an address; what is not one does not exist."""
    found = ids.private(prefix, text)
    if found is None:
        raise Refused(NOT_FOUND)
    return found


def stores_for(actor: Actor) -> list[StoreView]:
    """The stores that `actor` works in: the assigned ones, or all of the organisation's."""
    if actor.store_ids is not None:
        return [stores.store(store_id) for store_id in sorted(actor.store_ids)]
    found = []
    for city in organisations.cities():
        whole_city = city.retailer_id == actor.organisation_id
        found += [
            store for store in stores.stores_of(city.id) if whole_city or store.organisation_id == actor.organisation_id
        ]
    return found


def store_for(request: StaffRequest, code: str) -> StoreView:
    """The store of the address; another's store is not told from one that does not exist."""
    return stores.must_work_at(request.actor, known("str", code))


def order_for(request: StaffRequest, store: StoreView, code: str) -> FulfilmentView:
    """The fulfilment of the address, if it is this store's."""
    found = fulfilments.detail(actor=request.actor, fulfilment_id=known("ful", code))
    if found.store_id != store.id:
        raise Refused(NOT_FOUND)
    return found


def page(
    request: StaffRequest,
    store: StoreView,
    template: str,
    context: dict[str, Any],
    *,
    tab: str,
    refused: Refused | None = None,
    status: int = 0,
) -> HttpResponse:
    """Draw a page of `store` in its own time; a refusal keeps its status and is said in the page."""
    now = clock.now()
    frame = {
        "store": store,
        "store_name": store.name,
        "store_code": ids.public("str", store.id),
        "tab": tab,
        "now": now,
        "paused": store.paused_until is not None and store.paused_until > now,
        "busy": store.extra_minutes(now),
        "refused": refused,
        "topic": f"store:{store.id}",
        "stream_url": stream(request, f"store:{store.id}"),
        "several": request.actor.store_ids is None or len(request.actor.store_ids) > 1,
    }
    chosen = status or (refused.reason.status if refused else 200)
    with timezone.override(store.zone):
        return render(request, f"store/{template}.html", {**frame, **context}, status=chosen)


def stream(request: StaffRequest, topic: str) -> str:
    """Where a page hears of changes; empty where no stream is served."""
    if not settings.STREAM_URL:
        return ""
    return f"{settings.STREAM_URL}/events?token={streams.token([topic], request.actor.sign_in)}"


def go(request: StaffRequest, name: str, *args: str, say: str = "", tail: str = "") -> HttpResponse:
    """Answer a form that worked: look at the next page, which says what was done."""
    if say:
        messages.success(request, say)
    return redirect(reverse(f"store:{name}", args=args) + tail)
