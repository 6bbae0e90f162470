"""/partners/keys, /partners/webhooks: a partner's own way to what the console's integrations page does."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Query, Router, Schema
from pydantic import Field

from highstreet.kernel import ids
from highstreet.kernel.api import Body, key_of, once, private, refuses
from highstreet.kernel.paging import MAX_CURSOR, PATTERN
from highstreet.kernel.policy import PUBLIC, actor_of, route

from . import actions, payloads, reads
from .reads import EndpointView, KeyView, SendingView
from .steps import Place

router = Router(tags=["partners"])


class KeyIn(Body):
    name: str = Field(min_length=1, max_length=60)
    scopes: list[str] = Field(min_length=1, max_length=40)
    stores: list[str] | None = Field(None, min_length=1, max_length=50, description="left out: every store")
    city: str | None = Field(None, max_length=40, description="instead of stores: whatever stores this city has")
    days: int | None = Field(None, ge=1, le=3650, description="left out: until it is revoked")
    limits: dict[str, int] = Field({}, max_length=20, description="scope: the most (fen, units, percent)")


class KeyOut(Schema):
    id: str
    name: str
    prefix: str
    scopes: list[str]
    stores: list[str] | None
    city: str | None
    limits: dict[str, int]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class MadeKeyOut(KeyOut):
    token: str | None = Field(None, description="told once; an answer repeated for its Idempotency-Key has none")


class KeysOut(Schema):
    items: list[KeyOut]
    next: str


class EndpointIn(Body):
    url: str = Field(min_length=1, max_length=500)
    events: list[str] = Field(min_length=1, max_length=40)


class EndpointChange(Body):
    url: str | None = Field(None, min_length=1, max_length=500)
    events: list[str] | None = Field(None, min_length=1, max_length=40)
    active: bool | None = None


class EndpointOut(Schema):
    id: str
    url: str
    events: list[str]
    active: bool
    disabled_reason: str
    failing_since: datetime | None
    both_sign_until: datetime | None
    created_at: datetime


class MadeEndpointOut(EndpointOut):
    secret: str | None = Field(None, description="told once; an answer repeated for its Idempotency-Key has none")


class TryOut(Schema):
    at: datetime
    duration_ms: int
    status: int | None
    error: str
    answer: str


class SendingOut(Schema):
    id: str
    message: str
    type: str
    status: str
    next_at: datetime
    created_at: datetime
    body: str
    tries: list[TryOut]


class SendingsOut(Schema):
    items: list[SendingOut]
    next: str


class Replay(Body):
    after: str | None = Field(None, max_length=40, description="a webhook-id; left out: all that is kept (30 days)")


class Replayed(Schema):
    messages: int


class Done(Schema):
    id: str


class EventTypeOut(Schema):
    type: str
    says: str


class Page(Schema):
    cursor: str = Field("", max_length=MAX_CURSOR, pattern=PATTERN, description="`next` of the page before")
    limit: int = Field(30, ge=1, le=100)


@router.get("/partners/event-types", response=Annotated[list[EventTypeOut], Field(max_length=100)])
@route(PUBLIC)
def event_types(request: HttpRequest) -> list[dict[str, str]]:
    """What a webhook may be told."""
    return [{"type": kind.name, "says": kind.says} for kind in payloads.KINDS]


@router.get("/partners/keys", response={200: KeysOut})
@route("keys.manage")
def keys(request: HttpRequest, page: Query[Page]) -> dict[str, Any]:
    """The organisation's keys, newest first, without what opens anything."""
    items, more = reads.keys(actor_of(request), cursor=page.cursor, limit=page.limit)
    return {"items": [_key(one) for one in items], "next": more}


@router.post(
    "/partners/keys",
    response={201: MadeKeyOut},
    openapi_extra=refuses("not_found", "over_limit", "persons_only", "scope_not_yours", "too_many"),
)
@route("keys.manage")
def make_key(request: HttpRequest, body: KeyIn) -> HttpResponse:
    """Make a key. Its token is in this answer and nowhere else."""
    actor = actor_of(request)

    def work() -> tuple[dict[str, Any], str]:
        store_ids = None if body.stores is None else [private("str", one) for one in body.stores]
        made = actions.make_key(
            actor=actor,
            name=body.name,
            scopes=body.scopes,
            store_ids=store_ids,
            city_id=None if body.city is None else private("cty", body.city),
            days=body.days,
            limits=body.limits,
        )
        return _key(reads.key(actor, made.id)), made.token

    return _told_once(request, work, "token")


