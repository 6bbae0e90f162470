"""A flash sale: everybody wants one thing at once, and nobody who could have it is refused."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from django.db import connection, transaction

from highstreet.kernel import clock, holds, ids, scarcity
from highstreet.kernel.holds import Claim
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.kernel.refusal import Refused
from highstreet.kernel.transactions import anew, whole
from highstreet.supply.inventory import actions as inventory
from highstreet.supply.inventory.models import StockLevel
from highstreet.supply.inventory.refusals import SOLD_OUT
from highstreet.trade.orders.tests.support import Town
from tests.conftest import Add
from tests.support import crowd

SEED = 20261127


def flash(town: Town, on: bool, index: int = 0) -> None:
    inventory.set_flash(actor=THE_SYSTEM, store_id=town.stores[0], variant_id=town.variants[index], flash=on)


def hold(level: UUID, units: int = 1, *, confirmed: bool = False, group: UUID | None = None) -> UUID:
    group = group or ids.new_id()
    with transaction.atomic():
        holds.take(
            group, [Claim("units", level, units, "hot")], clock.now() + timedelta(minutes=10), confirmed=confirmed
        )
    return group


def sale(town: Town, units: int, buyers: int, hands: int, *, flagged: bool) -> tuple[float, Counter[str]]:
    """`buyers` for `units`, each in a transaction; accepted holds a second until the last buyer is told."""
    crowd.shelve(town, units)
    flash(town, flagged)
    level = town.level(0).id
    started = time.monotonic()
    results = crowd.at_once([partial(hold, level)] * buyers, hands=hands)
    return results["done"] / (time.monotonic() - started), results


@pytest.mark.parametrize(
    ("units", "hands"), [(30, 16), pytest.param(400, 32, marks=pytest.mark.long)], ids=["30", "400"]
)
def test_exactly_n_of_n_are_sold_to_ten_times_as_many(town: Town, row: Add, units: int, hands: int) -> None:
    _, results = sale(town, units, 10 * units, hands, flagged=True)
    row(
        "S8",
        "a flash sale, ten buyers a unit",
        n=10 * units,
        accepted=results["done"],
        refused=results["sold_out"],
        invariants=crowd.invariants(),
        seed="-",
        notes=f"{hands} connections",
    )
    assert results == {"done": units, "sold_out": 9 * units}
    assert town.level(0).free == 0
    assert crowd.broken() == []


@pytest.mark.parametrize("units", [300, pytest.param(3000, marks=pytest.mark.long)])
def test_how_fast_a_flash_sale_sells(town: Town, row: Add, units: int) -> None:
    """The last buyer is served too: there is a unit for each. Both ways, after each other, on the same machine."""
    rates = {}
    for flagged in (False, True):
        rates[flagged], results = sale(town, units, units, 8, flagged=flagged)
        assert results == {"done": units}
    row(
        "S8",
        "a flash sale's rate",
        n=2 * units,
        accepted=2 * units,
        refused=0,
        invariants=crowd.invariants(),
        seed="-",
        notes=f"{rates[True]:.0f} accepted holds/s in shares, {rates[False]:.0f} in one row; 8 connections",
    )
    assert crowd.broken() == []


@pytest.mark.parametrize("thinking", [0.05])
def test_slow_buyers_do_not_wait_for_each_other(town: Town, row: Add, thinking: float) -> None:
    """What shares are for: sixteen transactions that take `thinking` seconds after their hold."""
    rates = {}
    for flagged in (False, True):
        crowd.shelve(town, 64)
        flash(town, flagged)
        level = town.level(0).id
        started = time.monotonic()
        results = crowd.at_once([partial(slow, level, thinking)] * 64, hands=16)
        rates[flagged] = 64 / (time.monotonic() - started)
        assert results == {"done": 64}
    row(
        "S8",
        f"a flash sale whose buyers take {thinking * 1000:.0f} ms each to commit",
        n=128,
        accepted=128,
        refused=0,
        invariants=crowd.invariants(),
        seed="-",
        notes=f"{rates[True]:.0f} accepted holds/s in shares, {rates[False]:.0f} in one row; 16 connections",
    )
    assert crowd.broken() == []


def slow(level: UUID, thinking: float) -> None:
    with transaction.atomic():
        hold(level)
        time.sleep(thinking)


def test_nobody_is_refused_while_a_unit_is_there(town: Town, row: Add) -> None:
    """As many buyers as units, more than shares, each slow: who finds every share locked waits for one."""
    results = tail(town)
    row(
        "S8",
        "a flash sale's last units, slow buyers",
        n=24,
        accepted=results["done"],
        refused=results["sold_out"],
        invariants=crowd.invariants(),
        seed="-",
        notes="24 units for 24 buyers, 24 connections, 16 shares",
    )
    assert results == {"done": 24}
    assert town.level(0).free == 0
    assert crowd.broken() == []


def test_who_wants_two_things_on_sale_is_not_refused_either(town: Town) -> None:
    """A basket does not stand in one good's queue, where it would learn nothing of the other."""
    crowd.shelve(town, 24, 24)
    for index in (0, 1):
        flash(town, True, index)
    claims = [Claim("units", town.level(index).id, 1, "hot") for index in (0, 1)]

    def buy() -> None:
        with transaction.atomic():
            holds.take(ids.new_id(), claims, clock.now() + timedelta(minutes=10))
            time.sleep(0.05)

    assert crowd.at_once([partial(anew, buy)] * 24, hands=24) == {"done": 24}
    assert (town.level(0).free, town.level(1).free) == (0, 0)
    assert crowd.broken() == []


