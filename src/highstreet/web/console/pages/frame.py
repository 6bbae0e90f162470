"""What every page of the console stands on: whose stores, which city, and how a refusal is shown in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from highstreet.kernel import clock, ids, streams
from highstreet.kernel.paging import no_cursor
from highstreet.kernel.policy import Actor
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import FORBIDDEN, NOT_FOUND
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.reads import CityView
from highstreet.supply.stores import reads as stores
from highstreet.supply.stores.reads import StoreView


class StaffRequest(HttpRequest):
    """A request after the middleware: who asks, and whether htmx asks."""

    actor: Actor
    htmx: Any


@dataclass(frozen=True)
class Scope:
    """What the actor's organisation sees: one city, its own stores there (a retailer: all of them). `whole_city`: the
    couriers and the city's stream too, which are the retailer's and not those of who works in some stores."""

    city: CityView
    whole_city: bool
    stores: list[StoreView]

    @property
    def by_id(self) -> dict[UUID, StoreView]:
        return {store.id: store for store in self.stores}

    @property
    def store_ids(self) -> list[UUID]:
        return [store.id for store in self.stores]

    @property
    def topics(self) -> list[str]:
        """What the pages may hear: the city's stream has every store's orders and every courier's place."""
        return [f"city:{self.city.id}"] if self.whole_city else [f"store:{store.id}" for store in self.stores]

    def now(self) -> datetime:
        """Business time in the city's zone."""
        return clock.now().astimezone(self.city.zone)

    def midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, tzinfo=self.city.zone)

    def today(self) -> tuple[datetime, datetime]:
        """[start, end) of the city's local day."""
        start = self.midnight(self.now().date())
        return start, self.midnight(start.date() + timedelta(days=1))


def cities_of(request: StaffRequest) -> list[CityView]:
    """The cities that the actor's organisation runs."""
    return [city for city in organisations.cities() if city.retailer_id == request.actor.organisation_id]


@dataclass(frozen=True)
class Tried:
    """What came of an action: its value, or why it was refused."""

    value: Any = None
    refused: Refused | None = None


def tried(work: Callable[[], object]) -> Tried:
    """Run one action; a refusal is kept to be shown on the page, except "there is nothing here"."""
    try:
        return Tried(value=work())
    except Refused as refused:
        if refused.reason.code == NOT_FOUND.code:
            raise
        return Tried(refused=refused)


def scope_of(request: StaffRequest, city_code: str = "") -> Scope:
    """The city and the stores that the actor's organisation runs: the first, or that of the code where it is theirs.
    FORBIDDEN for who has none."""
    own = request.actor.organisation_id
    held: Scope | None = getattr(request, "_scope", None)
    if held is not None:
        return held
    for city in sorted(organisations.cities(), key=lambda one: one.code != city_code):
        whole = own is not None and city.retailer_id == own
        shops = [shop for shop in stores.stores_of(city.id) if whole or shop.organisation_id == own]
        mine = [shop for shop in shops if request.actor.at_store(shop.id)]
        if whole or mine:
            scope = Scope(city, whole and len(mine) == len(shops), mine)
            request._scope = scope  # type: ignore[attr-defined]
            return scope
    raise Refused(FORBIDDEN)


def store_for(scope: Scope, code: str) -> StoreView:
    """The store of the address; another's store is not told from one that does not exist."""
    store = scope.by_id.get(known("str", code))
    if store is None:
        raise Refused(NOT_FOUND)
    return store


def known(prefix: str, text: str) -> UUID:
    """The UUID behind a public identifier of an address; what is not one does not exist."""
    found = ids.private(prefix, text)
    if found is None:
        raise Refused(NOT_FOUND)
    return found


def beyond(request: StaffRequest, prefix: str) -> UUID | None:
    """After which row the page asked for begins; None for the first. What is no row is refused."""
    text = request.GET.get("from", "")
    found = ids.private(prefix, text)
    if text and found is None:
        raise no_cursor()
    return found


def further(name: str, kept: dict[str, str], prefix: str, after: UUID | None) -> str:
    """Where the list of a page goes on after a row; "" where it ends."""
    if after is None:
        return ""
    return f"{reverse(f'console:{name}')}?{urlencode({**kept, 'from': ids.public(prefix, after)})}"


def page(
    request: StaffRequest,
    template: str,
    context: dict[str, Any],
    *,
    tab: str,
    refused: Refused | None = None,
    status: int = 0,
    live: Sequence[str] = (),
) -> HttpResponse:
    """Draw a page in the city's time; a refusal keeps its status and is said in the page."""
    scope = scope_of(request)
    frame = {
        "store_name": scope.city.name,
        "city": scope.city,
        "scope": scope,
        "tab": tab,
        "now": clock.now(),
        "refused": refused,
        "stream_url": stream(request, live),
        "may": request.actor.permissions,
    }
    chosen = status or (refused.reason.status if refused else 200)
    with timezone.override(scope.city.zone):
        return render(request, f"console/{template}.html", {**frame, **context}, status=chosen)


def stream(request: StaffRequest, topics: Sequence[str]) -> str:
    """Where a page hears of changes; empty where no stream is served or the page needs none."""
    if not settings.STREAM_URL or not topics:
        return ""
    return f"{settings.STREAM_URL}/events?token={streams.token(topics, request.actor.sign_in)}"


def go(request: StaffRequest, name: str, *args: str, say: str = "", tail: str = "") -> HttpResponse:
    """Answer a form that worked: look at the next page, which says what was done."""
    if say:
        messages.success(request, say)
    return redirect(reverse(f"console:{name}", args=args) + tail)


def text_of(request: HttpRequest, name: str, most: int = 60) -> str:
    """A field of the address or the form, on one line."""
    source = request.POST if request.method == "POST" else request.GET
    return " ".join(source.get(name, "").replace("\x00", "").split())[:most]


def period_of(request: HttpRequest, scope: Scope, most_days: int = 92) -> tuple[date, date]:
    """The days [from, to] asked for, or the last seven; never in the future, never longer than `most_days`."""
    today = scope.now().date()
    last = min(_day(request.GET.get("to", "")) or today, today)
    first = _day(request.GET.get("from", "")) or last - timedelta(days=6)
    return max(min(first, last), last - timedelta(days=most_days - 1)), last


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        return None
