"""/courier/tasks and the steps of a delivery: a courier's work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import ConfigDict, Field

from highstreet.kernel import ids
from highstreet.kernel.api import Body, once, private, refuses
from highstreet.kernel.money import MAX_AMOUNT
from highstreet.kernel.policy import actor_of, route

from .. import actions, reads
from ..reads.places import WaitView, place_to_wait
from ..reads.taken import taken_away

router = Router(tags=["deliveries"])


class JobOut(Schema):
    """`not_before`: not at the door earlier, where the customer chose a window, else null."""

    id: str
    order_number: str
    status: str
    step: str
    ready: bool
    ready_by: datetime
    not_before: datetime | None
    promised_to: datetime
    address: str
    note: str
    phone_tail: str
    pay: int
    cash: int = Field(description="fen to take at the door; 0: it is paid")
    accept_by: datetime | None


class StopOut(Schema):
    kind: str
    name: str
    address: str
    lat: float
    lon: float
    store: str
    eta: datetime
    jobs: list[JobOut]


class WaitOut(Schema):
    """A store that will need somebody; `distance_m` as the crow flies, null without a position."""

    store: str
    name: str
    address: str
    lat: float
    lon: float
    distance_m: int | None


class TakenOut(Schema):
    """`why`: held_up, or the reason of whoever decided by hand."""

    order_number: str
    why: str


class TasksOut(Schema):
    """`path` is the way through the stops as [lat, lon] points; only with ?path=true. `taken`: what need not be brought
    after all, for ten minutes."""

    stops: list[StopOut]
    taken: list[TakenOut] = []
    path: list[tuple[float, float]] = []
    wait: WaitOut | None = None


class PickUpIn(Body):
    code: str = Field("", max_length=16)


class DeliverIn(Body):
    model_config = ConfigDict(extra="forbid", strict=True, str_max_length=400_000)

    proof_kind: Literal["code", "photo"]
    proof: str
    cash: int = Field(0, ge=0, le=MAX_AMOUNT, description="fen taken at the door: what the job says")


class IncidentIn(Body):
    kind: Literal["nobody_home", "not_paid", "damaged", "cannot_go_on"]


class DoneOut(Schema):
    id: str
    status: str
    pay: int = 0


@router.get("/courier/tasks", response={200: TasksOut}, openapi_extra=refuses("not_a_courier"))
@route("courier.work")
def tasks(request: HttpRequest, path: bool = False) -> TasksOut:
    """The stops ahead, in order. With `path=true` the way through them as well. `wait`: without a stop, where to wait
    for the next one, if one place is better than others."""
    actor = actor_of(request)
    found = reads.tasks(actor)
    stops = [
        StopOut(
            kind=stop.kind,
            name=stop.name,
            address=stop.address,
            lat=stop.lat,
            lon=stop.lon,
            store=ids.public("str", stop.store_id),
            eta=stop.eta,
            jobs=[_job(job) for job in stop.jobs],
        )
        for stop in found
    ]
    return TasksOut(
        stops=stops,
        taken=[TakenOut(order_number=one.order_number, why=one.why) for one in taken_away(actor)],
        path=reads.route(actor, found) if path else [],
        wait=None if stops else _wait(place_to_wait(actor)),
    )


def _wait(place: WaitView | None) -> WaitOut | None:
    if place is None:
        return None
    return WaitOut(
        store=ids.public("str", place.store_id),
        name=place.name,
        address=place.address,
        lat=place.lat,
        lon=place.lon,
        distance_m=place.distance_m,
    )


@router.post(
    "/deliveries/{delivery_id}/accept", response={200: DoneOut}, openapi_extra=refuses("not_found", "wrong_state")
)
@route("courier.work")
def accept(request: HttpRequest, delivery_id: str) -> HttpResponse:
    """Accept an offered delivery."""
    return _step(request, delivery_id, actions.accept, "accepted")


@router.post(
    "/deliveries/{delivery_id}/decline", response={200: DoneOut}, openapi_extra=refuses("not_found", "wrong_state")
)
@route("courier.work")
def decline(request: HttpRequest, delivery_id: str) -> HttpResponse:
    """Not take an offered delivery: somebody else is asked."""
    return _step(request, delivery_id, actions.decline, "waiting")


@router.post(
    "/deliveries/{delivery_id}/arrive_store", response={200: DoneOut}, openapi_extra=refuses("not_found", "wrong_state")
)
@route("courier.work")
def arrive_store(request: HttpRequest, delivery_id: str) -> HttpResponse:
    """Be at the store."""
    return _step(request, delivery_id, actions.arrive_store, "at_store")


@router.post(
    "/deliveries/{delivery_id}/pick_up",
    response={200: DoneOut},
    openapi_extra=refuses("not_found", "not_ready", "other_order", "wrong_state"),
)
@route("courier.work")
def pick_up(request: HttpRequest, delivery_id: str, body: PickUpIn) -> HttpResponse:
    """Have the bag. `code` is the order's number, where the store asks for it."""
    return _step(request, delivery_id, actions.pick_up, "picked_up", code=body.code)


