"""/me: what people agreed to, their data, and being forgotten; the same for whom support answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import Field

from highstreet.kernel import privacy
from highstreet.kernel.api import Body, Problem, once
from highstreet.kernel.policy import Actor, actor_of, route
from highstreet.kernel.privacy import Person

from . import actions, reads

router = Router(tags=["privacy"])
REFUSALS = {401: Problem, 403: Problem, 404: Problem, 409: Problem, 422: Problem}
ZIP: dict[str, Any] = {
    "responses": {200: {"description": "a zip of JSON files", "content": {"application/zip": {}}}},
}


class ConsentOut(Schema):
    """`given` is what holds now; `at` null: nothing was said yet. `wording`: the version of the words."""

    purpose: str
    given: bool
    wording: int
    at: datetime | None


class ConsentsOut(Schema):
    items: list[ConsentOut]


class ConsentIn(Body):
    given: bool


class EraseIn(Body):
    confirm: str = Field(max_length=20, description=f"the word {actions.WORD}, typed by the person")


class ProofIn(Body):
    """What proves to support who asks: an order's key and the phone number it was placed with."""

    order_key: str = Field(max_length=40)
    phone: str = Field(max_length=40)


class ServedEraseIn(ProofIn):
    confirm: str = Field(max_length=20)


class ErasedOut(Schema):
    rows: int


@router.get("/me/consents", response={200: ConsentsOut, **REFUSALS})
@route("shop.own")
def consents(request: HttpRequest) -> ConsentsOut:
    return _consents(actor_of(request))


@router.put("/me/consents/{purpose}", response={200: ConsentsOut, **REFUSALS})
@route("shop.own")
def consent(request: HttpRequest, purpose: str, body: ConsentIn) -> HttpResponse:
    """Say yes or no to a purpose. It counts from the next request on."""
    actor = actor_of(request)

    def work() -> dict[str, Any]:
        actions.consent(actor=actor, purpose=purpose, given=body.given, channel="api")
        return _consents(actor).model_dump(mode="json")

    return once(request, work)


@router.get("/me/data", openapi_extra=ZIP, response={200: None, **REFUSALS})
@route("shop.own")
def data(request: HttpRequest) -> FileResponse:
    """Everything that is known of you, as a zip."""
    return as_zip(reads.person_of(actor_of(request)))


@router.post("/me/erasure", response={200: ErasedOut, **REFUSALS})
@route("shop.own")
def erase(request: HttpRequest, body: EraseIn) -> HttpResponse:
    """Erase your account and everything about you. Refused while an order or money is on its way."""
    actor = actor_of(request)
    return once(request, lambda: {"rows": actions.erase_me(actor=actor, confirm=body.confirm)})


@router.post("/privacy/exports", openapi_extra=ZIP, response={200: None, **REFUSALS})
@route("privacy.serve")
def export_proved(request: HttpRequest, body: ProofIn) -> FileResponse:
    """The data of somebody who proved an order to support. Reads only: no Idempotency-Key is needed."""
    return as_zip(reads.proved(actor_of(request), body.order_key, body.phone))


@router.post("/privacy/erasures", response={200: ErasedOut, **REFUSALS})
@route("privacy.serve")
def erase_proved(request: HttpRequest, body: ServedEraseIn) -> HttpResponse:
    """Erase somebody who proved an order to support and asked for it."""
    actor = actor_of(request)

    def work() -> dict[str, int]:
        rows = actions.erase_proved(actor=actor, key=body.order_key, phone=body.phone, confirm=body.confirm)
        return {"rows": rows}

    return once(request, work)


def as_zip(person: Person) -> FileResponse:
    """A person's export as a download that no cache keeps."""
    answer = FileResponse(privacy.export(person), as_attachment=True, filename="my-data.zip")
    answer["Content-Type"] = "application/zip"
    answer["Cache-Control"] = "no-store"
    return answer


def _consents(actor: Actor) -> ConsentsOut:
    return ConsentsOut(
        items=[
            ConsentOut(purpose=one.purpose, given=one.given, wording=one.wording, at=one.at)
            for one in reads.consents(actor)
        ]
    )
