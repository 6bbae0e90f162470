"""The roster: a week's demand against who is planned, proposed, published and given out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.http import HttpResponse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from highstreet.delivery.couriers import actions
from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.couriers import words as said
from highstreet.delivery.couriers.reads import DayView, ShiftView
from highstreet.kernel import ids
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND

from .. import charts, words
from .frame import Scope, StaffRequest, go, known, page, scope_of, text_of, tried

WEEK = 7
MOST_WEEKS = 53
SAID = {"want": "ok", "avoid": "warn", "cannot": "bad"}


@dataclass(frozen=True)
class Line:
    """One planned shift in words."""

    view: ShiftView
    code: str
    state: str
    tone: str
    hours: str
    said: str
    said_tone: str


@dataclass(frozen=True)
class Day:
    """One local day: its picture, its numbers, and what can be done."""

    view: DayView
    name: str
    basis: str
    hours: str
    chart: charts.Against
    lines: list[Line]
    wished: str
    lacking: str
    may_propose: bool
    may_publish: bool

    @property
    def code(self) -> str:
        return self.view.day.isoformat()


@route("couriers.plan")
def week(request: StaffRequest) -> HttpResponse:
    """Seven days from a Monday on."""
    return _week(request, _monday(request, scope_of(request)))


@route("couriers.plan")
def propose(request: StaffRequest) -> HttpResponse:
    """Draft a day from the city's past."""
    scope, day = scope_of(request), _day(request)
    if request.method != "POST":
        return go(request, "roster")
    done = tried(lambda: actions.propose(actor=request.actor, city_id=scope.city.id, day=day))
    if done.refused:
        return _week(request, _first(day), done.refused)
    said = ngettext("{count} shift proposed", "{count} shifts proposed", done.value).format(count=done.value)
    return go(request, "roster", say=said, tail=_tail(day))


@route("couriers.plan")
def publish(request: StaffRequest) -> HttpResponse:
    """Show a day's drafts to the couriers."""
    scope, day = scope_of(request), _day(request)
    if request.method != "POST":
        return go(request, "roster")
    done = tried(lambda: actions.publish(actor=request.actor, city_id=scope.city.id, day=day))
    if done.refused:
        return _week(request, _first(day), done.refused)
    said = ngettext("{count} shift published", "{count} shifts published", done.value).format(count=done.value)
    return go(request, "roster", say=said, tail=_tail(day))


@route("couriers.plan")
def shift(request: StaffRequest, shift: str) -> HttpResponse:
    """One shift: give it to somebody, take it back, withdraw it."""
    scope, found = scope_of(request), couriers.shift(request.actor, known("shf", shift))
    if request.method != "POST":
        return _shift(request, scope, found)
    what = text_of(request, "what", 10)
    day = found.starts_at.astimezone(scope.city.zone).date()
    if what == "give":
        chosen = ids.private("cou", text_of(request, "courier", 40))
        if chosen is None:
            return _shift(request, scope, found, problem=_("Choose a courier"))
        done = tried(lambda: actions.assign(actor=request.actor, shift_id=found.id, courier_id=chosen))
        said = _("The shift is given")
    elif what == "release":
        done = tried(lambda: actions.release(actor=request.actor, shift_id=found.id))
        said = _("The shift is open again")
    elif what == "withdraw":
        done = tried(lambda: actions.withdraw(actor=request.actor, shift_id=found.id))
        said = _("The offer is withdrawn") if found.status == "offered" else _("The shift is withdrawn")
    else:
        raise Refused(NOT_FOUND)
    if done.refused:
        return _shift(request, scope, found, refused=done.refused)
    return go(request, "roster", say=said, tail=_tail(day))


def _week(request: StaffRequest, first: date, refused: Refused | None = None) -> HttpResponse:
    scope = scope_of(request)
    days = [_view(scope, one) for one in couriers.week(request.actor, scope.city.id, first, WEEK)]
    staffed = sum(one.view.paid for one in days)
    context = {
        "days": days,
        "first": first,
        "last": first + timedelta(days=WEEK - 1),
        "before": (first - timedelta(days=WEEK)).isoformat(),
        "after": (first + timedelta(days=WEEK)).isoformat(),
        "paid": _hours(staffed),
        "open": sum(one.view.open for one in days if one.view.published),
        "drafts": sum(one.view.drafts for one in days),
        "short": _hours(sum(one.view.short for one in days if one.view.shifts)),
    }
    return page(request, "roster", context, tab="roster", refused=refused)


