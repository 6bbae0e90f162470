"""Which store serves: it has everything, it is open, and it promises best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from highstreet.kernel import clock, ids
from highstreet.kernel.refusal import Refused
from highstreet.supply.catalog import reads as catalog
from highstreet.supply.catalog.reads import Offered
from highstreet.supply.inventory.refusals import SOLD_OUT
from highstreet.supply.stores.reads import StoreView

from .. import rules
from ..ports import PromiseOffer, promises
from ..refusals import CLOSED, NO_CAPACITY, SLOT_GONE
from ..rules import Candidate
from ..rules import Offered as Promised


@dataclass(frozen=True)
class Point:
    """Where it goes; for a pickup without a place, None of both."""

    lat: float | None
    lon: float | None


@dataclass(frozen=True)
class Chosen:
    store: StoreView
    offer: PromiseOffer
    prices: dict[UUID, int]
    levels: dict[UUID, UUID]
    routing: list[dict[str, Any]]


def choose(
    lines: Sequence[tuple[UUID, int]],
    around: Sequence[StoreView],
    *,
    mode: str,
    point: Point,
    preferred: UUID | None,
    within: datetime | None = None,
    slot: datetime | None = None,
) -> Chosen:
    """The store of `around` that serves `lines` best, with its promise and prices; refuses with the reason.

    With `slot`, promises of the chosen window that begins then. With `within`, only promises that end by then count
    (a re-route), also of a chosen window whose cut-off is over.
    """
    now = clock.now()
    there = catalog.offered([store.id for store in around], [variant for variant, _ in lines])
    candidates = _candidates(lines, around, there, point, now)
    asked = rules.to_ask(candidates, preferred)
    if not asked:
        _refuse_sold_out(rules.nearest_to_whole(candidates))
    by_id = {store.id: store for store in around}
    wanted = dict(lines)
    found: dict[UUID, tuple[PromiseOffer, dict[UUID, int]]] = {}
    offers: list[Promised] = []
    routing: list[dict[str, Any]] = []
    for candidate in asked:
        store = by_id[candidate.store_id]
        prices = _prices(store.id, wanted, there)
        if prices.keys() != wanted.keys():
            routing.append({"store": str(store.id), "verdict": "not_listed"})
            continue
        offer = promises().offer(
            store=store,
            lat=store.lat if point.lat is None else point.lat,
            lon=store.lon if point.lon is None else point.lon,
            units=sum(wanted.values()),
            mode=mode,
            at=now,
            slot=slot,
            agreed=within is not None,
        )
        verdict = "no_promise" if offer is None else "can"
        if offer is not None and within is not None and offer.promised_to > within:
            verdict = "too_late"
        routing.append({"store": str(store.id), "verdict": verdict})
        if offer is not None and verdict == "can":
            found[store.id] = (offer, prices)
            offers.append(Promised(store.id, offer.promised_to, candidate.distance_m, bool(offer.reason_if_later)))
            if store.id == preferred and not offer.reason_if_later:
                break
    best = rules.best(offers, preferred)
    if best is None:
        if slot is not None:
            raise Refused(SLOT_GONE)
        _refuse_promise([by_id[candidate.store_id] for candidate in asked], now)
    offer, prices = found[best.store_id]
    levels = {variant: there[best.store_id, variant].level_id for variant in wanted}
    routing.append({"store": str(best.store_id), "verdict": "chosen"})
    return Chosen(by_id[best.store_id], offer, prices, levels, routing)


def _prices(store_id: UUID, wanted: Mapping[UUID, int], there: Mapping[tuple[UUID, UUID], Offered]) -> dict[UUID, int]:
    """The store's prices; what it does not list is left out."""
    asked = {variant: there[store_id, variant].price for variant in wanted}
    return {variant: price for variant, price in asked.items() if price is not None}


def _candidates(
    lines: Sequence[tuple[UUID, int]],
    around: Sequence[StoreView],
    there: Mapping[tuple[UUID, UUID], Offered],
    point: Point,
    now: datetime,
) -> list[Candidate]:
    def missing(store: StoreView, variant: UUID, quantity: int) -> bool:
        known = there.get((store.id, variant))
        return known is None or known.free < quantity

    return [
        Candidate(
            store.id,
            tuple(variant for variant, quantity in lines if missing(store, variant, quantity)),
            store.is_open(now),
            0.0 if point.lat is None or point.lon is None else store.distance_m(point.lat, point.lon),
        )
        for store in around
    ]


def _refuse_sold_out(nearest: Candidate | None) -> NoReturn:
    missing = nearest.missing if nearest else ()
    known = catalog.variants(missing)
    names = ", ".join(known[variant].name for variant in missing if variant in known)
    raise Refused(SOLD_OUT, name=names, variants=[ids.public("var", variant) for variant in missing])


def _refuse_promise(asked: list[StoreView], now: datetime) -> NoReturn:
    if any(store.is_open(now) for store in asked):
        raise Refused(NO_CAPACITY)
    first = min(asked, key=lambda store: store.opens_at(now))
    opens = first.opens_at(now).astimezone(first.zone)
    raise Refused(CLOSED, store=first.name, opens=f"{opens:%H:%M}")