@router.delete("/partners/keys/{key}", response={200: Done}, openapi_extra=refuses("not_found", "persons_only"))
@route("keys.manage")
def revoke_key(request: HttpRequest, key: str) -> HttpResponse:
    """Revoke a key. It counts from the next request on."""
    actor, key_id = actor_of(request), private("key", key)
    return once(request, _done(key, lambda: actions.revoke_key(actor=actor, key_id=key_id)))


@router.get("/partners/webhooks", response={200: Annotated[list[EndpointOut], Field(max_length=10)]})
@route("webhooks.manage")
def endpoints(request: HttpRequest) -> list[dict[str, Any]]:
    """The organisation's webhooks, at most ten."""
    return [_endpoint(one) for one in reads.endpoints(actor_of(request))]


@router.post(
    "/partners/webhooks",
    response={201: MadeEndpointOut},
    openapi_extra=refuses("not_all_stores", "target_barred", "too_many"),
)
@route("webhooks.manage")
def add_endpoint(request: HttpRequest, body: EndpointIn) -> HttpResponse:
    """Add an address that is told of events. The signing secret is in this answer and nowhere else."""
    actor = actor_of(request)
    place = _place(request, body.url)

    def work() -> tuple[dict[str, Any], str]:
        made = actions.add_endpoint(actor=actor, place=place, events=body.events)
        return _endpoint(reads.endpoint(actor, made.id)), made.secret

    return _told_once(request, work, "secret")


@router.get("/partners/webhooks/{webhook}", response={200: EndpointOut}, openapi_extra=refuses("not_found"))
@route("webhooks.manage")
def endpoint(request: HttpRequest, webhook: str) -> dict[str, Any]:
    """One webhook."""
    return _endpoint(reads.endpoint(actor_of(request), private("whk", webhook)))


@router.patch(
    "/partners/webhooks/{webhook}",
    response={200: EndpointOut},
    openapi_extra=refuses("not_all_stores", "not_found", "target_barred", "too_many"),
)
@route("webhooks.manage")
def change_endpoint(request: HttpRequest, webhook: str, body: EndpointChange) -> HttpResponse:
    """Change a webhook: what is sent along; the rest stays."""
    actor, endpoint_id = actor_of(request), private("whk", webhook)
    place = None if body.url is None else _place(request, body.url)

    def work() -> dict[str, Any]:
        actions.change_endpoint(
            actor=actor, endpoint_id=endpoint_id, place=place, events=body.events, active=body.active
        )
        return _endpoint(reads.endpoint(actor, endpoint_id))

    return once(request, work)


@router.delete(
    "/partners/webhooks/{webhook}", response={200: Done}, openapi_extra=refuses("not_all_stores", "not_found")
)
@route("webhooks.manage")
def remove_endpoint(request: HttpRequest, webhook: str) -> HttpResponse:
    """Remove a webhook. Nothing more is sent to it."""
    actor, endpoint_id = actor_of(request), private("whk", webhook)
    return once(request, _done(webhook, lambda: actions.remove_endpoint(actor=actor, endpoint_id=endpoint_id)))


@router.post(
    "/partners/webhooks/{webhook}/secret",
    response={201: MadeEndpointOut},
    openapi_extra=refuses("not_all_stores", "not_found"),
)
@route("webhooks.manage")
def rotate_secret(request: HttpRequest, webhook: str) -> HttpResponse:
    """Make a new secret. The old one signs beside it for a day; the new one is in this answer and nowhere else."""
    actor, endpoint_id = actor_of(request), private("whk", webhook)

    def work() -> tuple[dict[str, Any], str]:
        made = actions.rotate_secret(actor=actor, endpoint_id=endpoint_id)
        return _endpoint(reads.endpoint(actor, endpoint_id)), made.secret

    return _told_once(request, work, "secret")


