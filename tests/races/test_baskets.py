"""Baskets that share their goods: nobody waits for ever, nothing is sold twice, what can be sold is sold."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from highstreet.kernel import clock, holds, ids
from highstreet.kernel.holds import Claim
from highstreet.kernel.models import Hold
from highstreet.kernel.policy import NOBODY
from highstreet.kernel.refusal import Refused
from highstreet.supply.inventory.models import StockLevel
from highstreet.supply.inventory.refusals import SOLD_OUT
from highstreet.trade.cart import actions as carts
from highstreet.trade.orders import actions
from highstreet.trade.orders.models import OrderLine
from highstreet.trade.orders.tests.support import PHONE, Town
from tests.conftest import Add
from tests.support import crowd

SEED = 20261126
ITEMS, CHOSEN = 5, 3


def shopper(town: Town, wanted: list[int]) -> Callable[[], None]:
    """Buys one each of `wanted`, put into the cart in that order; leaves out what is sold out, and tries again."""
    names = {f"Fruit {index}": index for index in range(ITEMS)} | {f"果{index}": index for index in range(ITEMS)}
    publics = {ids.public("var", variant): index for index, variant in enumerate(town.variants)}

    def buy() -> None:
        left = list(wanted)
        while left:
            key = carts.open(actor=NOBODY, city_id=town.city).key
            for index in left:
                carts.set_quantity(actor=NOBODY, cart_key=key, variant_id=town.variants[index], quantity=1)
            try:
                quote = town.quote(key, "pickup", store=town.stores[0])
                actions.checkout(actor=NOBODY, quote_id=quote.id, cart_key=key, phone=PHONE)
                return
            except Refused as refused:
                if refused.reason is not SOLD_OUT:
                    raise
                gone = [publics[one] for one in refused.facts.get("variants", ())] or [
                    index for name, index in names.items() if name in str(refused.facts["name"])
                ]
                left = [index for index in left if index not in gone]
        raise Refused(SOLD_OUT, name="everything")

    return buy


def drawn(buyers: int, seed: int) -> list[list[int]]:
    dice = random.Random(seed)
    return [dice.sample(range(ITEMS), CHOSEN) for _ in range(buyers)]


@pytest.mark.parametrize(
    ("buyers", "seed"),
    [(60, SEED), *[pytest.param(200, SEED + run, marks=pytest.mark.long) for run in range(5)]],
)
def test_shared_items_in_any_order(town: Town, row: Add, buyers: int, seed: int) -> None:
    baskets = drawn(buyers, seed)
    demand = Counter(index for basket in baskets for index in basket)
    stock = [buyers // 4, buyers // 2, buyers, buyers // 3, 1]
    crowd.shelve(town, *stock)
    results = crowd.at_once([shopper(town, basket) for basket in baskets])
    sold = [OrderLine.objects.filter(variant_id=variant).count() for variant in town.variants]
    row(
        "S2",
        f"{buyers} buyers, baskets of {CHOSEN} of {ITEMS} shared items in random order",
        n=buyers,
        accepted=results["done"],
        refused=results["sold_out"],
        invariants=crowd.invariants(),
        seed=seed,
        notes=f"deadlocks surfaced {len(crowd.errors(results))}, sold {sold}",
    )
    assert crowd.errors(results) == {}
    assert sold == [min(demand[index], stock[index]) for index in range(ITEMS)]
    assert crowd.broken() == []


def test_locks_in_the_baskets_order_end_in_a_deadlock(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: claims taken in the order of the basket, and two baskets that differ in it."""
    monkeypatch.setattr(holds, "take", _in_the_baskets_order)
    results = crowd.at_once([shopper(town, basket) for basket in ([0, 1, 2], [2, 1, 0])])
    assert any("deadlock" in name for name in crowd.errors(results)), results


