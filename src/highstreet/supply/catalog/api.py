"""Cities, stores, shelves, products."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from highstreet.kernel import clock, ids
from highstreet.kernel.api import private, refuses
from highstreet.kernel.paging import MAX_CURSOR
from highstreet.kernel.policy import PUBLIC, route
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores

from . import reads

router = Router(tags=["catalogue"])
MOST_PLACES = 100


class CityOut(Schema):
    id: str
    code: str
    name: str
    time_zone: str
    currency: str
    centre: tuple[float, float]


class StoreOut(Schema):
    id: str
    code: str
    kind: str
    name: str
    address: str
    lat: float
    lon: float
    open: bool
    distance_m: int


class ShelfItemOut(Schema):
    variant: str
    product: str
    sku: str
    name: str
    unit: str
    price: int
    was: int | None
    free: int
    picture: str


class ShelfOut(Schema):
    items: list[ShelfItemOut]
    next: str


class OfferOut(Schema):
    store: str
    name: str
    price: int
    free: int
    open: bool


class ProductOut(Schema):
    product: str
    variant: str
    sku: str
    barcode: str
    name: str
    unit: str
    category: str
    offers: list[OfferOut]


class Near(Schema):
    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)


class ShelfQuery(Schema):
    category: str = Field("", max_length=40)
    group: str = Field("", max_length=40)
    q: str = Field("", max_length=100)
    limit: int = Field(24, ge=1, le=100)
    cursor: str = Field("", max_length=MAX_CURSOR, pattern=reads.CURSOR, description="`next` of the page before")


@router.get("/cities", response=Annotated[list[CityOut], Field(max_length=MOST_PLACES)])
@route(PUBLIC)
def cities(request: HttpRequest) -> list[dict[str, Any]]:
    """The cities we serve."""
    return [
        {
            "id": ids.public("cit", city.id),
            "code": city.code,
            "name": city.name,
            "time_zone": city.time_zone,
            "currency": city.currency,
            "centre": (city.centre_lat, city.centre_lon),
        }
        for city in organisations.cities()[:MOST_PLACES]
    ]


@router.get(
    "/cities/{code}/stores",
    response={200: Annotated[list[StoreOut], Field(max_length=MOST_PLACES)]},
    openapi_extra=refuses("not_found"),
)
@route(PUBLIC)
def serving(request: HttpRequest, code: str, near: Query[Near]) -> list[dict[str, Any]]:
    """The stores that reach a point: open ones first, then the nearest."""
    at = clock.now()
    return [
        {
            "id": ids.public("str", store.id),
            "code": store.code,
            "kind": store.kind,
            "name": store.name,
            "address": store.address,
            "lat": store.lat,
            "lon": store.lon,
            "open": store.is_open(at),
            "distance_m": round(store.distance_m(near.lat, near.lon)),
        }
        for store in stores.serving(organisations.city(code).id, near.lat, near.lon)[:MOST_PLACES]
    ]


@router.get("/stores/{store}/shelf", response={200: ShelfOut}, openapi_extra=refuses("not_found"))
@route(PUBLIC)
def shelf(request: HttpRequest, store: str, query: Query[ShelfQuery]) -> dict[str, Any]:
    """What a store offers, what is in stock first. `cursor` is the `next` of the page before."""
    page = reads.shelf(
        private("str", store),
        category=query.category,
        group=query.group,
        query=query.q,
        limit=query.limit,
        cursor=query.cursor,
    )
    items = [
        {
            "variant": ids.public("var", card.variant_id),
            "product": ids.public("prd", card.product_id),
            "sku": card.sku,
            "name": card.name,
            "unit": card.unit,
            "price": card.price,
            "was": card.was,
            "free": max(card.free, 0),
            "picture": card.picture,
        }
        for card in page.items
    ]
    return {"items": items, "next": page.next}


@router.get("/products/{product}", response={200: ProductOut}, openapi_extra=refuses("not_found"))
@route(PUBLIC)
def product(request: HttpRequest, product: str, near: Query[Near]) -> dict[str, Any]:
    """A product and what the 24 nearest stores ask for it, those that reach the point first."""
    view = reads.product(private("prd", product), near.lat, near.lon)
    at = clock.now()
    return {
        "product": product,
        "variant": ids.public("var", view.variant.id),
        "sku": view.variant.sku,
        "barcode": view.variant.barcode,
        "name": view.variant.name,
        "unit": view.variant.unit,
        "category": view.category.code,
        "offers": [
            {
                "store": ids.public("str", offer.store.id),
                "name": offer.store.name,
                "price": offer.price,
                "free": max(offer.free, 0),
                "open": offer.store.is_open(at),
            }
            for offer in view.offers
        ],
    }
