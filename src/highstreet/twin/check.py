"""`highstreet demo --check`: an order paid by phone and one paid at the door, from the shelf to the doorstep
and the cash into the till, through the public API; then the audit."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import replace
from random import Random

import httpx

from highstreet.supply.organisations.reads import default_city

from .client import Person
from .demand import PLAIN
from .files import PASSWORD
from .shoppers import Shopper
from .workers import Rider, Store, Told

# An order takes some twenty minutes of the city: at eight times that is two and a half, for each of the two.
SECONDS = 900


def first_order(base_url: str, say: Callable[[str], None]) -> int:
    """Order, pay, pick, pack, bring, hand in, audit. Returns the exit code."""
    from highstreet.kernel import audit

    city = default_city()
    # The ORM is not for coroutines: what is needed of it is read before they start.
    told = asyncio.run(_order(base_url, (city.centre_lat, city.centre_lon), say))
    say(json.dumps(told.counts))
    broken = [finding for finding in audit.run() if finding.broken]
    for finding in broken:
        say(f"{finding.check} broken: {finding.says}: {finding.broken[:3]}")
    done = told.counts.get("visit completed", 0) == 2 and told.counts.get("handed in", 0) == 1 and not broken
    say("the orders reached the doorstep, the cash the till, and the books balance" if done else "FAILED")
    return 0 if done else 1


async def _order(base_url: str, home: tuple[float, float], say: Callable[[str], None]) -> Told:
    told = Told(habits=PLAIN)
    random = Random(1)
    async with httpx.AsyncClient(base_url=base_url, timeout=30.0) as http:
        visitor = Person(http)
        stores = await visitor.get("/cities/porto-alegre/stores", lat=home[0], lon=home[1])
        crew = []
        for number in range(8):
            picker = Person(http)
            await picker.sign_in("picker" if number == 0 else f"picker{number + 1}", PASSWORD)
            own = {topic.removeprefix("store:") for topic in (await picker.get("/streams"))["topics"]}
            for store in stores:
                if _uuid(store["id"]) in own:
                    crew.append(asyncio.create_task(Store(picker, store["id"], random, told).work()))
        courier = Person(http)
        await courier.sign_in("courier", PASSWORD)
        crew.append(asyncio.create_task(Rider(courier, home, random, told, stores[0]["id"]).work()))
        say("the shop and the courier are at work; two customers order, one after the other")
        await asyncio.sleep(float(os.environ.get("HIGHSTREET_CHECK_WAIT", "1")))
        at_door = replace(told, habits=replace(PLAIN, pays_at_door=1))
        shoppers = [Shopper(Person(http), home, random, one, "") for one in (told, at_door)]
        visit = asyncio.create_task(_visit(shoppers, told))
        # Whoever of the crew stops working says why at once: the order would wait for them in vain.
        done, _ = await asyncio.wait([visit, *crew], timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {visit}:
            task.result()
        for task in (visit, *crew):
            task.cancel()
        await asyncio.gather(visit, *crew, return_exceptions=True)
        say(f"the orders ended as {visit.result()}" if visit in done else f"no end after {SECONDS} s")
    return told


async def _visit(shoppers: list[Shopper], told: Told) -> list[str]:
    """Each shopper's order to its end, as one courier brings no two at once; then the cash on its way to the till."""
    ended = [await shopper.visit() for shopper in shoppers]
    while told.counts.get("paid at the door") and not told.counts.get("handed in"):
        await asyncio.sleep(0.5)
    return ended


def _uuid(public: str) -> str:
    from highstreet.kernel import ids

    return str(ids.private("str", public))
