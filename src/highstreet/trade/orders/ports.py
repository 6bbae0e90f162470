"""What orders ask of higher floors: a promise with capacity behind it, and where an address is.

`delivery.promise` fills `promises`, `delivery.routing` fills `geo`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from highstreet.kernel.holds import Claim
from highstreet.kernel.ports import Port
from highstreet.supply.stores.reads import StoreView


@dataclass(frozen=True)
class PromiseOffer:
    """A window [promised_from, promised_to] that we would hold capacity for, and on what it rests.

    `ready_by` is when the store must have packed; `reason_if_later` says why the window is not sooner
    ("closed", "no_capacity", …), "" when it is the soonest. `basis` holds plain JSON values only. `start_at` is when
    the store should begin with it, so that it does not stand packed, None for at once; `slot` the beginning of the
    window that the shopper chose, if any.
    """

    promised_from: datetime
    promised_to: datetime
    ready_by: datetime
    quantile: int = 90
    basis: Mapping[str, Any] = field(default_factory=dict)
    capacity_slot_id: UUID | None = None
    reason_if_later: str = ""
    start_at: datetime | None = None
    slot: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "promised_from": self.promised_from.isoformat(),
            "promised_to": self.promised_to.isoformat(),
            "ready_by": self.ready_by.isoformat(),
            "quantile": self.quantile,
            "basis": dict(self.basis),
            "capacity_slot_id": str(self.capacity_slot_id) if self.capacity_slot_id else None,
            "reason_if_later": self.reason_if_later,
            "start_at": self.start_at.isoformat() if self.start_at else None,
            "slot": self.slot.isoformat() if self.slot else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PromiseOffer:
        capacity, start_at, slot = (data.get(name) for name in ("capacity_slot_id", "start_at", "slot"))
        return cls(
            promised_from=datetime.fromisoformat(data["promised_from"]),
            promised_to=datetime.fromisoformat(data["promised_to"]),
            ready_by=datetime.fromisoformat(data["ready_by"]),
            quantile=int(data["quantile"]),
            basis=data["basis"],
            capacity_slot_id=UUID(capacity) if capacity else None,
            reason_if_later=data["reason_if_later"],
            start_at=datetime.fromisoformat(start_at) if start_at else None,
            slot=datetime.fromisoformat(slot) if slot else None,
        )


@dataclass(frozen=True)
class Slot:
    """A window [starts_at, ends_at) that a shopper may choose; not `free`: its couriers are taken."""

    starts_at: datetime
    ends_at: datetime
    free: bool


class PromisePort(Protocol):
    """The promise. Called with keywords, inside the caller's transaction."""

    def offer(
        self,
        *,
        store: StoreView,
        lat: float,
        lon: float,
        units: int,
        mode: str,
        at: datetime,
        slot: datetime | None = None,
        agreed: bool = False,
    ) -> PromiseOffer | None:
        """The soonest window for `units` from `store` to the point, asked at `at`; None if there is none.

        With `slot`, that of the chosen window that begins then; `agreed` to before, it may be past its cut-off.
        """
        ...

    def slots(self, *, store: StoreView, lat: float, lon: float, units: int, mode: str, at: datetime) -> list[Slot]:
        """The windows that a shopper may choose, the full ones too, in order."""
        ...

    def claims(self, offer: PromiseOffer) -> list[Claim]:
        """What the window needs held (courier capacity); [] where it needs nothing."""
        ...

    def keep(self, *, order_id: UUID, city_id: UUID, store_id: UUID, mode: str, offer: PromiseOffer) -> None:
        """Write down what was promised for an order; again for the same order replaces it."""
        ...

    def void(self, *, order_id: UUID) -> None:
        """The order ended without being fulfilled: its promise is neither kept nor broken."""
        ...


@dataclass(frozen=True)
class Found:
    """A point near what was asked for; `distance_m` from the asked point to it."""

    lat: float
    lon: float
    label: str
    distance_m: int


class GeoPort(Protocol):
    def geocode(self, city_id: UUID, text: str, lat: float | None, lon: float | None) -> Found | None:
        """Where `text` is (near lat, lon where given); None when nothing fits."""
        ...


class Doorstep(Protocol):
    def takes_cash(self, *, city_id: UUID, store_id: UUID) -> bool:
        """Whether couriers who can be paid at the door bring what this store sells."""
        ...


promises: Port[PromisePort] = Port("orders.promises")
geo: Port[GeoPort] = Port("orders.geo")
doorstep: Port[Doorstep] = Port("orders.doorstep")
