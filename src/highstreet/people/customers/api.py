"""/me: what people agreed to, their data, and being forgotten; the same for whom support answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import Field

from highstreet.kernel import privacy
from highstreet.kernel.api import Body, once, refuses
from highstreet.kernel.policy import Actor, actor_of, route
from highstreet.kernel.privacy import Person

from . import actions, reads

router = Router(tags=["privacy"])
# What keeps somebody from being erased; packages above declare the rest in their privacy rooms.
STAYS = (
    "order_open",
    "money_on_its_way",
    "on_the_way",
    "still_working",
    "works_here",
    "still_a_courier",
    "runs_platform",
)
ZIP: dict[str, Any] = {
    "responses": {200: {"description": "A zip of JSON files.", "content": {"application/zip": {}}}},
}
ASKS_ONLY = "Changes nothing, so it may be repeated without an Idempotency-Key."


class ConsentOut(Schema):
    """`given` is what holds now; `at` null: nothing was said yet. `wording`: the version of the words."""

    purpose: str
    given: bool
    wording: int
    at: datetime | None


class ConsentsOut(Schema):
    items: list[ConsentOut] = Field(max_length=20)


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


@router.get("/me/consents", response={200: ConsentsOut})
@route("shop.own")
def consents(request: HttpRequest) -> ConsentsOut:
    """What you agree to, purpose by purpose."""
    return _consents(actor_of(request))


@router.put("/me/consents/{purpose}", response={200: ConsentsOut}, openapi_extra=refuses("unknown_purpose"))
@route("shop.own")
def consent(request: HttpRequest, purpose: str, body: ConsentIn) -> HttpResponse:
    """Say yes or no to a purpose. It counts from the next request on."""
    actor = actor_of(request)

    def work() -> dict[str, Any]:
        actions.consent(actor=actor, purpose=purpose, given=body.given, channel="api")
        return _consents(actor).model_dump(mode="json")

    return once(request, work)


@router.get("/me/data", response={200: None}, openapi_extra=ZIP)
@route("shop.own")
def data(request: HttpRequest) -> FileResponse:
    """Everything that is known of you, as a zip."""
    return as_zip(reads.person_of(actor_of(request)))


@router.post(
    "/me/erasure", response={200: ErasedOut}, openapi_extra=refuses(*STAYS, "not_confirmed", "nothing_to_erase")
)
@route("shop.own")
def erase(request: HttpRequest, body: EraseIn) -> HttpResponse:
    """Erase your account and everything about you. Refused while an order or money is on its way."""
    actor = actor_of(request)
    return once(request, lambda: {"rows": actions.erase_me(actor=actor, confirm=body.confirm)})


@router.post(
    "/privacy/exports",
    response={200: None},
    openapi_extra=refuses("bought_elsewhere", "not_proved", repeat=ASKS_ONLY) | ZIP,
)
@route("privacy.serve")
def export_proved(request: HttpRequest, body: ProofIn) -> FileResponse:
    """The data of somebody who proved an order to support."""
    return as_zip(reads.proved(actor_of(request), body.order_key, body.phone))


@router.post(
    "/privacy/erasures",
    response={200: ErasedOut},
    openapi_extra=refuses(*STAYS, "bought_elsewhere", "not_confirmed", "not_proved"),
)
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
