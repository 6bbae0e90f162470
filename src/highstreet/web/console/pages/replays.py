"""Replays: a past day under another policy, roster, number of couriers or promise, beside what happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import zip_longest
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from highstreet.delivery.dispatch import actions
from highstreet.delivery.dispatch.actions.replaying import POLICIES, ROSTERS
from highstreet.delivery.dispatch.reads import replays as reads
from highstreet.delivery.dispatch.reads.replays import ReplayView
from highstreet.kernel import ids
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.web.ui.templatetags.ui import money

from .. import charts, words
from .frame import Scope, StaffRequest, cities_of, go, known, page, scope_of, text_of, tried
from .peaks import day_of

FAILURES: dict[str, LazyText] = {
    "replay_empty": gettext_lazy("On that day no delivery arrived that could be run again."),
    "replay_no_roster": gettext_lazy("No roster was published for that day."),
    "replay_no_shifts": gettext_lazy("On the other day nobody worked."),
    "replay_unlearnt": gettext_lazy("Before that day nothing was delivered that a roster could be proposed from."),
    "broken": gettext_lazy("It broke off. The log of the worker says where."),
}
SHIFTS: dict[str, LazyText] = {
    "worked": gettext_lazy("As worked that day"),
    "planned": gettext_lazy("As published for that day"),
    "proposed": gettext_lazy("As would have been proposed, from the days before"),
    "other": gettext_lazy("As worked on another day"),
}
# What to know of the shifts that were asked for.
SHIFTS_NOTE: dict[str, LazyText] = {
    "planned": gettext_lazy(
        "The shifts are those of the published roster, whoever came, and those that nobody had taken: who is not named "
        "begins and rides as was usual in the four weeks before."
    ),
    "proposed": gettext_lazy(
        "The shifts are what would have been proposed from the orders of the days before, by today's rules of work. "
        "Nothing of the day itself was looked at. Couriers begin and ride as was usual in the four weeks before."
    ),
    "other": gettext_lazy("The shifts are those worked on the other day, at the same times by the clock."),
}
# Name in the result, what it is called, its unit, and whether more of it is better (1), worse (-1) or neither (0).
FIGURES: list[tuple[str, LazyText, str, int]] = [
    ("late", gettext_lazy("Late, or not brought"), "%", -1),
    ("minutes_late", gettext_lazy("Minutes late on average, of all that arrived"), "min", -1),
    ("click", gettext_lazy("From order to door, mean"), "min", -1),
    ("click90", gettext_lazy("From order to door, 90 % within"), "min", -1),
    ("promised", gettext_lazy("Promised, mean"), "min", 0),
    ("undelivered", gettext_lazy("Not brought"), "", -1),
    ("couriers", gettext_lazy("Courier shifts"), "", 0),
    ("hours", gettext_lazy("Paid courier hours, without breaks"), "h", 0),
    ("an_hour", gettext_lazy("Deliveries a paid hour"), "", 1),
    ("pay", gettext_lazy("Paid for orders"), "fen", 0),
    ("top_up", gettext_lazy("Topped up to the guaranteed hour"), "fen", 0),
    ("bonus", gettext_lazy("Bonuses"), "fen", 0),
    ("cost", gettext_lazy("Couriers' cost, all together"), "fen", 0),
    ("each", gettext_lazy("Couriers' cost a delivery"), "fen", -1),
]


@dataclass(frozen=True)
class Item:
    """A replay in the list."""

    code: str
    view: ReplayView
    terms: str
    state: str
    tone: str


@dataclass(frozen=True)
class Line:
    """A figure three times; `tone` says whether what was asked is better than the same terms replayed."""

    name: str
    happened: str
    same: str
    asked: str
    change: str
    tone: str


@dataclass(frozen=True)
class Hour:
    """How many couriers were on duty in an hour of the day, as worked and as asked for."""

    name: str
    worked: str
    asked: str


@route("dispatch.replay")
def replays(request: StaffRequest) -> HttpResponse:
    """What was replayed, and the form that asks for another."""
    scope = scope_of(request, text_of(request, "city", 40))
    if request.method != "POST":
        return _shown(request, scope)
    problems: dict[str, str] = {}
    numbers = {name: _number(text_of(request, name, 4)) for name in ("couriers", "quantile")}
    for name, value in numbers.items():
        if value is None:
            problems[name] = _("Type a whole number")
    policy = text_of(request, "policy", 20)
    if policy not in POLICIES:
        problems["policy"] = _("Choose a policy")
    roster, other_day = text_of(request, "roster", 10) or "worked", _date(text_of(request, "other_day", 10))
    if roster not in ROSTERS:
        problems["roster"] = _("Choose whose shifts")
    if roster == "other" and other_day is None:
        problems["other_day"] = _("Choose the day whose shifts are taken")
    if problems:
        return _shown(request, scope, problems=problems, status=422)
    done = tried(
        lambda: actions.ask_replay(
            actor=request.actor,
            city_id=scope.city.id,
            day=day_of(request, scope),
            policy=policy,
            couriers=numbers["couriers"] or 0,
            roster=roster,
            other_day=other_day,
            quantile=numbers["quantile"] or 0,
        )
    )
    if done.refused:
        return _shown(request, scope, refused=done.refused)
    return go(request, "replay", ids.public("rpl", done.value))


@route("dispatch.replay")
def replay(request: StaffRequest, replay: str) -> HttpResponse:
    """One replay beside what happened, and how far the simulation itself is off."""
    view = reads.replay(request.actor, known("rpl", replay))
    scope = scope_of(request, next((city.code for city in cities_of(request) if city.id == view.city_id), ""))
    item = _item(view)
    context: dict[str, Any] = {
        "item": item,
        "view": view,
        "failure": FAILURES.get(view.failure, FAILURES["broken"]) if view.failure else "",
        "used": words.of(words.POLICIES, str(view.result.get("policy", ""))),
        "lines": _lines(view, scope.city.currency) if view.result else [],
        "violations": int(view.result["asked"]["violations"]) if view.result else 0,
        "off": _off(view) if view.result else "",
        "shifts": SHIFTS_NOTE.get(view.roster, ""),
        **(_on_duty(view.result) if view.result else {}),
        "running": view.finished_at is None,
    }
    part = text_of(request, "part", 8) if request.htmx else ""
    return page(request, "replay_state" if part == "state" else "replay", context, tab="tower")


def _shown(
    request: StaffRequest,
    scope: Scope,
    *,
    problems: dict[str, str] | None = None,
    refused: Refused | None = None,
    status: int = 0,
) -> HttpResponse:
    context = {
        "items": [_item(view) for view in reads.replays(request.actor, scope.city.id)],
        "rosters": [(name, SHIFTS[name]) for name in ROSTERS],
        "policies": [(name, words.of(words.POLICIES, name)) for name in POLICIES],
        "yesterday": scope.now().date() - timedelta(days=1),
        "problems": problems or {},
        "form": request.POST,
        "to": reverse("console:replays"),
    }
    return page(request, "replays", context, tab="tower", refused=refused, status=status)


def _item(view: ReplayView) -> Item:
    told = [words.of(words.POLICIES, view.policy).partition(":")[0].partition("：")[0]]
    if view.roster == "planned":
        told.append(_("published roster"))
    elif view.roster == "proposed":
        told.append(_("proposed roster"))
    elif view.other_day:
        told.append(_("shifts of {day}").format(day=view.other_day.isoformat()))
    if view.couriers != 100:
        told.append(_("couriers at {n} %").format(n=view.couriers))
    if view.quantile:
        told.append(_("promised at {n} %").format(n=view.quantile))
    state, tone = _("done"), "ok"
    if view.failure:
        state, tone = _("not possible"), "bad"
    elif view.finished_at is None:
        state, tone = _("running, {n} %").format(n=view.progress), "info"
    return Item(ids.public("rpl", view.id), view, " · ".join(told), state, tone)


def _lines(view: ReplayView, currency: str) -> list[Line]:
    happened, same, asked = (view.result[name] for name in ("happened", "same", "asked"))
    made = []
    for name, label, unit, better in FIGURES:
        if name not in asked:  # A replay from before this was counted.
            continue
        change = float(asked[name]) - float(same[name])
        tone = "" if not better or abs(change) < 0.05 else "better" if change * better > 0 else "worse"
        columns = [_said(float(column[name]), unit, currency) for column in (happened, same, asked)]
        sign = "" if abs(change) < 0.005 else "+" if change > 0 else "−"
        changed = sign + _said(abs(change), unit, currency) if sign else ""
        made.append(Line(str(label), columns[0], columns[1], columns[2], changed, tone))
    return made


def _on_duty(result: dict[str, Any]) -> dict[str, Any]:
    """Couriers there by hour, from the first hour to the last in which anybody is, drawn and in numbers."""
    worked, asked = (list(result[name].get("there", [])) for name in ("same", "asked"))
    rows = [(hour, *both) for hour, both in enumerate(zip_longest(worked, asked, fillvalue=0.0))]
    busy = [hour for hour, *both in rows if any(both)]
    rows = rows[busy[0] : busy[-1] + 1] if busy else []
    drawn = [(f"{hour % 24}:00", round(100 * was), round(100 * now)) for hour, was, now in rows]
    return {
        "chart": charts.against(drawn, missing=False, step=22, every=2, scale=100),
        "hours": [Hour(f"{hour % 24}:00", f"{was:g}", f"{now:g}") for hour, was, now in rows],
    }


def _off(view: ReplayView) -> str:
    """How far the same terms replayed are from what happened."""
    happened, same = view.result["happened"], view.result["same"]
    text = _(
        "How far to trust it: the same terms replayed give {same} % late and {click} min to the door; "
        "what happened was {late} % and {was} min. Compare the two replays with each other, not with the day."
    )
    return text.format(
        same=f"{same['late']:.1f}",
        click=f"{same['click']:.1f}",
        late=f"{happened['late']:.1f}",
        was=f"{happened['click']:.1f}",
    )


def _said(value: float, unit: str, currency: str) -> str:
    if unit == "fen":
        return money(round(value), currency)
    whole = f"{value:,.0f}" if unit == "" and value == int(value) else f"{value:,.1f}"
    words_of = {"%": f"{whole} %", "min": _("{n} min").format(n=whole), "h": _("{n} h").format(n=whole)}
    return words_of.get(unit, whole)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _date(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        return None
