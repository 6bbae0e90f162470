"""Where fleets call. Anyone may knock; only what a fleet signed is kept."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema

from highstreet.kernel import ids
from highstreet.kernel.api import refuses
from highstreet.kernel.policy import PUBLIC, actor_of, route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import TOO_LARGE

from . import actions
from .providers import MOST_BODY, Called
from .refusals import FLEET_NOT_BELIEVED

router = Router(tags=["fleets"])


class Answered(Schema):
    """What the fleet's own protocol wants to hear."""

    code: int = 0


@router.post(
    "/fleets/{fleet}/notify",
    response={200: Answered},
    openapi_extra=refuses("fleet_not_believed", repeat="a message is kept once, by what it says"),
)
@route(PUBLIC)
def notify(request: HttpRequest, fleet: str) -> HttpResponse:
    """A fleet's callback, raw. Answered 200 once it is kept, however often it comes."""
    reply = actions.receive_callback(actor=actor_of(request), fleet_id=_fleet(fleet), called=_called(request))
    return HttpResponse(reply, content_type="application/json" if reply.startswith(b"{") else "text/plain")


@router.get("/fleets/{fleet}/notify", response={200: str}, openapi_extra=refuses("fleet_not_believed"))
@route(PUBLIC)
def greet(request: HttpRequest, fleet: str) -> HttpResponse:
    """A fleet asks whether this address is ours, with its signature. The answer is the word that it sent."""
    reply = actions.greet(actor=actor_of(request), fleet_id=_fleet(fleet), called=_called(request))
    return HttpResponse(reply, content_type="text/plain")


def _fleet(code: str) -> UUID:
    found = ids.private("flt", code)
    if found is None:
        raise Refused(FLEET_NOT_BELIEVED)
    return found


def _called(request: HttpRequest) -> Called:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > MOST_BODY:
        raise Refused(TOO_LARGE)
    body = request.read(MOST_BODY + 1)
    if len(body) > MOST_BODY:
        raise Refused(TOO_LARGE)
    return Called(request.GET.dict(), body)
