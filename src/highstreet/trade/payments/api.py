"""Where providers call. Anyone may knock; only what a provider signed is kept."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from ninja import Router, Schema

from highstreet.kernel.api import refuses
from highstreet.kernel.policy import PUBLIC, Actor, route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import TOO_LARGE

from . import actions

router = Router(tags=["payments"])
MAX_BODY = 64 * 1024


class Received(Schema):
    code: str
    message: str = ""


@router.post(
    "/payments/{provider}/notify",
    response={200: Received},
    openapi_extra=refuses(
        "not_believed", "unknown_provider", repeat="a message is kept once, by the provider's own id"
    ),
)
@route(PUBLIC)
def notify(request: HttpRequest, provider: str) -> JsonResponse:
    """A provider's callback, raw. Answered 200 once it is kept, however often it comes."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > MAX_BODY:
        raise Refused(TOO_LARGE)
    body = request.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise Refused(TOO_LARGE)
    actor: Actor = request.actor  # type: ignore[attr-defined]
    actions.receive_notification(actor=actor, provider=provider, headers=dict(request.headers), body=body)
    return JsonResponse({"code": "SUCCESS", "message": ""})
