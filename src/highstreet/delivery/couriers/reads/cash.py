"""Cash that couriers took at doors and have still in hand, by the ledger; what they handed in, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from highstreet.kernel import ledger
from highstreet.kernel.policy import Actor, require
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.reads import in_language
from highstreet.supply.stores import reads as stores
from highstreet.trade.payments.rules import COURIER_CASH

from ..models import CashHandIn, Courier
from .people import me

LATEST = 30


@dataclass(frozen=True)
class HandInView:
    """One hand-in, in fen; `left` was still in hand after it."""

    id: UUID
    courier_id: UUID
    courier_name: str
    store_id: UUID
    store_zh: str
    store_en: str
    amount: int
    left: int
    currency: str
    at: datetime

    @property
    def store_name(self) -> str:
        return in_language(self.store_zh, self.store_en)


@dataclass(frozen=True)
class CashView:
    """A courier's cash: `in_hand` of at most `most` before no more orders with cash come; the latest hand-ins."""

    courier_id: UUID
    name: str
    in_hand: int
    most: int
    currency: str
    hand_ins: list[HandInView]

    @property
    def full(self) -> bool:
        return self.in_hand > self.most


@dataclass(frozen=True)
class TillView:
    """Who has cash to hand in at a store, the most first, and what was handed in there lately."""

    couriers: list[CashView]
    hand_ins: list[HandInView]


def my_cash(actor: Actor) -> CashView:
    """The actor's own."""
    own = me(actor)
    city, most = _terms(own.city_id)
    in_hand = ledger.balances([own.id], COURIER_CASH).get(own.id, 0)
    hand_ins = _views(CashHandIn.objects.filter(courier_id=own.id))
    return CashView(own.id, own.name, in_hand, most, city.currency, hand_ins)


def till(actor: Actor, store_id: UUID) -> TillView:
    """What a store's till may expect. NOT_FOUND for a store that the actor does not work in."""
    require(actor, "fulfilment.work")
    shop = stores.must_work_at(actor, store_id)
    rows = dict(Courier.objects.filter(city_id=shop.city_id).values_list("pk", "name"))
    city, most = _terms(shop.city_id)
    found = [
        CashView(courier_id, rows[courier_id], amount, most, city.currency, [])
        for courier_id, amount in ledger.balances(rows, COURIER_CASH).items()
        if amount > 0
    ]
    found.sort(key=lambda one: (-one.in_hand, one.name, one.courier_id))
    return TillView(found, _views(CashHandIn.objects.filter(store_id=store_id)))


def with_too_much(city_id: UUID, courier_ids: Iterable[UUID]) -> set[UUID]:
    """Those of a city's couriers who have more cash in hand than they may."""
    most = _terms(city_id)[1]
    return {one for one, amount in ledger.balances(courier_ids, COURIER_CASH).items() if amount > most}


def _terms(city_id: UUID) -> tuple[organisations.CityView, int]:
    city = organisations.city(city_id)
    return city, organisations.terms(city.retailer_id).courier_cash


def _views(rows: QuerySet[CashHandIn]) -> list[HandInView]:
    return [view_of(row) for row in rows.select_related("courier", "store").order_by("-at", "-id")[:LATEST]]


def view_of(row: CashHandIn) -> HandInView:
    return HandInView(
        row.pk,
        row.courier_id,
        row.courier.name,
        row.store_id,
        row.store.name_zh,
        row.store.name_en,
        row.amount,
        row.left,
        row.currency,
        row.at,
    )
