"""/carts: open one, see it, change it. The key is the secret that proves whose it is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import Field

from highstreet.kernel import ids
from highstreet.kernel.api import Body, once, private, refuses
from highstreet.kernel.policy import PUBLIC, actor_of, route
from highstreet.supply.organisations import reads as organisations

from . import actions, reads
from .rules import MAX_QUANTITY

router = Router(tags=["cart"])
MAX_BATCH = 50


class LineIn(Body):
    variant: str = Field(max_length=40)
    quantity: int = Field(ge=1, le=MAX_QUANTITY)


class CartIn(Body):
    city: str = Field("", max_length=40, description="the city's code; the first city without it")
    lines: list[LineIn] = Field([], max_length=MAX_BATCH, description="what is in it from the start")


class QuantityIn(Body):
    quantity: int = Field(ge=0, le=99)
    version: int | None = Field(None, ge=0, le=2**31 - 1, description="refused as cart_changed if it is not this")


class CartLineOut(Schema):
    variant: str
    product: str
    name: str
    unit: str
    picture: str
    quantity: int
    price: int | None
    line_total: int
    free: int


class CartOut(Schema):
    id: str
    key: str
    version: int
    lines: list[CartLineOut]
    goods_total: int
    count: int


def _out(key: str, store_id: UUID | None) -> dict[str, Any]:
    view = reads.cart(key, store_id)
    return {
        "id": ids.public("car", view.id),
        "key": view.key,
        "version": view.version,
        "goods_total": view.goods_total,
        "count": view.count,
        "lines": [
            {
                "variant": ids.public("var", line.variant_id),
                "product": ids.public("prd", line.product_id),
                "name": line.name,
                "unit": line.unit,
                "picture": line.picture,
                "quantity": line.quantity,
                "price": line.price,
                "line_total": line.line_total,
                "free": line.free,
            }
            for line in view.lines
        ],
    }


@router.post(
    "/carts",
    response={201: CartOut},
    openapi_extra=refuses(
        "bad_quantity", "cart_full", "not_found", "not_sold", repeat="a cart that nobody fills holds nothing"
    ),
)
@route(PUBLIC)
def open_cart(request: HttpRequest, body: CartIn) -> Status[dict[str, Any]]:
    """Open a cart. Without an Idempotency-Key: a cart holds nothing, and a guest has no secret yet by which
    a repeat could be told from a stranger's request, who must not be given this cart's key."""
    city = organisations.city(body.city) if body.city else organisations.default_city()
    wanted: dict[UUID, int] = {}
    for line in body.lines:
        variant = private("var", line.variant)
        wanted[variant] = wanted.get(variant, 0) + line.quantity
    return Status(201, _out(actions.open(actor=actor_of(request), city_id=city.id, quantities=wanted).key, None))


@router.get("/carts/{key}", response={200: CartOut}, openapi_extra=refuses("not_found"))
@route(PUBLIC)
def see_cart(request: HttpRequest, key: str, store: str = "") -> dict[str, Any]:
    """What is in it; with the prices and stock of `store` where given."""
    return _out(key, private("str", store) if store else None)


@router.put(
    "/carts/{key}/lines/{variant}",
    response={200: CartOut},
    openapi_extra=refuses("bad_quantity", "cart_changed", "cart_full", "not_found", "not_sold"),
)
@route(PUBLIC)
def set_line(request: HttpRequest, key: str, variant: str, body: QuantityIn) -> HttpResponse:
    """Have exactly this many of a variant; 0 takes it out."""

    def work() -> dict[str, Any]:
        actions.set_quantity(
            actor=actor_of(request),
            cart_key=key,
            variant_id=private("var", variant),
            quantity=body.quantity,
            expected_version=body.version,
        )
        return _out(key, None)

    return once(request, work)
