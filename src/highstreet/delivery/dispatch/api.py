"""/courier/tasks, the steps of a delivery, decisions by hand, and how a customer follows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from highstreet.kernel import ids
from highstreet.kernel.api import Body, once, private, refuses
from highstreet.kernel.money import MAX_AMOUNT
from highstreet.kernel.policy import PUBLIC, Actor, route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.trade.cart.rules import is_key
from highstreet.trade.orders import reads as orders

from . import actions, reads
from .reads import candidates as hands
from .reads import tracking
from .reads.places import WaitView, place_to_wait
from .rules.causes import IN_STORE, Cause

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


class TasksOut(Schema):
    """`path` is the way through the stops as [lat, lon] points; only with ?path=true."""

    stops: list[StopOut]
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


class OverrideIn(Body):
    """`courier`: who brings it, or null: it waits. `seen`: what the caller decided upon, as candidates told."""

    courier: str | None
    why: Literal["late", "stuck", "asked", "too_big", "together", "other"]
    pin: bool = True
    seen: str = Field("", max_length=60)


class OverriddenOut(Schema):
    id: str
    status: str
    courier: str | None
    pinned: bool


class CandidateOut(Schema):
    """Seconds from now: until free, at the store, at the door; and past the promise."""

    courier: str
    name: str
    in_hand: int
    room: int
    free_seconds: int
    store_seconds: int
    door_seconds: int
    late_seconds: int


class CandidatesOut(Schema):
    seen: str
    candidates: list[CandidateOut]


class DoneOut(Schema):
    id: str
    status: str
    pay: int = 0


class Keyed(Schema):
    key: str = Field("", max_length=40, description="the order's key, for who is not signed in")


class TrackOut(Schema):
    """`status` in_store: no store has accepted it yet. `expected`: at the door, null where nobody can say.
    `cause`: why that is late, empty in time. `incident`: why it could not be given over. The courier's place is told
    between pick-up and delivery."""

    order: str
    status: str
    incident: str
    courier: str
    lat: float | None
    lon: float | None
    stops_before: int
    expected: datetime | None
    promised_to: datetime
    late_seconds: int
    cause: Cause


@router.get("/courier/tasks", response={200: TasksOut}, openapi_extra=refuses("not_a_courier"))
@route("courier.work")
def tasks(request: HttpRequest, path: bool = False) -> TasksOut:
    """The stops ahead, in order. With `path=true` the way through them as well. `wait`: without a stop, where to wait
    for the next one, if one place is better than others."""
    actor = _actor(request)
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
        stops=stops, path=reads.route(actor, found) if path else [], wait=None if stops else _wait(place_to_wait(actor))
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


@router.get("/orders/{order}/delivery", response={200: TrackOut}, openapi_extra=refuses("not_found"))
@route(PUBLIC)
def follow(request: HttpRequest, order: str, query: Query[Keyed]) -> TrackOut:
    """Follow an order to the door: the promise against now, and why it is late. One's own, or by its `key`."""
    actor = _actor(request)
    actor = replace(actor, order_keys=actor.order_keys | {query.key}) if is_key(query.key) else actor
    found = orders.order(actor, private("ord", order))
    track = tracking.track(found.id) if found.mode == "delivery" else None
    if track is None and (found.mode != "delivery" or found.status != "confirmed"):
        raise Refused(NOT_FOUND)
    delay = tracking.delay(found, track)
    return TrackOut(
        order=ids.public("ord", found.id),
        status=track.status if track else IN_STORE,
        incident=track.incident if track else "",
        courier=track.courier_name if track else "",
        lat=track.lat if track else None,
        lon=track.lon if track else None,
        stops_before=track.stops_before if track else 0,
        expected=delay.expected,
        promised_to=found.promised_to,
        late_seconds=delay.late_seconds,
        cause=delay.cause,
    )


@router.get("/deliveries/{delivery_id}/candidates", response={200: CandidatesOut}, openapi_extra=refuses("not_found"))
@route("console.read")
def candidates(request: HttpRequest, delivery_id: str) -> CandidatesOut:
    """Who could bring it, the soonest at the door first; whose bag is full comes last."""
    actor, known = _actor(request), private("dlv", delivery_id)
    row = hands.delivery_of(actor, known)
    return CandidatesOut(
        seen=hands.version(row.status, row.courier_id),
        candidates=[
            CandidateOut(
                courier=ids.public("cou", one.courier.id),
                name=one.courier.name,
                in_hand=one.in_hand,
                room=max(one.room, 0),
                free_seconds=round(one.free_seconds),
                store_seconds=round(one.store_seconds),
                door_seconds=round(one.door_seconds),
                late_seconds=round(one.late_seconds),
            )
            for one in hands.candidates(actor, known)
        ],
    )


@router.post(
    "/deliveries/{delivery_id}/override",
    response={200: OverriddenOut},
    openapi_extra=refuses("bag_full", "courier_away", "moved_on", "not_found", "wrong_state"),
)
@route("dispatch.override")
def override(request: HttpRequest, delivery_id: str, body: OverrideIn) -> HttpResponse:
    """Decide by hand who brings it, before it is picked up; with `pin` the dispatcher leaves it alone."""
    known = private("dlv", delivery_id)
    courier = None if body.courier is None else private("cou", body.courier)

    def work() -> OverriddenOut:
        done = actions.override(
            actor=_actor(request), delivery_id=known, courier_id=courier, why=body.why, pin=body.pin, seen=body.seen
        )
        given = None if done.courier_id is None else ids.public("cou", done.courier_id)
        return OverriddenOut(id=delivery_id, status=done.status, courier=given, pinned=done.pinned)

    return once(request, work)


def _step(request: HttpRequest, text: str, act: Callable[..., Any], status: str, **facts: Any) -> HttpResponse:
    delivery_id = private("dlv", text)

    def work() -> DoneOut:
        done = act(actor=_actor(request), delivery_id=delivery_id, **facts)
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


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
