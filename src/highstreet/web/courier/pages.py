"""The courier's one screen, and what its buttons send."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, groupby
from math import isfinite
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from highstreet.delivery.couriers import actions as shifts
from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.dispatch import actions
from highstreet.delivery.dispatch import reads as dispatch
from highstreet.delivery.dispatch.reads import JobView, StopView
from highstreet.delivery.dispatch.reads.places import place_to_wait
from highstreet.delivery.dispatch.reads.taken import taken_away
from highstreet.delivery.dispatch.rules import HELD_UP
from highstreet.kernel import clock, ids, streams
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID, NOT_FOUND
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores

from . import maps, proofs
from .frame import CourierRequest, home, page, refusal

STEPS: dict[str, Callable[..., Any]] = {
    "accept": actions.accept,
    "decline": actions.decline,
    "arrive_store": actions.arrive_store,
    "pick_up": actions.pick_up,
    "arrive_door": actions.arrive_door,
    "give_back": actions.give_back,
}
AT_COUNTER = ("accept", "arrive_store", "pick_up")
INCIDENTS = {
    "nobody_home": (gettext_lazy("Nobody home"), gettext_lazy("The order goes back to the store.")),
    "not_paid": (gettext_lazy("The customer did not pay"), gettext_lazy("The order goes back to the store.")),
    "damaged": (gettext_lazy("Damaged"), gettext_lazy("The order goes back to the store.")),
    "cannot_go_on": (gettext_lazy("I cannot go on"), gettext_lazy("Another courier takes the order.")),
}
CARRIED_INCIDENTS = ("nobody_home", "damaged", "cannot_go_on")
EMPTY_HANDED_INCIDENTS = ("cannot_go_on",)


@dataclass(frozen=True)
class Job:
    """One package: the dispatcher's view, its public id, and how it stands against its promise.

    `early`: the window that the shopper chose has not begun.
    """

    view: JobView
    code: str
    early: bool
    tone: str
    against: str


@dataclass(frozen=True)
class Stop:
    """One place to go. `step` is the one next thing to do there, for the jobs in `now`."""

    view: StopView
    number: int
    jobs: list[Job]
    step: str
    now: list[Job]

    @property
    def first(self) -> Job:
        return self.now[0]

    @property
    def tightest(self) -> Job:
        """The job that is the latest, or has the least to spare."""
        return min(self.jobs, key=lambda job: (("late", "warn", "ok").index(job.tone), job.view.promised_to))

    @property
    def pay(self) -> int:
        """Fen for the packages of the next step."""
        return sum(job.view.pay for job in self.now)


@dataclass(frozen=True)
class Offer:
    """The packages of one ride that are to be accepted."""

    jobs: list[Job]

    @property
    def code(self) -> str:
        return self.jobs[0].code

    @property
    def numbers(self) -> str:
        return ", ".join(job.view.order_number for job in self.jobs)

    @property
    def pay(self) -> int:
        """Fen."""
        return sum(job.view.pay for job in self.jobs)


@route("courier.work")
def work(request: CourierRequest) -> HttpResponse:
    """The one screen: shift, the current stop with its one big button, the way, what comes next."""
    return _screen(request)


@route("courier.work")
@require_POST
def shift(request: CourierRequest) -> HttpResponse:
    """Shift on or off."""
    on = request.POST.get("on") == "1"
    refused = refusal(lambda: (shifts.start_shift if on else shifts.end_shift)(actor=request.actor))
    if refused:
        return _screen(request, refused)
    return home(request, _("You are on shift") if on else _("Shift over. Your position is no longer kept"))


@route("courier.work")
@require_POST
def pause(request: CourierRequest) -> HttpResponse:
    """Break on or off."""
    on = request.POST.get("on") == "1"
    refused = refusal(lambda: (shifts.start_break if on else shifts.end_break)(actor=request.actor))
    if refused:
        return _screen(request, refused)
    return home(request, _("On a break: no orders until you end it") if on else _("Back at work"))


@route("courier.work")
@require_POST
def last_order(request: CourierRequest) -> HttpResponse:
    """No more orders after those in hand, or orders again."""
    last = request.POST.get("on") == "1"
    refused = refusal(lambda: (shifts.no_more_orders if last else shifts.take_orders)(actor=request.actor))
    if refused:
        return _screen(request, refused)
    return home(request, _("No new orders come after these") if last else _("Orders come again"))


@route("courier.work")
@require_POST
def position(request: CourierRequest) -> HttpResponse:
    """Where the courier is; 204, or the refusal's words as text."""
    try:
        lat, lon = (float(request.POST.get(name, "")) for name in ("lat", "lon"))
    except ValueError:
        lat = lon = float("nan")
    if not (isfinite(lat) and isfinite(lon)):
        refused: Refused | None = Refused(INVALID, field="lat, lon", problem="-90…90, -180…180")
    else:
        refused = refusal(lambda: shifts.report_position(actor=request.actor, lat=lat, lon=lon))
    if refused:
        return HttpResponse(refused.words, status=refused.reason.status, content_type="text/plain; charset=utf-8")
    return HttpResponse(status=204)