def _in_the_baskets_order(
    group: UUID, claims: Iterable[Claim], expires_at: datetime, *, confirmed: bool = False
) -> None:
    column = "allocated" if confirmed else "held"
    for claim in claims:
        _hold(group, claim, expires_at, "confirmed" if confirmed else "held")
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE inventory_stocklevel SET {column} = {column} + %s "  # noqa: S608
                "WHERE id = %s AND on_hand - held - allocated >= %s",
                [claim.quantity, claim.resource, claim.quantity],
            )
        time.sleep(0.2)


def _hold(group: UUID, claim: Claim, expires_at: datetime, state: str) -> None:
    Hold.objects.create(
        id=ids.new_id(),
        group=group,
        kind=claim.kind,
        resource=claim.resource,
        quantity=claim.quantity,
        state=state,
        at=clock.now(),
        expires_at=expires_at,
    )


def _baskets(levels: list[UUID], count: int, seed: int) -> list[list[Claim]]:
    """Baskets of 2 to 5 lines of which at least two are on one shelf."""
    dice = random.Random(seed)
    made = []
    for _ in range(count):
        shared = dice.choice(levels)
        lines = [shared, shared, *dice.choices(levels, k=dice.randint(0, 3))]
        dice.shuffle(lines)
        made.append([Claim("units", level, dice.randint(1, 4), "fruit") for level in lines])
    return made


def _take_and_keep(take: Callable[..., None], basket: list[Claim]) -> None:
    with transaction.atomic():
        take(ids.new_id(), basket, clock.now() + timedelta(minutes=10))


@pytest.mark.parametrize("count", [150, pytest.param(1000, marks=pytest.mark.long)])
def test_two_lines_on_one_shelf(town: Town, row: Add, count: int) -> None:
    """Claims of one basket on one shelf are added up, whatever their order; at the end less than any basket is left."""
    crowd.shelve(town, *[count] * ITEMS)
    levels = [town.level(index).id for index in range(ITEMS)]
    baskets = _baskets(levels, count, SEED)
    results = crowd.at_once([partial(_take_and_keep, holds.take, basket) for basket in baskets], hands=16)
    free = _free(levels)
    row(
        "S3",
        "two lines of one basket on one shelf",
        n=count,
        accepted=results["done"],
        refused=results["sold_out"],
        invariants=crowd.invariants(),
        seed=SEED,
        notes=f"free at the end {sorted(free.values())}, oversold 0",
    )
    assert crowd.errors(results) == {}
    assert results["done"] and results["sold_out"]
    assert min(free.values()) >= 0
    assert crowd.broken() == []
    # Refused for a reason: each basket's shelf really lacked the sum.
    for basket in baskets:
        needs: Counter[UUID] = Counter()
        for claim in basket:
            needs[claim.resource] += claim.quantity
        if all(free[level] >= units for level, units in needs.items()):
            with transaction.atomic():
                holds.take(ids.new_id(), basket, clock.now() + timedelta(minutes=10))
            free = _free(levels)


def test_lines_that_are_checked_one_by_one_oversell(town: Town) -> None:
    """The negative control: every line looks at what was free before the basket."""
    crowd.shelve(town, *[100] * ITEMS)
    levels = [town.level(index).id for index in range(ITEMS)]
    with crowd.without("stock_never_oversold", "inventory_stocklevel"):
        works: list[Callable[[], Any]] = [
            partial(_take_and_keep, _line_by_line, basket) for basket in _baskets(levels, 200, SEED)
        ]
        crowd.at_once(works, hands=1)
        oversold = min(_free(levels).values()) < 0
        StockLevel.objects.update(held=0)
    assert oversold


def _line_by_line(group: UUID, claims: list[Claim], expires_at: datetime) -> None:
    free = _free([claim.resource for claim in claims])
    if any(free[claim.resource] < claim.quantity for claim in claims):
        raise Refused(SOLD_OUT, name="fruit")
    for claim in claims:
        StockLevel.objects.filter(pk=claim.resource).update(held=_plus(claim.quantity))


def _plus(units: int) -> Any:
    from django.db.models import F

    return F("held") + units


def _free(levels: Iterable[UUID]) -> dict[UUID, int]:
    return {
        level.pk: level.on_hand - level.held - level.allocated for level in StockLevel.objects.filter(pk__in=levels)
    }
