"""Words and shelves of the shop's pages: `{% load shop %}`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from html import escape
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.safestring import SafeString, mark_safe

from highstreet.kernel import clock, ids
from highstreet.web.ui.rules import money

from .. import rules
from ..pages.front import Tile

register = template.Library()
EAGER = 4
KEPT = 4096
# Where a kept card has what differs from one page to the next; nobody can write these into a product's name.
_TOKEN, _NEXT = (f"{name}-{ids.random_token(20)}" for name in ("token", "next"))


@register.filter
def yuan(fen: int | None) -> str:
    """Whole yuan without decimals where there are none: 500 -> ¥5, 550 -> ¥5.50."""
    return "" if fen is None else money(fen).removesuffix(".00")


@register.simple_tag
def window(start: datetime, end: datetime) -> str:
    """`{% window quote.promised_from quote.promised_to as when %}` -> today 17:00–18:00 / 今天 17:00–18:00."""
    local = timezone.localtime
    return rules.window(local(start), local(end), local(clock.now()), translation.get_language())


@register.simple_tag(takes_context=True)
def cards(context: dict[str, Any], tiles: Iterable[Tile]) -> SafeString:
    """The cards of a shelf, the first ones' pictures at once. A card is rendered anew when what it says changes."""
    language = translation.get_language() or ""
    made = "".join(_card(_said(tile), place < EAGER, language) for place, tile in enumerate(tiles))
    token = str(context.get("csrf_token", ""))
    return mark_safe(made.replace(_TOKEN, token).replace(_NEXT, escape(str(context.get("next", "")))))


def _said(tile: Tile) -> Tile:
    """How many are free is told only when they are few."""
    return tile if tile.stock == "low" else replace(tile, card=replace(tile.card, free=0))


@lru_cache(maxsize=KEPT)
def _card(tile: Tile, eager: bool, language: str) -> str:
    context = {"tile": tile, "eager": "1" if eager else "", "flag": "", "next": _NEXT, "csrf_token": _TOKEN}
    return render_to_string("shop/parts/tile.html", context)
