"""Broken rules of work, and what couriers say of their time, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .rules import Breach

WEEKDAYS = (
    gettext_lazy("Every Monday"),
    gettext_lazy("Every Tuesday"),
    gettext_lazy("Every Wednesday"),
    gettext_lazy("Every Thursday"),
    gettext_lazy("Every Friday"),
    gettext_lazy("Every Saturday"),
    gettext_lazy("Every Sunday"),
)
SAID = {
    "want": gettext_lazy("wants to work"),
    "avoid": gettext_lazy("would rather not"),
    "cannot": gettext_lazy("cannot"),
}


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


def every(weekday: int) -> str:
    """A weekday that comes again each week; Monday is 0."""
    return str(WEEKDAYS[weekday])


def said(kind: str) -> str:
    """What a courier says of a time; nothing where they say nothing."""
    return str(SAID.get(kind, ""))


def time_of(minute: int) -> str:
    """A minute of the day as 18:30; its end is 24:00."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
