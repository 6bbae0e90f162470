"""Many buyers, few units: everybody has a quote, everybody orders at once."""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import dataclass
from functools import partial

from . import shop
from .shop import Buyer, Shelf, Tally
from .stack import Stack


@dataclass(frozen=True)
class Race:
    """What came of it. `sold` is what the database says, `during` the audits while it ran."""

    buyers: int
    units: int
    seed: int
    accepted: int
    sold: int
    sold_out: int
    server_errors: int
    codes: dict[str, int]
    free: int
    during: list[int]
    after: int
    broken: list[str]
    seconds: float

    @property
    def exact(self) -> bool:
        """Every unit sold once, everybody else refused politely, the books in order all the time."""
        return (
            self.accepted == self.sold == self.units
            and self.sold_out == self.buyers - self.units
            and self.server_errors == 0
            and self.free == 0
            and not any(self.during)
            and self.after == 0
        )

    def __str__(self) -> str:
        return (
            f"N={self.buyers} units={self.units} seed={self.seed}: accepted={self.accepted} sold={self.sold} "
            f"sold_out={self.sold_out} 5xx={self.server_errors} free={self.free} "
            f"audits during={self.during} after={self.after} in {self.seconds:.1f} s {self.codes} {self.broken[:3]}"
        )


async def race(stack: Stack, *, buyers: int, units: int, seed: int, connections: int = shop.CONNECTIONS) -> Race:
    """`buyers` prepare one by one, then order from a barrier, in an order drawn from `seed`."""
    shelf = shop.only_shelf(stack, units)
    before = _sold(stack, shelf)
    async with shop.client(stack, connections=connections) as http:
        crowd = [Buyer(http, seed % 1000 * 10_000 + number) for number in range(buyers)]
        await shop.at_most(16, [partial(one.prepare, shelf.variant, store=shelf.store) for one in crowd])
        random.Random(seed).shuffle(crowd)
        barrier, tally = asyncio.Event(), Tally()

        async def order(buyer: Buyer) -> None:
            await barrier.wait()
            tally.add(await buyer.place())

        tasks = [asyncio.create_task(order(buyer)) for buyer in crowd]
        watch = asyncio.create_task(_watch(stack))
        await asyncio.sleep(0)
        started = time.monotonic()
        barrier.set()
        await asyncio.gather(*tasks)
        seconds = time.monotonic() - started
        watch.cancel()
        during = await watch
    verdict = stack.audit()
    free = stack.one("SELECT on_hand - held - allocated FROM inventory_stocklevel WHERE id = %s", shelf.level_id)
    return Race(
        buyers,
        units,
        seed,
        tally.accepted,
        _sold(stack, shelf) - before,
        tally.codes["409 sold_out"],
        tally.broken,
        dict(tally.codes),
        free,
        during,
        verdict.code,
        verdict.broken,
        seconds,
    )


async def _watch(stack: Stack) -> list[int]:
    """Audit again and again; the exit codes. Cancelling it lets the audit under way end."""
    codes: list[int] = []
    while True:
        audit = asyncio.ensure_future(asyncio.to_thread(stack.audit))
        try:
            codes.append((await asyncio.shield(audit)).code)
            await asyncio.sleep(1.0)
        except asyncio.CancelledError:
            codes.append((await audit).code)
            return codes


def _sold(stack: Stack, shelf: Shelf) -> int:
    """Units of the variant in orders that stand."""
    return int(
        stack.one(
            "SELECT COALESCE(SUM(l.quantity - l.refunded), 0)::int FROM orders_orderline l JOIN orders_order o "
            "ON o.id = l.order_id WHERE l.variant_id = %s AND o.status NOT IN ('cancelled', 'expired')",
            shelf.variant_id,
        )
    )


async def same_key(stack: Stack, *, times: int) -> tuple[Tally, int, set[str], str]:
    """One order sent `times` at once with one key; then once more with another body.

    Returns the answers, how many orders there are, the distinct bodies, and the answer to the other body.
    """
    shelf = shop.only_shelf(stack, 20)
    async with shop.client(stack) as http:
        buyer = Buyer(http, 1)
        await buyer.prepare(shelf.variant, store=shelf.store)
        tally = Tally()
        answers = await asyncio.gather(*(buyer.place() for _ in range(times)))
        for answer in answers:
            tally.add(answer)
        other = await buyer.place(note="another body")
    orders = stack.one(
        "SELECT count(*) FROM orders_order o JOIN orders_quote q ON q.id = o.quote_id "
        "JOIN cart_cart c ON c.id = q.cart_id WHERE c.key = %s",
        buyer.cart,
    )
    # Parsed: the database keeps JSON without the order of its names.
    bodies = {json.dumps(answer.json(), sort_keys=True) for answer in answers}
    return tally, int(orders), bodies, f"{other.status_code} {shop.problem_of(other)}"
