"""One shelf that everybody works on: web orders, the counter, the picker, the stocktake; and how fast it sells."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from highstreet.kernel import clock, holds, ids
from highstreet.kernel.holds import Claim
from highstreet.kernel.policy import NOBODY, THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.supply.inventory import actions as inventory
from highstreet.supply.inventory.models import StockLevel, StockMove
from highstreet.supply.inventory.refusals import NOT_ENOUGH
from highstreet.trade.fulfilment import actions as fulfilment
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.orders import actions
from highstreet.trade.orders.tests.support import PHONE, Town, pay
from tests.conftest import Add
from tests.support import crowd

SEED = 20261126
UNITS = 100
# I3 by itself, in one statement and so in one snapshot; its first column is what is wrong.
I3 = (
    "SELECT s.id FROM inventory_stocklevel s LEFT JOIN (SELECT level_id, SUM(delta) AS sum FROM inventory_stockmove "
    "GROUP BY level_id) m ON m.level_id = s.id WHERE s.on_hand <> COALESCE(m.sum, 0) "
    "OR s.on_hand - s.held - s.allocated < 0 OR s.held < 0 OR s.allocated < 0"
)


class Shelf:
    """What people do to the first variant of the first shop. Each verb is one thing that happens in life."""

    def __init__(self, town: Town, seed: int) -> None:
        self.town, self.dice = town, random.Random(seed)
        self.store, self.variant = town.stores[0], town.variants[0]
        self.done: Counter[str] = Counter()

    def verbs(self) -> list[tuple[str, Callable[[random.Random], Any]]]:
        return [
            ("pickup", partial(self.sell, "pickup")),
            ("delivery", partial(self.sell, "delivery")),
            ("counter", self.counter),
            ("stocktake", self.count),
            ("receipt", self.receive),
        ]

    def sell(self, mode: str, dice: random.Random) -> None:
        """An order; half of them are paid, then picked in part, the rest short, then packed or called off."""
        key = self.town.cart(dice.randint(1, 3))
        quote = self.town.quote(key, mode, store=self.store)
        if quote.store.id != self.store:
            return
        placed = actions.checkout(actor=NOBODY, quote_id=quote.id, cart_key=key, phone=PHONE)
        if dice.random() < 0.3:
            actions.cancel(actor=THE_SYSTEM, order_id=placed.order_id)
            return
        pay(placed)
        work = self.town.worker()
        box = fulfilments.of_order(placed.order_id)
        assert box is not None
        fulfilment.accept(actor=work, fulfilment_id=box.id)
        line = box.lines[0]
        if dice.random() < 0.5 and line.left > 1:
            fulfilment.mark_short(actor=work, line_id=line.id, units=1)
        box = fulfilments.of_order(placed.order_id)
        assert box is not None
        for _ in range(box.lines[0].left):
            fulfilment.scan(actor=work, fulfilment_id=box.id, code=line.barcode)
        if dice.random() < 0.2:
            actions.cancel(actor=THE_SYSTEM, order_id=placed.order_id)
        else:
            fulfilment.pack(actor=work, fulfilment_id=box.id)

    def counter(self, dice: random.Random) -> None:
        inventory.issue_free(
            actor=THE_SYSTEM,
            store_id=self.store,
            variant_id=self.variant,
            quantity=dice.randint(1, 2),
            cause=ids.new_id(),
        )

    def count(self, dice: random.Random) -> None:
        """A stocktake finds a little more or less than the books say."""
        delta = dice.choice([-3, -2, -1, 1, 2, 3])
        inventory.adjust(
            actor=THE_SYSTEM, store_id=self.store, variant_id=self.variant, delta=delta, reason="stocktake"
        )

    def receive(self, dice: random.Random) -> None:
        inventory.receive(
            actor=THE_SYSTEM, store_id=self.store, variant_id=self.variant, quantity=dice.randint(1, 4), reason="lorry"
        )

    def work(self, number: int, until: float) -> None:
        dice = random.Random(f"{SEED}/{number}")
        try:
            while time.monotonic() < until:
                name, verb = dice.choice(self.verbs())
                result = crowd.outcome(partial(verb, dice))
                self.done[result if ":" in result else f"{name} {result}"] += 1
        finally:
            connection.close()


def mixed(town: Town, seconds: float, people: int, reads: int) -> tuple[Shelf, list[int], float]:
    """`people` work for `seconds`, while I3 is read again and again, at least `reads` times in all."""
    shelf = Shelf(town, SEED)
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=shelf.work, args=(number, until)) for number in range(people)]
    for thread in threads:
        thread.start()
    wrong: list[int] = []
    with connection.cursor() as cursor:
        while time.monotonic() < until or len(wrong) < reads:
            cursor.execute(I3)
            wrong.append(len(cursor.fetchall()))
            time.sleep(seconds / reads / 4)
    for thread in threads:
        thread.join(60)
    return shelf, wrong, seconds


@pytest.mark.parametrize(("seconds", "reads"), [(3.0, 60), pytest.param(60.0, 500, marks=pytest.mark.long)])
def test_one_shelf_for_everybody(town: Town, row: Add, seconds: float, reads: int) -> None:
    crowd.shelve(town, UNITS)
    shelf, wrong, _ = mixed(town, seconds, 6, reads)
    done = sum(count for name, count in shelf.done.items() if name.endswith(" done"))
    row(
        "S7",
        f"pickup, delivery, counter, stocktake and lorry on {UNITS} units for {seconds:.0f} s",
        n=sum(shelf.done.values()),
        accepted=done,
        refused=sum(shelf.done.values()) - done,
        invariants=crowd.invariants(),
        seed=SEED,
        notes=f"I3 read {len(wrong)} times, broken {sum(map(bool, wrong))}",
    )
    assert crowd.errors(shelf.done) == {}, shelf.done
    assert {name.split()[0] for name in shelf.done if name.endswith(" done")} == {name for name, _ in shelf.verbs()}
    assert len(wrong) >= reads
    assert not any(wrong)
    assert crowd.broken() == []


def test_a_shelf_that_is_read_then_written_goes_wrong(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: moves that read on_hand, think, and write."""
    crowd.shelve(town, UNITS)
    monkeypatch.setattr(inventory, "_move", _read_then_write)
    _, wrong, _ = mixed(town, 1.5, 6, 30)
    assert any(wrong)