@router.post(
    "/deliveries/{delivery_id}/arrive_door", response={200: DoneOut}, openapi_extra=refuses("not_found", "wrong_state")
)
@route("courier.work")
def arrive_door(request: HttpRequest, delivery_id: str) -> HttpResponse:
    """Be at the door."""
    return _step(request, delivery_id, actions.arrive_door, "at_door")


@router.post(
    "/deliveries/{delivery_id}/deliver",
    response={200: DoneOut},
    openapi_extra=refuses("cash_changed", "not_found", "proof_needed", "wrong_proof", "wrong_state"),
)
@route("courier.work")
def deliver(request: HttpRequest, delivery_id: str, body: DeliverIn) -> HttpResponse:
    """Hand it over. `proof` is the customer's code, or a photo as a data: URL of an image. Refused with cash_changed,
    and the `amount` that is due, unless that is the `cash` that was taken."""
    said = {"proof_kind": body.proof_kind, "proof": body.proof, "cash": body.cash}
    return _step(request, delivery_id, actions.deliver, "delivered", **said)


@router.post(
    "/deliveries/{delivery_id}/incident",
    response={200: DoneOut},
    openapi_extra=refuses("not_found", "unknown_incident", "wrong_state"),
)
@route("courier.work")
def incident(request: HttpRequest, delivery_id: str, body: IncidentIn) -> HttpResponse:
    """Say that it cannot be delivered, and why."""
    return _step(request, delivery_id, actions.incident, "failed", kind=body.kind)


@router.post(
    "/deliveries/{delivery_id}/give_back",
    response={200: DoneOut},
    openapi_extra=refuses("not_enough_stock", "not_found", "wrong_state"),
)
@route("courier.work")
def give_back(request: HttpRequest, delivery_id: str) -> HttpResponse:
    """Back at the store with a delivery that failed."""
    return _step(request, delivery_id, actions.give_back, "returned")


def _step(request: HttpRequest, text: str, act: Callable[..., Any], status: str, **facts: Any) -> HttpResponse:
    delivery_id = private("dlv", text)

    def work() -> DoneOut:
        done = act(actor=actor_of(request), delivery_id=delivery_id, **facts)
        return DoneOut(
            id=ids.public("dlv", delivery_id),
            status=done if isinstance(done, str) else status,
            pay=done if isinstance(done, int) else 0,
        )

    return once(request, work)


def _job(job: reads.JobView) -> JobOut:
    return JobOut(
        id=ids.public("dlv", job.id),
        order_number=job.order_number,
        status=job.status,
        step=job.step,
        ready=job.ready,
        ready_by=job.ready_by,
        not_before=job.not_before,
        promised_to=job.promised_to,
        address=job.address,
        note=job.note,
        phone_tail=job.phone_tail,
        pay=job.pay,
        cash=job.cash,
        accept_by=job.accept_by,
    )