def _view(scope: Scope, found: DayView) -> Day:
    used = [number for number, one in enumerate(found.bins) if one.needed or one.planned]
    shown = found.bins[used[0] : used[-1] + 1] if used else []
    labels = [(f"{one.at.astimezone(scope.city.zone):%H:%M}", one.planned, one.needed) for one in shown]
    picture = charts.against(labels, missing=bool(found.shifts))
    return Day(
        found,
        date_format(found.day, pgettext("a day of the roster", "D j M")),
        _basis(found),
        _hours(found.paid),
        picture,
        [_line(one) for one in found.shifts],
        _wished(found) if found.shifts and not found.past else "",
        "" if found.past else _lacking(scope, found),
        may_propose=not found.past,
        may_publish=not found.past and bool(found.drafts),
    )


def _basis(found: DayView) -> str:
    """What the expectation rests on."""
    orders = round(found.orders)
    if found.source == "weekday":
        return _("{orders} orders expected, from {days} days of this weekday").format(orders=orders, days=found.days)
    if found.source == "days":
        return _("{orders} orders expected, from {days} past days").format(orders=orders, days=found.days)
    return _("{orders} orders assumed: this city has no past yet").format(orders=orders)


def _line(one: ShiftView) -> Line:
    tone = {"open": "warn", "offered": "warn", "taken": "ok"}.get(one.status, "")
    state = words.of(words.ROSTER, one.status)
    return Line(
        one, ids.public("shf", one.id), state, tone, _hours(one.paid), said.said(one.said), SAID.get(one.said, "")
    )


def _wished(found: DayView) -> str:
    """How many of those who asked to work have it as they wished, and who works against their word."""
    parts = []
    if found.asked:
        asked = ngettext("{granted} of {asked} wish granted", "{granted} of {asked} wishes granted", found.asked)
        parts.append(asked.format(granted=found.granted, asked=found.asked))
    if found.against:
        against = ngettext("{count} shift against a wish", "{count} shifts against wishes", found.against)
        parts.append(against.format(count=found.against))
    return " · ".join(parts)


def _lacking(scope: Scope, found: DayView) -> str:
    """When fewer can come than the day needs."""
    return _(", ").join(
        _("{begins}–{ends}: {able} can come, {needed} needed").format(
            begins=f"{one.starts_at.astimezone(scope.city.zone):%H:%M}",
            ends=f"{one.ends_at.astimezone(scope.city.zone):%H:%M}",
            able=one.able,
            needed=one.needed,
        )
        for one in found.lacking
    )


def _shift(
    request: StaffRequest, scope: Scope, found: ShiftView, *, problem: str = "", refused: Refused | None = None
) -> HttpResponse:
    people = couriers.riders(request.actor, scope.city.id, found)
    context = {
        "line": _line(found),
        "people": [_person(*one) for one in people],
        "problem": problem,
        "day": found.starts_at.astimezone(scope.city.zone).date(),
        "chosen": text_of(request, "courier", 40),
    }
    return page(request, "roster_shift", context, tab="roster", refused=refused, status=422 if problem else 0)


def _person(courier_id: UUID, name: str, spoken: str) -> tuple[str, str, bool]:
    """A courier to choose: the code, the name with what they say of the time, and whether they cannot."""
    label = _("{name} ({said})").format(name=name, said=said.said(spoken)) if spoken else name
    return ids.public("cou", courier_id), label, spoken == "cannot"


def _hours(minutes: int) -> str:
    return _("{hours} h").format(hours=f"{minutes / 60:.1f}".removesuffix(".0"))


def _monday(request: StaffRequest, scope: Scope) -> date:
    """The week asked for, or this one; not further off than a year."""
    today = scope.now().date()
    try:
        asked = date.fromisoformat(request.GET.get("week", "")[:10])
    except ValueError:
        asked = today
    far = timedelta(weeks=MOST_WEEKS)
    return _first(min(max(asked, today - far), today + far))


def _first(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _day(request: StaffRequest) -> date:
    try:
        return date.fromisoformat(text_of(request, "day", 10))
    except ValueError:
        raise Refused(NOT_FOUND) from None


def _tail(day: date) -> str:
    return f"?week={_first(day)}#d-{day}"
