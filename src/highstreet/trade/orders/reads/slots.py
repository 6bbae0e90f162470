"""The times that a shopper may choose."""

from __future__ import annotations

from uuid import UUID

from highstreet.kernel import clock
from highstreet.kernel.refusal import Refused
from highstreet.supply.stores import reads as stores

from ..ports import Slot, promises
from ..refusals import BAD_PLACE, OUT_OF_RANGE

# A fortnight of hours; nobody looks through more.
MOST = 200


def slots(store_id: UUID, mode: str, lat: float | None, lon: float | None, units: int) -> list[Slot]:
    """A store's windows of today and tomorrow, the full ones too. Refuses BAD_PLACE for a delivery to nowhere,
    OUT_OF_RANGE where the store does not deliver, NOT_FOUND for a store that is none."""
    store = stores.store(store_id)
    if mode == "delivery":
        if lat is None or lon is None:
            raise Refused(BAD_PLACE)
        if store.distance_m(lat, lon) > store.delivery_radius_m:
            raise Refused(OUT_OF_RANGE)
    here = (store.lat, store.lon) if lat is None or lon is None else (lat, lon)
    return promises().slots(store=store, lat=here[0], lon=here[1], units=units, mode=mode, at=clock.now())[:MOST]
