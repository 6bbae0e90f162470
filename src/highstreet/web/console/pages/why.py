"""Why this courier: who was thought of, at what cost; what changed since; who could do it now; deciding by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, pgettext
from django.utils.translation import gettext as _

from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.dispatch import actions
from highstreet.delivery.dispatch import reads as dispatch
from highstreet.delivery.dispatch.reads import DecisionView
from highstreet.delivery.dispatch.reads import candidates as hands
from highstreet.delivery.dispatch.reads import tower as towers
from highstreet.delivery.dispatch.reads.tower import RideView
from highstreet.delivery.dispatch.rules import HELD_UP
from highstreet.kernel import ids
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.supply.organisations import reads as organisations
from highstreet.web.ui.rules import minutes
from highstreet.web.ui.templatetags.ui import local_time

from .. import words
from .frame import Scope, StaffRequest, go, known, page, scope_of, text_of, tried
from .tower import left

REASONS = {
    "late": gettext_lazy("It would come late"),
    "stuck": gettext_lazy("The courier does not get on"),
    "asked": gettext_lazy("The courier asked for it"),
    "too_big": gettext_lazy("Too big for this courier"),
    "together": gettext_lazy("It goes with another order"),
    "other": gettext_lazy("Another reason"),
}
NOBODY = "nobody"


@dataclass(frozen=True)
class Choice:
    """A courier whom the dispatcher thought of: the cost in minutes, by how much it is more, and what it is made of."""

    rank: int
    courier: str
    cost: str
    more: str
    parts: str
    chosen: bool


@dataclass(frozen=True)
class Decision:
    """One decision, newest first; `by_hand`: its minutes are those until the door."""

    at: datetime
    policy: str
    by_hand: bool
    choices: list[Choice]


@dataclass(frozen=True)
class Option:
    """Somebody who could bring it now."""

    code: str
    name: str
    says: str
    tone: str
    left: str
    full: bool


@route("console.read")
def why(request: StaffRequest, order: str) -> HttpResponse:
    """One delivery: decisions, what changed since, and the form; `part=why` is what the board shows beside."""
    return _shown(request, order)


@route("dispatch.override")
def override(request: StaffRequest, order: str) -> HttpResponse:
    """Give it to a courier or take it back."""
    if request.method != "POST":
        return go(request, "why", order)
    ride = towers.ride(request.actor, known("ord", order))
    chosen, reason = text_of(request, "courier", 40), text_of(request, "why", 20)
    problems = {}
    courier = None if chosen == NOBODY else ids.private("cou", chosen)
    if chosen != NOBODY and courier is None:
        problems["courier"] = _("Choose who brings it")
    if reason not in REASONS:
        problems["why"] = _("Choose a reason")
    if problems:
        return _shown(request, order, problems=problems, status=422)
    pin, seen = request.POST.get("pin") == "1", text_of(request, "seen", 60)
    done = tried(
        lambda: actions.override(
            actor=request.actor, delivery_id=ride.id, courier_id=courier, why=reason, pin=pin, seen=seen
        )
    )
    if done.refused:
        return _shown(request, order, refused=done.refused)
    name = couriers.names([ride.city_id]).get(courier, "") if courier else ""
    said = _("{number} goes to {name}").format(number=ride.number, name=name)
    return go(
        request, "why", order, say=said if courier else _("{number} waits for a courier").format(number=ride.number)
    )


def decision(one: DecisionView, names: dict[UUID, str]) -> Decision:
    """A decision in words."""
    nobody = _("a former courier")
    chosen = {"courier": str(one.courier_id), "cost": one.cost_seconds, **one.basis}
    others = [other for other in one.alternatives if str(other.get("courier", "")) != str(one.courier_id)]
    ranked = sorted([chosen, *others], key=lambda other: int(other.get("cost", 0)))
    by_text = {str(key): name for key, name in names.items()}
    choices = [
        Choice(
            rank,
            by_text.get(str(other.get("courier", "")), nobody),
            _minutes(int(other.get("cost", 0))),
            "" if other is chosen else _more(int(other.get("cost", 0)) - one.cost_seconds),
            _parts(other),
            other is chosen,
        )
        for rank, other in enumerate(ranked, 1)
    ]
    return Decision(one.at, words.of(words.POLICIES, one.policy), one.policy == "by_hand", choices)


def _shown(
    request: StaffRequest,
    order: str,
    *,
    problems: dict[str, str] | None = None,
    refused: Refused | None = None,
    status: int = 0,
) -> HttpResponse:
    order_id = known("ord", order)
    if not towers.begun(request.actor, order_id):
        # No store has accepted it yet: its page tells all there is.
        return redirect("console:order", order)
    ride = towers.ride(request.actor, order_id)
    scope = scope_of(request, organisations.city(ride.city_id).code)
    with timezone.override(scope.city.zone):
        context = _context(request, order, ride, scope, problems or {})
        if context["part"] == "why" and request.method == "GET":
            return render(request, "console/why_part.html", context)
        return page(request, "why", context, tab="tower", refused=refused, status=status, live=[f"order:{order_id}"])


def _context(
    request: StaffRequest, order: str, ride: RideView, scope: Scope, problems: dict[str, str]
) -> dict[str, Any]:
    names = couriers.names([ride.city_id])
    decided = dispatch.decisions(request.actor, known("ord", order))
    may = ride.open and request.actor.may("dispatch.override")
    store = scope.by_id.get(ride.store_id)
    return {
        "code": order,
        "ride": ride,
        "state": words.of(words.DELIVERY, ride.status),
        "left": left((ride.promised_to - ride.expected).total_seconds(), ride.risk == "late"),
        "courier": names.get(ride.courier_id, "–") if ride.courier_id else "",
        "store": store.name if store else "–",
        "decisions": [decision(one, names) for one in decided],
        "since": _since(ride, decided, names),
        "may": request.actor.permissions,
        "may_override": may,
        "options": _options(request, ride) if may else [],
        "reasons": REASONS,
        "problems": problems,
        "form": request.POST,
        "part": text_of(request, "part", 8),
    }


def _options(request: StaffRequest, ride: RideView) -> list[Option]:
    """Everybody who could bring it, the soonest first, without who has it."""
    made = []
    for one in hands.candidates(request.actor, ride.id):
        if one.courier.id == ride.courier_id:
            continue
        says = _("{count} in hand, at the store in {store}, at the door in {door}").format(
            count=one.in_hand, store=_minutes(one.store_seconds), door=_minutes(one.door_seconds)
        )
        tone = "late" if one.late_seconds else "ok"
        late = _("late by {minutes}").format(minutes=_minutes(one.late_seconds)) if one.late_seconds else _("in time")
        made.append(Option(ids.public("cou", one.courier.id), one.courier.name, says, tone, late, one.room <= 0))
    return made


def _since(ride: RideView, decided: list[DecisionView], names: dict[UUID, str]) -> list[str]:
    """What is otherwise now than when the last decision was made."""
    said = []
    told = decided[0].basis.get("eta", "") if decided else ""
    if told:
        then, now = datetime.fromisoformat(told), ride.ended_at or ride.expected
        moved = round((now - then).total_seconds() / 60)
        text = _("Expected at the door at {then} when it was decided, now {now}: {moved}")
        said.append(text.format(then=local_time(then), now=local_time(now), moved=_moved(moved)))
    if ride.ready_at is None:
        said.append(_("Not packed yet; planned for {time}").format(time=local_time(ride.ready_by)))
    else:
        over = round((ride.ready_at - ride.ready_by).total_seconds() / 60)
        if over > 0:
            said.append(_("Packed {n} min later than planned").format(n=over))
    for one in ride.overrides:
        was = names.get(one.was_courier_id, "–") if one.was_courier_id else _("nobody")
        if one.why == HELD_UP:
            said.append(_("At {time} taken from {was}, who was held up").format(time=local_time(one.at), was=was))
            continue
        now_with = names.get(one.courier_id, "–") if one.courier_id else _("nobody")
        said.append(
            _("By hand at {time}: from {was} to {now}, because: {why}").format(
                time=local_time(one.at), was=was, now=now_with, why=words.of(words.REASONS, one.why)
            )
        )
    return said


def _moved(minutes_later: int) -> str:
    if not minutes_later:
        return _("no change")
    text = _("{n} min later") if minutes_later > 0 else _("{n} min sooner")
    return text.format(n=abs(minutes_later))


def _parts(facts: dict[str, Any]) -> str:
    """What a cost is made of, as far as it is known."""
    if "ride" not in facts:
        return ""
    told = [
        (_("free in {n}"), "free"),
        (_("{n} to the store"), "ride"),
        (_("waits {n} for the goods"), "wait"),
        (_("leaves the store in {n}"), "leave"),
        (_("{n} to the door"), "door"),
    ]
    parts = [text.format(n=_minutes(int(facts[key]))) for text, key in told if int(facts.get(key, 0)) >= 30]
    if int(facts.get("stores", 1)) > 1:
        parts.append(_("one ride to {n} stores").format(n=facts["stores"]))
    if facts.get("along"):
        parts.append(_("rides along with what is fetched there: {n}").format(n=facts["along"]))
    return pgettext("tower", ", ").join(parts)


def _minutes(seconds: float) -> str:
    return str(minutes(seconds / 60, get_language()))


def _more(seconds: int) -> str:
    return f"+{_minutes(seconds)}" if seconds >= 0 else f"−{_minutes(-seconds)}"
