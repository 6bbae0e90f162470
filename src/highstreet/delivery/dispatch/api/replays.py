"""/replays: a past day run again under other terms, beside what happened."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Schema
from pydantic import BeforeValidator, Field

from highstreet.kernel import ids
from highstreet.kernel.api import Body, once, private, refuses
from highstreet.kernel.policy import actor_of, route
from highstreet.supply.organisations import reads as organisations

from .. import actions
from ..reads import replays as reads
from .work import router


def _day(text: Any) -> date:
    """YYYY-MM-DD and nothing else, as the document says."""
    if not isinstance(text, str) or not WRITTEN.fullmatch(text):
        raise ValueError("YYYY-MM-DD")
    return date.fromisoformat(text)


WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
Day = Annotated[date, BeforeValidator(_day)]


class ReplayIn(Body):
    """`couriers` in per cent of the shifts; `quantile` of the promise, 0: as it was promised. `roster`: whose shifts;
    `other_day` with other."""

    day: Day
    policy: Literal["timely", "nearest", "matching", "reyes"]
    couriers: int = Field(100, ge=10, le=300)
    roster: Literal["worked", "planned", "proposed", "other"] = "worked"
    other_day: Day | None = None
    quantile: Literal[0] | Annotated[int, Field(ge=50, le=99)] = 0


class ReplayOut(Schema):
    """`progress` in per cent; `failure`: the code of why it could not be run, else empty."""

    id: str
    day: date
    policy: str
    couriers: int
    roster: str
    other_day: date | None
    quantile: int
    progress: int
    failure: str
    asked_at: datetime
    finished_at: datetime | None


class ColumnOut(Schema):
    """A day in figures: `late` in per cent of all orders, those not brought too; `minutes_late`, `click` (order to
    door) and its 90th percentile, and `promised` are means in minutes; `hours` paid, without breaks; `pay`, `top_up`,
    `bonus`, `cost` and `each` (a delivery) in the city's smallest coin; `there`: couriers on duty by hour."""

    orders: int
    delivered: int
    undelivered: int
    late: float
    minutes_late: float
    click: float
    click90: float
    promised: float
    couriers: int
    hours: float
    an_hour: float
    pay: int
    top_up: int = 0
    bonus: int = 0
    cost: int = 0
    each: int = 0
    violations: int = 0
    there: list[float] = []


class ComparedOut(Schema):
    """What happened; the same terms replayed, which shows how far the simulation is off; and what was asked. The
    replays assume that demand would have been the same. `policy`: what dispatched on the day."""

    policy: str
    happened: ColumnOut
    same: ColumnOut
    asked: ColumnOut


class DetailOut(ReplayOut):
    """`result` is null until it is finished, and where it could not be run."""

    result: ComparedOut | None


class AskedOut(Schema):
    id: str


@router.get(
    "/cities/{code}/replays",
    response={200: Annotated[list[ReplayOut], Field(max_length=reads.KEPT)]},
    openapi_extra=refuses("not_found"),
)
@route("dispatch.replay")
def replays(request: HttpRequest, code: str) -> list[dict[str, Any]]:
    """The city's latest replays, newest first."""
    return [_out(view) for view in reads.replays(actor_of(request), organisations.city(code).id)]


@router.post(
    "/cities/{code}/replays",
    response={200: AskedOut},
    openapi_extra=refuses(
        "not_found",
        "replay_no_roster",
        "replay_no_shifts",
        "replay_other_day",
        "replay_runs",
        "replay_unlearnt",
    ),
)
@route("dispatch.replay")
def ask(request: HttpRequest, code: str, body: ReplayIn) -> HttpResponse:
    """Have a past day of the city run again, in the background. One at a time in a city."""
    city_id = organisations.city(code).id

    def work() -> AskedOut:
        found = actions.ask_replay(actor=actor_of(request), city_id=city_id, **body.model_dump())
        return AskedOut(id=ids.public("rpl", found))

    return once(request, work)


@router.get("/replays/{replay}", response={200: DetailOut}, openapi_extra=refuses("not_found"))
@route("dispatch.replay")
def replay(request: HttpRequest, replay: str) -> dict[str, Any]:
    """One replay: how far it is, and what came of it."""
    return _out(reads.replay(actor_of(request), private("rpl", replay)))


def _out(view: reads.ReplayView) -> dict[str, Any]:
    return {**asdict(view), "id": ids.public("rpl", view.id), "result": view.result or None}
