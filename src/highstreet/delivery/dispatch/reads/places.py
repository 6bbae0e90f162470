"""Where a courier without work is asked to wait."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from highstreet.delivery.couriers import reads as couriers
from highstreet.kernel.policy import Actor
from highstreet.supply.stores import reads as stores

from ..models import WaitingPlace


@dataclass(frozen=True)
class WaitView:
    """A store that will need somebody; `distance_m` as the crow flies, None without a position."""

    store_id: UUID
    name: str
    address: str
    lat: float
    lon: float
    distance_m: int | None


def place_to_wait(actor: Actor) -> WaitView | None:
    """The actor's own; None when any place is as good."""
    me = couriers.me(actor)
    found = WaitingPlace.objects.filter(courier_id=me.id).values_list("store_id", flat=True).first()
    if found is None:
        return None
    store = stores.store(found)
    away = None if me.lat is None or me.lon is None else round(store.distance_m(me.lat, me.lon))
    return WaitView(store.id, store.name, store.address, store.lat, store.lon, away)