def test_buyers_who_only_skip_are_refused_falsely(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: SKIP LOCKED alone says "sold out" of what is merely locked."""

    def skip(thing: holds.Scarce, shares: holds.Shares, taking: holds.Taking, claims: list[Claim]) -> set[UUID]:
        seen = scarcity.look(thing, shares, [claim.resource for claim in claims])
        taken = holds._take_unlocked(thing, shares, taking, claims, seen)
        return {claim.resource for claim in claims} if taken else set()

    monkeypatch.setattr(holds, "_take_spread", skip)
    results = tail(town)
    assert results["sold_out"] > 0
    assert town.level(0).free > 0


def tail(town: Town) -> Counter[str]:
    crowd.shelve(town, 24)
    flash(town, True)
    return crowd.at_once([partial(slow, town.level(0).id, 0.1)] * 24, hands=24)


def test_shares_without_their_guard_oversell(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of the count: a share that is not asked what it has, and no CHECK behind it."""
    crowd.shelve(town, 20)
    flash(town, True)
    level = town.level(0).id
    share = scarcity._scarce["unit_shares"]
    monkeypatch.setitem(scarcity._scarce, "unit_shares", replace(share, free="1000000 + 0 * units"))
    with crowd.without("stock_share_never_oversold", "inventory_stockshare"):
        results = crowd.at_once([partial(hold, level)] * 60, hands=16)
        monkeypatch.undo()
        assert results["done"] > 20
        assert any("on_hand - held - allocated >= 0" in line for line in crowd.broken())
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE inventory_stockshare")


def test_a_claim_lives_in_a_share_as_in_a_row(town: Town) -> None:
    """Held, confirmed, released, expired, picked in part, put right, received; on, off and on with holds in flight."""
    crowd.shelve(town, 20)
    level = town.level(0).id
    before = hold(level, 3)
    flash(town, True)
    one, many = hold(level), hold(level, 5)
    assert state(town) == (20, 9, 0, 11)
    with transaction.atomic():
        assert holds.confirm(one)
        assert holds.release(before) == 1
    assert state(town) == (20, 5, 1, 14)
    flash(town, False)
    assert state(town) == (20, 5, 1, 14)
    with transaction.atomic():
        assert holds.confirm(many)
    # More than any share or the level itself has free, then more than there is.
    flash(town, True)
    all_of_it = hold(level, 14)
    with pytest.raises(Refused) as refused:
        hold(level)
    assert refused.value.reason.code == SOLD_OUT.code
    with transaction.atomic():
        holds.release(all_of_it, state="expired")
    assert issue(town, one, 1) == 1
    assert issue(town, many, 3) == 3
    assert state(town) == (16, 0, 0, 16)
    inventory.adjust(
        actor=THE_SYSTEM, store_id=town.stores[0], variant_id=town.variants[0], delta=-10, reason="stocktake"
    )
    inventory.receive(actor=THE_SYSTEM, store_id=town.stores[0], variant_id=town.variants[0], quantity=2)
    inventory.receive_all(actor=THE_SYSTEM, store_id=town.stores[0], quantities={town.variants[0]: 2})
    assert state(town) == (10, 0, 0, 10)
    with pytest.raises(Refused):
        inventory.adjust(
            actor=THE_SYSTEM, store_id=town.stores[0], variant_id=town.variants[0], delta=-11, reason="stocktake"
        )
    paid = hold(level, confirmed=True)
    flash(town, False)
    assert issue(town, paid, 1) == 1
    assert [hold(level, 4), hold(level, 5)]
    assert state(town) == (9, 9, 0, 0)
    row = StockLevel.objects.get(pk=level)
    assert (row.pooled, row.flash) == (0, False)
    assert crowd.broken() == []


def state(town: Town) -> tuple[int, int, int, int]:
    level = town.level(0)
    return level.on_hand, level.held, level.allocated, level.free


def issue(town: Town, group: UUID, units: int) -> int:
    return inventory.issue(
        actor=THE_SYSTEM,
        store_id=town.stores[0],
        variant_id=town.variants[0],
        quantity=units,
        group=group,
        cause=ids.new_id(),
    )


@pytest.mark.parametrize("seconds", [2.0, pytest.param(30.0, marks=pytest.mark.long)])
def test_two_flash_shelves_and_a_plain_one_for_everybody(town: Town, row: Add, seconds: float) -> None:
    """Baskets over three shelves, kept, picked or dropped, while sales begin and end and shelves are put right."""
    crowd.shelve(town, 60, 60, 60)
    levels = [town.level(index).id for index in range(3)]
    until = time.monotonic() + seconds
    done: Counter[str] = Counter()

    def basket(dice: random.Random) -> None:
        group = ids.new_id()
        wanted = dice.sample(range(3), dice.randint(1, 3))
        claims = [Claim("units", levels[index], dice.randint(1, 3), str(index)) for index in wanted]
        anew(lambda: holds.take(group, claims, clock.now() + timedelta(minutes=10)))
        with transaction.atomic():
            kept = dice.random() < 0.5 and holds.confirm(group)
        with transaction.atomic():
            if kept and dice.random() < 0.2:
                for index in sorted(wanted, key=lambda index: levels[index]):
                    inventory.issue(
                        actor=THE_SYSTEM,
                        store_id=town.stores[0],
                        variant_id=town.variants[index],
                        quantity=1,
                        group=group,
                        cause=group,
                    )
            else:
                holds.release(group)

    def manage(dice: random.Random) -> None:
        flash(town, dice.random() < 0.8, dice.choice([0, 1]))

    def put_right(dice: random.Random) -> None:
        where = {"store_id": town.stores[0], "variant_id": town.variants[dice.randrange(3)]}
        inventory.adjust(actor=THE_SYSTEM, **where, delta=dice.choice([-4, 3, 5]), reason="stocktake")

    def work(number: int) -> None:
        dice = random.Random(f"{SEED}/{number}")
        while time.monotonic() < until:
            verb = dice.choices([basket, manage, put_right], [10, 1, 2])[0]
            done[f"{verb.__name__} {crowd.outcome(partial(verb, dice))}"] += 1

    results = crowd.at_once([partial(work, number) for number in range(8)])
    accepted = sum(count for name, count in done.items() if name.endswith(" done"))
    row(
        "S8",
        f"baskets over two flash sales and a plain shelf for {seconds:.0f} s, sales begun and ended meanwhile",
        n=sum(done.values()),
        accepted=accepted,
        refused=sum(done.values()) - accepted,
        invariants=crowd.invariants(),
        seed=SEED,
        notes=f"{sum('deadlock' in name for name in done)} deadlocks",
    )
    assert results == {"done": 8}
    assert not crowd.errors(done), done
    assert set(done) >= {"basket done", "manage done", "put_right done"}
    assert crowd.broken() == []


def met(town: Town, take: Callable[[UUID, list[Claim]], None]) -> Counter[str]:
    """A basket of two shelves that waits for the second, where a flash sale is just beginning."""
    crowd.shelve(town, 20, 20)
    first, second = sorted(range(2), key=lambda index: town.level(index).id)
    claims = [Claim("units", town.level(index).id, 2, str(index)) for index in (first, second)]
    begun = threading.Event()

    def begin() -> None:
        with transaction.atomic():
            flash(town, True, second)
            begun.set()
            crowd.until_somebody_waits()

    def basket() -> None:
        assert begun.wait(10)
        take(ids.new_id(), claims)

    return crowd.at_once([begin, basket])


def take(group: UUID, claims: list[Claim]) -> None:
    holds.take(group, claims, clock.now() + timedelta(minutes=10))


def test_a_basket_that_meets_a_beginning_sale_gets_its_units(town: Town) -> None:
    assert met(town, lambda group, claims: anew(partial(take, group, claims))) == {"done": 2}
    assert [town.level(index).free for index in range(2)] == [18, 18]
    assert crowd.broken() == []


def test_a_basket_that_is_not_begun_anew_does_not(town: Town) -> None:
    """The negative control: the same transaction, tried once."""

    def once(group: UUID, claims: list[Claim]) -> None:
        with whole():
            take(group, claims)

    results = met(town, once)
    assert results["done"] == 1
    assert any("Again" in name for name in results), results
