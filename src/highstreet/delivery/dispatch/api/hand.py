"""Decisions by hand: who could bring a delivery, and who does."""

from __future__ import annotations

from typing import Literal

from django.http import HttpRequest, HttpResponse
from ninja import Schema
from pydantic import Field

from highstreet.kernel import ids
from highstreet.kernel.api import Body, once, private, refuses
from highstreet.kernel.policy import actor_of, route

from .. import actions
from ..reads import candidates as hands
from .work import router


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


@router.get("/deliveries/{delivery_id}/candidates", response={200: CandidatesOut}, openapi_extra=refuses("not_found"))
@route("console.read")
def candidates(request: HttpRequest, delivery_id: str) -> CandidatesOut:
    """Who could bring it, the soonest at the door first; whose bag is full comes last."""
    actor, known = actor_of(request), private("dlv", delivery_id)
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
            actor=actor_of(request), delivery_id=known, courier_id=courier, why=body.why, pin=body.pin, seen=body.seen
        )
        given = None if done.courier_id is None else ids.public("cou", done.courier_id)
        return OverriddenOut(id=delivery_id, status=done.status, courier=given, pinned=done.pinned)

    return once(request, work)