@router.get("/partners/webhooks/{webhook}/sendings", response={200: SendingsOut}, openapi_extra=refuses("not_found"))
@route("webhooks.manage")
def sendings(request: HttpRequest, webhook: str, page: Query[Page]) -> dict[str, Any]:
    """The log, newest first: every try with its answer."""
    items, more = reads.sendings(actor_of(request), private("whk", webhook), cursor=page.cursor, limit=page.limit)
    return {"items": [_sending(one) for one in items], "next": more}


@router.post(
    "/partners/webhooks/{webhook}/sendings/{sending}/resend",
    response={200: Done},
    openapi_extra=refuses("endpoint_off", "not_all_stores", "not_found"),
)
@route("webhooks.manage")
def resend(request: HttpRequest, webhook: str, sending: str) -> HttpResponse:
    """Send it again, with the same webhook-id."""
    actor, endpoint_id, sending_id = actor_of(request), private("whk", webhook), private("snd", sending)
    return once(
        request,
        _done(sending, lambda: actions.resend(actor=actor, endpoint_id=endpoint_id, sending_id=sending_id)),
    )


@router.post(
    "/partners/webhooks/{webhook}/replay",
    response={200: Replayed},
    openapi_extra=refuses("endpoint_off", "not_all_stores", "not_found"),
)
@route("webhooks.manage")
def replay(request: HttpRequest, webhook: str, body: Replay) -> HttpResponse:
    """Send again what came after a message, in order, at most 5,000."""
    actor, endpoint_id = actor_of(request), private("whk", webhook)

    def work() -> dict[str, int]:
        after = None if body.after is None else private("evt", body.after)
        return {"messages": actions.replay(actor=actor, endpoint_id=endpoint_id, after=after)}

    return once(request, work)


def _place(request: HttpRequest, url: str) -> Place:
    """Looked up before `once` opens its transaction, and for nobody who sends no key."""
    key_of(request)
    return actions.look_up(actor=actor_of(request), url=url)


def _told_once(request: HttpRequest, work: Callable[[], tuple[dict[str, Any], str]], name: str) -> HttpResponse:
    """Like `once`, but the secret is not kept with the answer: only who made it hears it, and only now."""
    told: list[str] = []

    def run() -> dict[str, Any]:
        body, secret = work()
        told.append(secret)
        return {**body, name: None}

    answer = once(request, run, status=201)
    if told:
        answer = JsonResponse({**json.loads(answer.content), name: told[-1]}, status=answer.status_code)
    answer["Cache-Control"] = "no-store"
    return answer


def _done(code: str, work: Callable[[], None]) -> Callable[[], dict[str, str]]:
    def run() -> dict[str, str]:
        work()
        return {"id": code}

    return run


def _key(view: KeyView) -> dict[str, Any]:
    return {
        "id": ids.public("key", view.id),
        "name": view.name,
        "prefix": view.prefix,
        "scopes": view.scopes,
        "stores": None if view.store_ids is None else [ids.public("str", one) for one in view.store_ids],
        "city": None if view.city_id is None else ids.public("cty", view.city_id),
        "limits": view.limits,
        "created_at": view.created_at,
        "expires_at": view.expires_at,
        "revoked_at": view.revoked_at,
        "last_used_at": view.last_used_at,
    }


def _endpoint(view: EndpointView) -> dict[str, Any]:
    return {
        "id": ids.public("whk", view.id),
        "url": view.url,
        "events": view.events,
        "active": view.active,
        "disabled_reason": view.disabled_reason,
        "failing_since": view.failing_since,
        "both_sign_until": view.both_sign_until,
        "created_at": view.created_at,
    }


def _sending(view: SendingView) -> dict[str, Any]:
    return {
        "id": ids.public("snd", view.id),
        "message": ids.public("evt", view.message_id),
        "type": view.type,
        "status": view.status,
        "next_at": view.next_at,
        "created_at": view.created_at,
        "body": view.body,
        "tries": [
            {
                "at": one.at,
                "duration_ms": one.duration_ms,
                "status": one.status,
                "error": one.error,
                "answer": one.answer,
            }
            for one in view.tries
        ],
    }
