"""The times that a shopper may choose at checkout, as one <select> shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import get_language

from highstreet.kernel import clock
from highstreet.kernel.refusal import Refused
from highstreet.supply.stores.reads import StoreView
from highstreet.trade.cart import reads as carts
from highstreet.trade.orders import reads as order_reads
from highstreet.trade.orders.ports import Slot
from highstreet.trade.orders.reads import QuoteView
from highstreet.trade.orders.refusals import CLOSED, NO_CAPACITY, SLOT_GONE
from highstreet.web.ui.rules import clock_time, day

from ..rules import hours
from .visit import Here, Visit

# Refused for its time alone: another one may do.
OTHER_TIME = (CLOSED, NO_CAPACITY, SLOT_GONE)


@dataclass(frozen=True)
class Hour:
    """An option: what the form posts, and its words; not `free`: its couriers are taken."""

    value: str
    words: str
    free: bool
    chosen: bool


@dataclass(frozen=True)
class Times:
    """Hours by day. `soonest`: as soon as possible may be asked for; `open`: nothing is chosen that can be had."""

    days: list[tuple[str, list[Hour]]]
    soonest: bool
    open: bool


def of_quote(quote: QuoteView, slot: datetime | None) -> Times | None:
    """The times of the quote's store with the one that is asked for; None where none can be chosen."""
    found = _slots(quote.store, quote.mode, quote.lat, quote.lon, quote.count)
    if quote.slot is not None:
        found = _with(found, quote.slot, quote.promised_to)
    return _times(found, slot, soonest=True) if found else None


def instead(visit: Visit, here: Here, store: StoreView | None, refused: Refused, slot: datetime | None) -> Times | None:
    """The times that can be had at `store`, in front there, although the one asked for cannot."""
    if store is None or refused.reason not in OTHER_TIME:
        return None
    units = sum(carts.quantities(visit.cart_key).values())
    found = _slots(store, here.mode, here.lat, here.lon, units)
    full = [replace(one, free=False) if one.starts_at == slot else one for one in found]
    return _times(full, slot, soonest=refused.reason is SLOT_GONE) if found else None


def _slots(store: StoreView, mode: str, lat: float, lon: float, units: int) -> list[Slot]:
    try:
        return order_reads.slots(store.id, mode, lat, lon, max(1, units))
    except Refused:
        return []


def _with(found: list[Slot], slot: datetime, until: datetime) -> list[Slot]:
    """What is quoted can be ordered, even if nobody else may choose it any more."""
    if any(one.starts_at == slot for one in found):
        return [replace(one, free=True) if one.starts_at == slot else one for one in found]
    return sorted([Slot(slot, max(slot, until), True), *found], key=lambda one: one.starts_at)


def _times(found: Iterable[Slot], slot: datetime | None, *, soonest: bool) -> Times:
    today, language = timezone.localtime(clock.now()).date(), get_language()
    by_day = groupby(found, key=lambda one: timezone.localtime(one.starts_at).date())
    days = [
        (str(capfirst(day(date, today, language))), [_hour(one, slot) for one in of_day]) for date, of_day in by_day
    ]
    chosen = any(hour.chosen for _, of_day in days for hour in of_day)
    return Times(days, soonest, not chosen and not (soonest and slot is None))


def _hour(one: Slot, slot: datetime | None) -> Hour:
    starts_at, ends_at = timezone.localtime(one.starts_at), timezone.localtime(one.ends_at)
    words = hours(starts_at, ends_at) if ends_at > starts_at else clock_time(starts_at)
    return Hour(one.starts_at.isoformat(), words, one.free, one.free and one.starts_at == slot)
