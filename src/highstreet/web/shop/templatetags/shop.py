"""Words of the shop's pages: `{% load shop %}`."""

from __future__ import annotations

from django import template

from highstreet.web.ui.rules import money

register = template.Library()


@register.filter
def yuan(fen: int | None) -> str:
    """Whole yuan without decimals where there are none: 500 -> ¥5, 550 -> ¥5.50."""
    return "" if fen is None else money(fen).removesuffix(".00")
