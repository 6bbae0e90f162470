"""/courier/wishes: when the courier wants to work, would rather not, and cannot."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Schema
from pydantic import Field

from highstreet.kernel import ids
from highstreet.kernel.api import Body, once, private, refuses
from highstreet.kernel.policy import actor_of, route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID

from .. import actions, reads, words
from ..reads import MOST_WISHES
from ..rules import Wish
from .duty import router

TIME = r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$"


class WishIn(Body):
    """Of every such `weekday` (0 is Monday) or of one `day`, one of the two; local times, `to_time` up to 24:00."""

    kind: Literal["want", "avoid", "cannot"]
    weekday: int | None = Field(None, ge=0, le=6)
    day: str | None = Field(None, pattern=r"^\d{4}-\d{2}-\d{2}$")
    from_time: str = Field(pattern=TIME)
    to_time: str = Field(pattern=TIME)


class WishOut(Schema):
    id: str
    kind: str
    weekday: int | None
    day: date | None
    from_time: str
    to_time: str


class WishesOut(Schema):
    wishes: list[WishOut] = Field(max_length=MOST_WISHES)


class TakenBackOut(Schema):
    id: str
    done: str


@router.get("/courier/wishes", response={200: WishesOut}, openapi_extra=refuses("not_a_courier"))
@route("courier.work")
def wishes(request: HttpRequest) -> WishesOut:
    """What the courier has said of times to come."""
    return WishesOut(wishes=[_out(one.id, one.said) for one in reads.wishes(actor_of(request))])


@router.post(
    "/courier/wishes",
    response={200: WishOut},
    openapi_extra=refuses("day_past", "not_a_courier", "too_many_wishes"),
)
@route("courier.work")
def wish(request: HttpRequest, body: WishIn) -> HttpResponse:
    """Say when one wants to work, would rather not, or cannot; of the same time the last word counts.

    A roster that is proposed from now on gives nobody a shift that they cannot or would rather not work, and who wants
    one has it where the day's need allows. Shifts that one has already stay one's own.
    """
    said = Wish(body.kind, _minute(body.from_time), _minute(body.to_time), body.weekday, _date(body.day))
    return once(request, lambda: _out(actions.wish(actor=actor_of(request), said=said), said))


@router.delete(
    "/courier/wishes/{wish}", response={200: TakenBackOut}, openapi_extra=refuses("not_a_courier", "not_found")
)
@route("courier.work")
def unwish(request: HttpRequest, wish: str) -> HttpResponse:
    """Take it back."""
    wish_id = private("wsh", wish)

    def work() -> TakenBackOut:
        actions.unwish(actor=actor_of(request), wish_id=wish_id)
        return TakenBackOut(id=wish, done="taken_back")

    return once(request, work)


def _out(wish_id: UUID, said: Wish) -> WishOut:
    return WishOut(
        id=ids.public("wsh", wish_id),
        kind=said.kind,
        weekday=said.weekday,
        day=said.day,
        from_time=words.time_of(said.start),
        to_time=words.time_of(said.end),
    )


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Refused(INVALID, field="day", problem="YYYY-MM-DD") from None
