"""Broken rules of work in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from .rules import Breach


def hours(minutes: int) -> str:
    """Minutes as hours, with a half where there is one: 7.5."""
    return f"{minutes / 60:.1f}".removesuffix(".0")


def of(breach: Breach) -> str:
    facts = {"day": f"{breach.day:%m-%d}", "hours": hours(breach.minutes), "most": hours(breach.allowed)}
    said = {
        "length": _("a shift of {hours} h on {day}, where {most} h is the limit"),
        "no_break": _("a shift on {day} without its break of {most} h"),
        "overlap": _("two shifts at once on {day}"),
        "day": _("{hours} h of work on {day}, {most} h at most"),
        "week": _("{hours} h in the week from {day}, {most} h at most"),
        "rest": _("{hours} h of rest before {day}, {most} h at least"),
    }
    return said[breach.kind].format(**facts)


def of_all(breaches: Iterable[Breach]) -> str:
    return _("; ").join(of(one) for one in breaches)
