"""What every feature's API shares: problems (RFC 9457), idempotent mutations, public identifiers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, JsonResponse
from ninja import Schema
from pydantic import ConfigDict, field_validator

from . import idempotency, ids
from .policy import Actor, actor_of
from .refusal import Refused
from .refusals import KEY_MISSING, NOT_FOUND

PROBLEM = "application/problem+json"


class Body(Schema):
    """A request's body: unknown fields (a price, a total, someone's id) are refused, types are strict."""

    model_config = ConfigDict(extra="forbid", strict=True, str_max_length=2000)

    @field_validator("*")
    @classmethod
    def no_nul(cls, value: Any) -> Any:
        """PostgreSQL keeps no NUL in texts."""
        if isinstance(value, str) and "\x00" in value:
            raise ValueError("NUL")
        return value


class Problem(Schema):
    """RFC 9457: `type` is the refusal's code, `title` its words in the caller's language."""

    type: str
    title: str
    status: int
    facts: dict[str, Any] = {}


def problem(refused: Refused) -> JsonResponse:
    """A refusal as application/problem+json."""
    body = {
        "type": refused.reason.code,
        "title": refused.words,
        "status": refused.reason.status,
        "facts": {name: _plain(value) for name, value in refused.facts.items()},
    }
    response = JsonResponse(body, status=refused.reason.status, content_type=PROBLEM)
    if refused.reason.status == 503:
        response["Retry-After"] = "5"
    return response


def refuses(*codes: str, repeat: str = "") -> dict[str, Any]:
    """`openapi_extra` of an operation: the refusals of its own, by code; what others share is added (web.document).

    `repeat` says why sending it again does no harm, for the few that change something without an Idempotency-Key.
    """
    extra: dict[str, Any] = {"x-refusals": sorted(codes)}
    return {**extra, "x-repeat": repeat} if repeat else extra


def subject_of(actor: Actor) -> str:
    """Whose idempotency keys these are: the user, the API key, or what a guest holds."""
    if actor.key_id:
        return f"key:{actor.key_id}"
    return f"user:{actor.user_id}" if actor.user_id else f"guest:{actor.cart_key or '-'}"


def once(request: HttpRequest, work: Callable[[], Any], *, status: int = 200) -> JsonResponse:
    """Do a mutation once for its Idempotency-Key; a repeat gets the first answer.

    `work` returns the JSON body (a Schema or plain values).
    """
    actor: Actor = actor_of(request)

    def run() -> tuple[int, Any]:
        return status, _plain(work())

    code, body = idempotency.once(
        subject=subject_of(actor),
        endpoint=_endpoint(request),
        key=key_of(request),
        body=request.body,
        work=run,
    )
    return JsonResponse(body, status=code, safe=False)


def key_of(request: HttpRequest) -> str:
    """The request's Idempotency-Key, or KEY_MISSING: who looks for things before `once` asks for it first."""
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        raise Refused(KEY_MISSING)
    return key


def _endpoint(request: HttpRequest) -> str:
    """Method, path and query: a guest's proof stands in the query, so an answer goes only to its holder."""
    full = f"{request.method} {request.get_full_path()}"
    return f"{request.method} {hashlib.sha256(full.encode()).hexdigest()}"


def private(prefix: str, text: str) -> UUID:
    """The UUID behind a public identifier, or NOT_FOUND."""
    value = ids.private(prefix, text)
    if value is None:
        raise Refused(NOT_FOUND)
    return value


def rfc3339(at: datetime) -> str:
    """How every answer writes a moment: UTC with a Z, to the microsecond."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    if isinstance(value, Schema):
        return value.model_dump(mode="json")
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)
