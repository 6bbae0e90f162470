"""/courier/shifts: what the courier works and may take. /rosters: a city's days, for its planners."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Path, Schema
from pydantic import Field

from highstreet.kernel import ids
from highstreet.kernel.api import Body, once, private, refuses
from highstreet.kernel.policy import actor_of, route
from highstreet.supply.organisations import reads as organisations

from .. import actions, reads, words
from ..reads import DayView, ShiftView
from .duty import router

MOST = 100
MOST_A_DAY = 2000
Day = Path[date]


class PlannedOut(Schema):
    """A planned shift; `paid_minutes` are without its break."""

    id: str
    status: str
    starts_at: datetime
    ends_at: datetime
    break_starts_at: datetime | None
    break_ends_at: datetime | None
    paid_minutes: int


class OpenOut(PlannedOut):
    """`against`: the rules of work that taking it would break, in words; with none it can be taken. `said`: what the
    courier said of its time: want, avoid, cannot, or nothing."""

    against: list[str] = Field(max_length=MOST)
    said: str


class ShiftsOut(Schema):
    mine: list[PlannedOut] = Field(max_length=MOST)
    open: list[OpenOut] = Field(max_length=MOST)


class ShiftDoneOut(Schema):
    id: str
    done: str


class StaffedOut(PlannedOut):
    """`said`: what its courier says of the time: want, avoid, cannot, or nothing."""

    courier: str | None
    name: str
    said: str


class BinOut(Schema):
    """From `at` on: couriers busy on average, needed for the service level, planned, and those who have not said that
    they cannot (`able`)."""

    at: datetime
    load: float
    needed: int
    planned: int
    able: int


class DayOut(Schema):
    """`orders` are expected by `days` past days of `source`: weekday, days, or usual (the city has no past yet).

    So many couriers `asked` to work at some time of the day, and have a shift as they wished (`granted`)."""

    day: date
    orders: float
    source: str
    days: int
    published: bool
    paid_minutes: int
    short_minutes: int
    asked: int
    granted: int
    bins: list[BinOut] = Field(max_length=48)
    shifts: list[StaffedOut] = Field(max_length=MOST_A_DAY)


class CountOut(Schema):
    day: date
    shifts: int


class GiveIn(Body):
    courier: str = Field(max_length=40)


@router.get("/courier/shifts", response={200: ShiftsOut}, openapi_extra=refuses("not_a_courier"))
@route("courier.work")
def shifts(request: HttpRequest) -> ShiftsOut:
    """The courier's own shifts, and those that may be taken in the next two weeks."""
    actor = actor_of(request)
    return ShiftsOut(
        mine=[PlannedOut(**_planned(one)) for one in reads.mine(actor)],
        open=[
            OpenOut(**_planned(one.shift), against=[words.of(breach) for breach in one.breaches], said=one.shift.said)
            for one in reads.to_take(actor)
        ],
    )


@router.post(
    "/courier/shifts/{shift}/take",
    response={200: ShiftDoneOut},
    openapi_extra=refuses("not_a_courier", "not_found", "shift_begun", "shift_gone", "too_much_work"),
)
@route("courier.work")
def take(request: HttpRequest, shift: str) -> HttpResponse:
    """Take an open shift, or one that another courier offers."""
    return _step(request, shift, "taken", lambda found: actions.take(actor=actor_of(request), shift_id=found))


@router.post(
    "/courier/shifts/{shift}/offer",
    response={200: ShiftDoneOut},
    openapi_extra=refuses("not_a_courier", "not_found", "shift_begun", "shift_gone"),
)
@route("courier.work")
def offer(request: HttpRequest, shift: str) -> HttpResponse:
    """Let others take one's shift. It stays one's own until somebody does."""
    return _step(request, shift, "offered", lambda found: actions.offer(actor=actor_of(request), shift_id=found))


@router.post(
    "/courier/shifts/{shift}/keep",
    response={200: ShiftDoneOut},
    openapi_extra=refuses("not_a_courier", "not_found", "shift_gone"),
)
@route("courier.work")
def keep(request: HttpRequest, shift: str) -> HttpResponse:
    """Not offer it any more."""
    return _step(request, shift, "kept", lambda found: actions.keep(actor=actor_of(request), shift_id=found))


