"""/orders/{id}/review."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from highstreet.kernel.api import Body, once, private, refuses
from highstreet.kernel.policy import PUBLIC, Actor, route
from highstreet.trade.cart.rules import is_key
from highstreet.trade.orders import reads as orders

from . import actions

router = Router(tags=["reviews"])


class ReviewIn(Body):
    stars: int = Field(ge=1, le=5)
    text: str = Field("", max_length=500)


class Keyed(Schema):
    key: str = Field("", max_length=40, description="the order's key, for who is not signed in")


class ReviewOut(Schema):
    order: str
    stars: int
    text: str


@router.post(
    "/orders/{order}/review",
    response={201: ReviewOut},
    openapi_extra=refuses("already_rated", "not_completed", "not_found"),
)
@route(PUBLIC)
def review(request: HttpRequest, order: str, body: ReviewIn, query: Query[Keyed]) -> HttpResponse:
    """Rate an order of one's own, or one whose `key` one has, once it is completed."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    key = query.key
    holder = replace(actor, order_keys=actor.order_keys | {key}) if is_key(key) else actor
    order_id = private("ord", order)
    orders.must_see(holder, order_id)

    def work() -> dict[str, Any]:
        actions.rate(actor=holder, order_id=order_id, stars=body.stars, text=body.text)
        return {"order": order, "stars": body.stars, "text": body.text}

    return once(request, work, status=201)
