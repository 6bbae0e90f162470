"""What a store begins later: for a time that the shopper chose, or for its courier; how screens and paper say it."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from django.utils.formats import date_format
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from highstreet.trade.fulfilment.reads import FulfilmentCard, FulfilmentView
from highstreet.web.ui import rules

NOT_BEGUN = ("pending", "accepted")
# Who begins within a minute begins now.
AT_ONCE = timedelta(minutes=1)

Order = FulfilmentCard | FulfilmentView


def waits_until(order: Order, now: datetime) -> datetime | None:
    """When the store should begin with an order; None when that is now, or somebody has begun."""
    early = order.start_at is not None and order.start_at > now + AT_ONCE
    return order.start_at if early and order.status in NOT_BEGUN else None


def start(at: datetime, now: datetime, zone: tzinfo) -> str:
    """Start at 16:35; with its day when that is not today."""
    local = at.astimezone(zone)
    time = rules.clock_time(local)
    if _is_today(local, now):
        return _("Start at {time}").format(time=time)
    return _("Start {day} at {time}").format(day=_day(local, now), time=time)


def window(order: Order, now: datetime, zone: tzinfo) -> str:
    """17:00–18:00, with its day when that is not today; "" when no time was chosen."""
    if not _is_chosen(order):
        return ""
    local = _begins(order).astimezone(zone)
    return _span(order, zone) if _is_today(local, now) else f"{_day(local, now)} {_span(order, zone)}"


def notice(order: Order, now: datetime, zone: tzinfo) -> str:
    """When to begin and what for, the chosen time if there is one; "" when the order does not wait."""
    at = waits_until(order, now)
    if at is None:
        return ""
    if not _is_chosen(order):
        words = _("{start} so that it is fresh when the courier comes. Nothing else to do? You may start now.")
        return words.format(start=start(at, now, zone))
    words = (
        _("Chosen time: {window}. {start} so that it is fresh when the shopper comes.")
        if order.mode == "pickup"
        else _("Chosen time: {window}. {start} so that it is fresh when the courier comes.")
    )
    chosen = f"{_day(_begins(order).astimezone(zone), now)} {_span(order, zone)}"
    return words.format(window=chosen, start=start(at, now, zone))


def printed_window(order: Order, now: datetime, zone: tzinfo) -> str:
    """The window as paper says it, which may be read tomorrow; "" when no time was chosen."""
    return _dated(_span(order, zone), _begins(order).astimezone(zone), now) if _is_chosen(order) else ""


def printed_time(at: datetime, now: datetime, zone: tzinfo) -> str:
    """A time as paper says it: with its date when that is not today."""
    local = at.astimezone(zone)
    return _dated(rules.clock_time(local), local, now)


def _is_chosen(order: Order) -> bool:
    """An order that another store takes over may have to begin at once and keep its window all the same. A pick-up has
    no door, and is begun later only for a chosen time."""
    return order.not_before is not None or (order.mode == "pickup" and order.start_at is not None)


def _begins(order: Order) -> datetime:
    """The window's beginning; a pick-up is promised from a moment on, by which it is ready."""
    return order.promised_to if order.mode == "pickup" else order.promised_from


def _span(order: Order, zone: tzinfo) -> str:
    begin, end = (rules.clock_time(at.astimezone(zone)) for at in (_begins(order), order.promised_to))
    return _("from {time}").format(time=begin) if order.mode == "pickup" else f"{begin}–{end}"


def _day(local: datetime, now: datetime) -> str:
    return rules.day(local.date(), now.astimezone(local.tzinfo).date(), get_language())


def _is_today(local: datetime, now: datetime) -> bool:
    return local.date() == now.astimezone(local.tzinfo).date()


def _dated(words: str, local: datetime, now: datetime) -> str:
    if _is_today(local, now):
        return words
    day = date_format(local, pgettext("a date on paper", "j M"))
    return f"{day} {words}"
