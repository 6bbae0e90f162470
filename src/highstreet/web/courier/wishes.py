"""When the courier wants to work, would rather not, and cannot: said before a roster is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.http import HttpResponse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_POST

from highstreet.delivery.couriers import actions, words
from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.couriers.rules import Wish
from highstreet.kernel import clock, ids
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations import reads as organisations

from .frame import CourierRequest, home, page, refusal

DAYS_AHEAD = 28
WHOLE_DAY = (0, 24 * 60)
HALF_HOURS = range(0, 24 * 60 + 1, 30)
KINDS = (
    ("want", gettext_lazy("I want to work"), gettext_lazy("A shift then is yours first, if the day needs one.")),
    ("avoid", gettext_lazy("I would rather not"), gettext_lazy("The plan gives you no shift then.")),
    ("cannot", gettext_lazy("I cannot"), gettext_lazy("Nobody can give you a shift then.")),
)
TONES = {"want": "ok", "avoid": "warn", "cannot": "bad"}


@dataclass(frozen=True)
class Line:
    """One wish in words."""

    code: str
    when: str
    hours: str
    said: str
    tone: str


@route("courier.work")
def wishes(request: CourierRequest) -> HttpResponse:
    """What I have said, and a form for more."""
    if request.method != "POST":
        return _wishes(request)
    said = _said(request)
    if said is None:
        return _wishes(request, problem=_("Choose what, which day, and a time that ends after it begins"))
    refused = refusal(lambda: actions.wish(actor=request.actor, said=said))
    if refused:
        return _wishes(request, refused=refused)
    return home(request, _("Noted for the next plan"), "courier:wishes")


@route("courier.work")
@require_POST
def unwish(request: CourierRequest, wish: str) -> HttpResponse:
    """Take one back."""
    wish_id = ids.private("wsh", wish)
    if wish_id is None:
        raise Refused(NOT_FOUND)
    actions.unwish(actor=request.actor, wish_id=wish_id)
    return home(request, _("Taken back"), "courier:wishes")


def _wishes(request: CourierRequest, *, refused: Refused | None = None, problem: str = "") -> HttpResponse:
    zone = organisations.city(couriers.me(request.actor).city_id).zone
    today = clock.now().astimezone(zone).date()
    sent = request.POST
    times = [words.time_of(minute) for minute in HALF_HOURS]
    context = {
        "lines": [_line(ids.public("wsh", one.id), one.said) for one in couriers.wishes(request.actor)],
        "kinds": KINDS,
        "kind": sent.get("kind", "want"),
        "weekdays": [(str(number), words.every(number)) for number in range(7)],
        "dates": [(one.isoformat(), _date(one)) for one in (today + timedelta(days=n) for n in range(DAYS_AHEAD))],
        "when": sent.get("when", ""),
        "starts": times[:-1],
        "ends": times[1:],
        "start": sent.get("from", times[0]),
        "end": sent.get("to", times[-1]),
        "refused": refused,
        "problem": problem,
        "tab": "shifts",
    }
    status = refused.reason.status if refused else 422 if problem else 200
    return page(request, "wishes", context, status=status)


def _line(code: str, said: Wish) -> Line:
    when = words.every(said.weekday) if said.weekday is not None else _date(said.day) if said.day else ""
    whole = (said.start, said.end) == WHOLE_DAY
    hours = _("all day") if whole else f"{words.time_of(said.start)}–{words.time_of(said.end)}"
    label = next(str(label) for kind, label, _hint in KINDS if kind == said.kind)
    return Line(code, when, hours, label, TONES[said.kind])


def _date(day: date) -> str:
    return date_format(day, pgettext("a day of the roster", "D j M"))


def _said(request: CourierRequest) -> Wish | None:
    """What the form says; None where it says no time."""
    when, times = request.POST.get("when", ""), {words.time_of(minute): minute for minute in HALF_HOURS}
    weekday = int(when) if when in "0123456" and len(when) == 1 else None
    try:
        day = None if weekday is not None else date.fromisoformat(when)
    except ValueError:
        return None
    start, end = (times.get(request.POST.get(name, ""), -1) for name in ("from", "to"))
    said = Wish(request.POST.get("kind", ""), start, end, weekday, day)
    return said if said.sane() else None