def _read_then_write(
    level: UUID, kind: str, delta: int, *, actor: Actor, cause: UUID | None = None, reason: str = ""
) -> int:
    row = StockLevel.objects.get(pk=level)
    after = row.on_hand + delta
    if after < row.held + row.allocated:
        raise Refused(NOT_ENOUGH, free=0)
    time.sleep(0.01)
    StockLevel.objects.filter(pk=level).update(on_hand=after)
    StockMove.objects.create(
        id=ids.new_id(),
        level_id=level,
        kind=kind,
        delta=delta,
        after=after,
        cause=cause,
        reason=reason,
        actor=actor.name,
        at=clock.now(),
    )
    return after


def _hold_one(level: UUID) -> None:
    with transaction.atomic():
        holds.take(ids.new_id(), [Claim("units", level, 1, "hot")], clock.now() + timedelta(minutes=10))


def test_the_hot_item_is_exact_at_full_speed(town: Town, row: Add) -> None:
    rate, results = _hot(town, 300, 250)
    _hot_row(row, rate, results, 300)
    assert results == {"done": 250, "sold_out": 50}
    assert crowd.broken() == []


@pytest.mark.long
def test_the_hot_item_sells_200_a_second(town: Town, row: Add) -> None:
    """Each hold in a transaction of its own, on one row, from eight connections."""
    rate, results = _hot(town, 4000, 3500)
    _hot_row(row, rate, results, 4000)
    assert results == {"done": 3500, "sold_out": 500}
    assert crowd.broken() == []
    assert rate >= 200


def _hot(town: Town, asked: int, units: int) -> tuple[float, Counter[str]]:
    crowd.shelve(town, units)
    level = town.level(0).id
    started = time.monotonic()
    results = crowd.at_once([partial(_hold_one, level)] * asked, hands=8)
    return results["done"] / (time.monotonic() - started), results


def _hot_row(row: Add, rate: float, results: Counter[str], asked: int) -> None:
    row(
        "S8",
        "one hot item, each hold in its own transaction",
        n=asked,
        accepted=results["done"],
        refused=results["sold_out"],
        invariants=crowd.invariants(),
        seed="-",
        notes=f"{rate:.0f} accepted holds/s",
    )