@router.get("/rosters/{code}/{day}", response={200: DayOut}, openapi_extra=refuses("not_found"))
@route("couriers.plan")
def roster(request: HttpRequest, code: str, day: Day) -> DayOut:
    """A city's day: what is needed, who is planned, each shift."""
    return _day(reads.day(actor_of(request), organisations.city(code).id, day))


@router.post(
    "/rosters/{code}/{day}/propose",
    response={200: CountOut},
    openapi_extra=refuses("day_past", "not_found"),
)
@route("couriers.plan")
def propose(request: HttpRequest, code: str, day: Day) -> HttpResponse:
    """Draft the shifts that the day lacks beside what is published, in place of its drafts.

    Who wishes for a time has one of them where the day's need allows.
    """
    city_id = organisations.city(code).id
    return once(
        request,
        lambda: CountOut(day=day, shifts=actions.propose(actor=actor_of(request), city_id=city_id, day=day)),
    )


@router.post(
    "/rosters/{code}/{day}/publish",
    response={200: CountOut},
    openapi_extra=refuses(
        "courier_cannot", "day_past", "not_found", "nothing_to_publish", "roster_breaks_rules", "wrong_state"
    ),
)
@route("couriers.plan")
def publish(request: HttpRequest, code: str, day: Day) -> HttpResponse:
    """Show the day's drafts to the couriers. Refused while they break a rule of work, or what somebody cannot."""
    city_id = organisations.city(code).id
    return once(
        request,
        lambda: CountOut(day=day, shifts=actions.publish(actor=actor_of(request), city_id=city_id, day=day)),
    )


@router.post(
    "/roster-shifts/{shift}/give",
    response={200: ShiftDoneOut},
    openapi_extra=refuses(
        "courier_cannot", "not_a_courier", "not_found", "shift_begun", "too_much_work", "wrong_state"
    ),
)
@route("couriers.plan")
def give(request: HttpRequest, shift: str, body: GiveIn) -> HttpResponse:
    """Give a draft or an open shift to a courier of the city."""
    courier = private("cou", body.courier)
    return _step(
        request,
        shift,
        "given",
        lambda found: actions.assign(actor=actor_of(request), shift_id=found, courier_id=courier),
    )


@router.post(
    "/roster-shifts/{shift}/release",
    response={200: ShiftDoneOut},
    openapi_extra=refuses("not_found", "shift_begun", "wrong_state"),
)
@route("couriers.plan")
def release(request: HttpRequest, shift: str) -> HttpResponse:
    """Take a shift from its courier; it is open again."""
    return _step(request, shift, "released", lambda found: actions.release(actor=actor_of(request), shift_id=found))


@router.post(
    "/roster-shifts/{shift}/withdraw",
    response={200: ShiftDoneOut},
    openapi_extra=refuses("not_found", "shift_begun", "wrong_state"),
)
@route("couriers.plan")
def withdraw(request: HttpRequest, shift: str) -> HttpResponse:
    """Take a draft or an open shift out of the roster; an offer goes back to its courier."""
    return _step(request, shift, "withdrawn", lambda found: actions.withdraw(actor=actor_of(request), shift_id=found))


def _step(request: HttpRequest, text: str, done: str, act: Callable[[UUID], object]) -> HttpResponse:
    shift_id = private("shf", text)

    def work() -> ShiftDoneOut:
        act(shift_id)
        return ShiftDoneOut(id=ids.public("shf", shift_id), done=done)

    return once(request, work)


def _planned(one: ShiftView) -> dict[str, Any]:
    return {
        "id": ids.public("shf", one.id),
        "status": one.status,
        "starts_at": one.starts_at,
        "ends_at": one.ends_at,
        "break_starts_at": one.break_starts_at,
        "break_ends_at": one.break_ends_at,
        "paid_minutes": one.paid,
    }


def _day(found: DayView) -> DayOut:
    return DayOut(
        day=found.day,
        orders=round(found.orders, 1),
        source=found.source,
        days=found.days,
        published=found.published,
        paid_minutes=found.paid,
        short_minutes=found.short,
        asked=found.asked,
        granted=found.granted,
        bins=[
            BinOut(at=one.at, load=one.load, needed=one.needed, planned=one.planned, able=one.able)
            for one in found.bins
        ],
        shifts=[
            StaffedOut(
                **_planned(one),
                courier=ids.public("cou", one.courier_id) if one.courier_id else None,
                name=one.courier,
                said=one.said,
            )
            for one in found.shifts[:MOST_A_DAY]
        ],
    )