@route("courier.work")
@require_POST
def step(request: CourierRequest, delivery: str, step: str) -> HttpResponse:
    """The next step of one stop: at a counter for every package of the visit that waits for it; a ride that collects
    at several stores is accepted as one."""
    do = STEPS.get(step)
    wanted = _delivery(delivery)
    if do is None:
        raise Refused(NOT_FOUND)
    # Declining moves what accepting would.
    moved = "accept" if step == "decline" else step
    together = _moved(dispatch.tasks(request.actor), wanted, moved) if moved in AT_COUNTER else []
    for delivery_id in together or [wanted]:
        refused = refusal(lambda one=delivery_id: do(actor=request.actor, delivery_id=one))  # type: ignore[misc]
        if refused:
            return _screen(request, refused)
    return home(request, _("Somebody else is asked") if step == "decline" else "")


@route("courier.work")
@require_POST
def deliver(request: CourierRequest, delivery: str) -> HttpResponse:
    """Given to the customer: the four digits told at the door, or a photo; and the cash, ticked, where some is due."""
    wanted = _delivery(delivery)
    photo = request.FILES.get("photo")
    kind, proof = "code", request.POST.get("code", "").strip()[:20]
    if photo is not None:
        kind = "photo"
        proof = proofs.data_url(photo.read()) if (photo.size or 0) <= proofs.MAX_BYTES else ""
        if not proof:
            words = _("That photo cannot be used. Take a JPEG under 200 kB, or ask for the code")
            return _screen(request, problem=words)
    elif not proof:
        return _screen(request, problem=_("Type the four digits that the customer tells you, or take a photo"))
    ticked = request.POST.get("cash", "")
    cash = int(ticked) if ticked.isascii() and ticked.isdigit() and len(ticked) < 13 else 0
    said: dict[str, Any] = {"proof_kind": kind, "proof": proof, "cash": cash}
    refused = refusal(lambda: actions.deliver(actor=request.actor, delivery_id=wanted, **said))
    if refused:
        return _screen(request, refused, typed=proof if kind == "code" else "")
    return home(request, _("Delivered"))


@route("courier.work")
def incident(request: CourierRequest, delivery: str) -> HttpResponse:
    """What went wrong: chosen, then confirmed with what follows from it."""
    job = _job(request, _delivery(delivery))
    kinds: tuple[str, ...] = CARRIED_INCIDENTS if job.status in ("picked_up", "at_door") else EMPTY_HANDED_INCIDENTS
    kinds = ("not_paid", *kinds) if job.cash and kinds == CARRIED_INCIDENTS else kinds
    context: dict[str, Any] = {
        "job": job,
        "code": delivery,
        "kinds": [(kind, *INCIDENTS[kind]) for kind in kinds],
        "chosen": "",
    }
    kind = request.POST.get("kind", "")
    if request.method != "POST":
        return page(request, "incident", context)
    if kind not in kinds:
        return page(request, "incident", {**context, "problem": _("Choose what happened")}, status=422)
    if request.POST.get("sure") != "yes":
        return page(request, "incident", {**context, "chosen": kind, "what": INCIDENTS[kind]})
    refused = refusal(lambda: actions.incident(actor=request.actor, delivery_id=job.id, kind=kind))
    if refused:
        return page(request, "incident", {**context, "refused": refused}, status=refused.reason.status)
    return home(request, _("Reported. {what}").format(what=INCIDENTS[kind][1]))


@route("courier.work")
def earnings(request: CourierRequest) -> HttpResponse:
    """What today's deliveries earned, by the ledger."""
    me = couriers.me(request.actor)
    day = clock.now().astimezone(organisations.city(me.city_id).zone).date()
    context = {
        "me": me,
        "earned": couriers.earnings(request.actor, day),
        "rule": couriers.earning_terms(me.city_id, clock.now()),
        "cash": couriers.my_cash(request.actor),
        "day": day,
        "tab": "earnings",
    }
    return page(request, "earnings", context)


