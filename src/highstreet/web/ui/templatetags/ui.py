"""Filters and tags of all templates: `{% load ui %}`. They fill in language, zone and clock for `rules`."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import get_language

from highstreet.kernel import clock
from highstreet.web.ui import rules

register = template.Library()


def _now() -> datetime:
    return timezone.localtime(clock.now())


@register.filter
def money(fen: int | None, currency: str = "CNY") -> str:
    """`{{ line.total_fen|money }}` -> ¥12.30; nothing for None."""
    return "" if fen is None else rules.money(int(fen), currency)


@register.filter
def points(amount: int | None) -> str:
    return "" if amount is None else rules.money(int(amount), "PTS")


@register.simple_tag
def unit_price(fen: int, quantity: int, unit: str) -> str:
    """`{% unit_price 2500 950 "g" as per %}` -> ¥2.63/100 g, or empty."""
    return rules.unit_price(fen, quantity, unit, get_language())


@register.filter
def local_time(moment: datetime | None) -> str:
    """HH:MM in the active zone (the city's: `timezone.activate` in the middleware)."""
    return "" if moment is None else rules.clock_time(timezone.localtime(moment))


@register.filter
def day_time(moment: datetime | None) -> str:
    return "" if moment is None else rules.day_time(timezone.localtime(moment), _now(), get_language())


@register.filter
def by_time(moment: datetime | None) -> str:
    """今天 18:30前 / by 18:30."""
    return "" if moment is None else rules.by_time(timezone.localtime(moment), _now(), get_language())


@register.filter
def distance(metres: float | None) -> str:
    return "" if metres is None else rules.distance(metres, get_language())


@register.filter
def minutes(value: float | None) -> str:
    return "" if value is None else rules.minutes(value, get_language())


@register.simple_tag
def at(name: str, fallback: str, *args: object) -> str:
    """A page's address by its URL name, or the fallback where no face mounts that name."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return fallback


@register.filter
def spaced(code: object) -> list[str]:
    """The characters of a code, to be set apart: `4719` -> ["4", "7", "1", "9"]."""
    return [character for character in str(code) if not character.isspace()]


@register.filter
def as_id(value: object) -> str:
    """Part of an id attribute: letters, digits, `-` and `_` only."""
    return "".join(char if char.isalnum() or char in "-_" else "-" for char in str(value))
