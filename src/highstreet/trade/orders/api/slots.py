"""/stores/{store}/slots: the times that a shopper may choose."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Schema
from pydantic import Field

from highstreet.kernel.api import private, refuses
from highstreet.kernel.policy import PUBLIC, route

from .. import reads
from ..reads.slots import MOST
from . import router


class SlotsAsk(Schema):
    mode: Literal["delivery", "pickup"] = "delivery"
    lat: float | None = Field(None, ge=-90, le=90, allow_inf_nan=False)
    lon: float | None = Field(None, ge=-180, le=180, allow_inf_nan=False)
    units: int = Field(3, ge=1, le=4950, description="pieces in the basket: more take longer to pack")


class SlotOut(Schema):
    """A window [starts_at, ends_at). Not `free`: its couriers are taken."""

    starts_at: datetime
    ends_at: datetime
    free: bool


class SlotsOut(Schema):
    items: list[SlotOut] = Field(max_length=MOST)


@router.get(
    "/stores/{store}/slots", response={200: SlotsOut}, openapi_extra=refuses("bad_place", "not_found", "out_of_range")
)
@route(PUBLIC)
def slots(request: HttpRequest, store: str, query: Query[SlotsAsk]) -> dict[str, Any]:
    """The windows of today and tomorrow that can still be chosen; `starts_at` is a quote's `slot`."""
    found = reads.slots(private("str", store), query.mode, query.lat, query.lon, query.units)
    return {"items": [{"starts_at": one.starts_at, "ends_at": one.ends_at, "free": one.free} for one in found]}