def _screen(
    request: CourierRequest, refused: Refused | None = None, *, problem: str = "", typed: str = ""
) -> HttpResponse:
    me = couriers.me(request.actor)
    now = clock.now()
    views = dispatch.tasks(request.actor)
    doors = {job.id: view.eta for view in views if view.kind == "dropoff" for job in view.jobs}
    stops = [_stop(view, number, doors, now) for number, view in enumerate(views, start=1)]
    here = (me.lat, me.lon) if me.lat is not None and me.lon is not None else None
    wait = place_to_wait(request.actor) if me.takes_orders(now) and not views else None
    places = [(view.kind, (view.lat, view.lon)) for view in views]
    if wait:
        places = [("pickup", (wait.lat, wait.lon))]
    offers = _offers(stops)
    current = stops[0] if stops else None
    if current and current.step == "accept":
        current = replace(current, now=offers[0].jobs)
    context = {
        "me": me,
        "current": current,
        "following": stops[1:],
        "refused": refused,
        "problem": problem,
        "typed": typed,
        "offers": [] if current and current.step == "accept" else offers,
        "wait": wait,
        "taken": _taken(request),
        "done": me.on_shift and not (me.on_break or me.takes_orders(now)),
        "way": maps.link(places[0][1], current.view.name, request.headers.get("User-Agent", "")) if current else "",
        "drawing": maps.draw(me.city_id, places, here),
        "shop": stores.store(current.view.store_id) if current else None,
        "topic": f"courier:{me.id}",
        "stream_url": _stream(request, me.id),
    }
    status = refused.reason.status if refused else 422 if problem else 200
    return page(request, "now" if request.htmx else "work", context, status=status)


def _taken(request: CourierRequest) -> list[str]:
    """What need not be brought after all, and why, in words."""
    held_up = _("{number} goes to somebody else: you were held up, and they will be there sooner")
    by_hand = _("{number} goes to somebody else: the shop's staff decided so")
    return [
        (held_up if one.why == HELD_UP else by_hand).format(number=one.order_number)
        for one in taken_away(request.actor)
    ]


def _stop(view: StopView, number: int, doors: dict[UUID, datetime], now: datetime) -> Stop:
    """A stop; each of its jobs stands against its promise by when its door is reached."""
    jobs = [_against_promise(job, doors.get(job.id, view.eta), now) for job in view.jobs]
    if view.kind == "pickup":
        step = next(step for step in AT_COUNTER if any(job.view.step == step for job in jobs))
        chosen = {job.id for job in _together(view.jobs, step)}
        return Stop(view, number, jobs, step, [job for job in jobs if job.view.id in chosen])
    return Stop(view, number, jobs, "deliver" if view.kind == "dropoff" else "give_back", jobs)


def _moved(stops: list[StopView], wanted: UUID, step: str) -> list[UUID]:
    """The packages that one tap at a counter moves with `wanted`: of the visit, and for accepting of the ride."""
    for kind, ride in groupby(stops, key=lambda stop: stop.kind):
        visits = [stop.jobs for stop in ride] if kind == "pickup" else []
        for jobs in [list(chain(*visits))] if step == "accept" else visits:
            if any(job.id == wanted for job in jobs):
                return [job.id for job in _together(jobs, step)]
    return []


def _offers(stops: list[Stop]) -> list[Offer]:
    """What is to be accepted, ride by ride: pick-ups with no door between them are of one ride."""
    found = []
    for kind, ride in groupby(stops, key=lambda stop: stop.view.kind):
        jobs = [job for stop in ride for job in stop.jobs if job.view.step == "accept"]
        if kind == "pickup" and jobs:
            found.append(Offer(jobs))
    return found


def _together(jobs: list[JobView], step: str) -> list[JobView]:
    """The packages of a visit that one tap moves: all that wait for `step`; of those to take, the packed ones."""
    waiting = [job for job in jobs if job.step == step]
    packed = [job for job in waiting if job.ready]
    return packed or waiting if step == "pick_up" else waiting


def _against_promise(job: JobView, eta: datetime, now: datetime) -> Job:
    opens = job.not_before or now
    # Who is there before the window begins waits for it, and has no more to spare for that.
    tone, words = _against(max(eta, opens), job.promised_to, now)
    return Job(job, ids.public("dlv", job.id), opens > now, tone, words)


def _against(eta: datetime, promised: datetime, now: datetime) -> tuple[str, str]:
    """The promise against now: a tone and words."""
    minutes = int((promised - max(eta, now)).total_seconds() // 60)
    if minutes < 0:
        return "late", _("about {minutes} min late").format(minutes=-minutes)
    return ("warn" if minutes < 3 else "ok"), _("{minutes} min to spare").format(minutes=minutes)


def _delivery(code: str) -> UUID:
    found = ids.private("dlv", code)
    if found is None:
        raise Refused(NOT_FOUND)
    return found


def _job(request: CourierRequest, delivery_id: UUID) -> JobView:
    for stop in dispatch.tasks(request.actor):
        for job in stop.jobs:
            if job.id == delivery_id:
                return job
    raise Refused(NOT_FOUND)


def _stream(request: CourierRequest, courier_id: UUID) -> str:
    if not settings.STREAM_URL:
        return ""
    return f"{settings.STREAM_URL}/events?token={streams.token([f'courier:{courier_id}'], request.actor.sign_in)}"
