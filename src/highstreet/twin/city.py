"""`highstreet live`: a city's people on a running platform, through its public API only."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Coroutine
from contextlib import suppress
from random import Random
from typing import Any

import httpx

from highstreet.kernel import clock

from . import demand
from .client import Person, Refusal, pause
from .files import COURIERS, PASSWORD, POA, SHOPPERS, ZONE, read_files
from .shoppers import Shopper
from .workers import Rider, Store, Told

SHOWN_EVERY = 3600.0


def live(
    *, base_url: str, orders_a_day: int, seed: int, days: float, faults: bool = False, couriers: int = COURIERS
) -> int:
    """Live in the city at `base_url` until told to stop, or for `days` simulated days and until every order has ended.

    The first `couriers` come to work. Prints what happened as JSON. 1: an order was stuck or an error was met.
    """
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        return asyncio.run(City(base_url, orders_a_day, seed, days, faults, couriers).live())
    return 0


class City:
    def __init__(
        self, base_url: str, orders_a_day: int, seed: int, days: float, faults: bool = False, couriers: int = COURIERS
    ) -> None:
        self.base_url = base_url
        self.orders_a_day = orders_a_day
        self.days = days
        self.couriers = min(couriers, COURIERS)
        self.random = Random(seed)
        self.told = Told(habits=demand.FAULTS if faults else demand.Habits())
        files = read_files(POA)
        self.homes = [demand.Home(row.lat, row.lon, row.weight) for row in files.places if row.kind == "home"]
        # Pickers are named in the order of the stores' codes (twin.loader).
        self.store_rows = sorted(files.stores, key=lambda row: row.code)
        self.crew: list[asyncio.Task[None]] = []
        self.visits: set[asyncio.Task[str]] = set()

    async def live(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop)
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=60)
        async with httpx.AsyncClient(base_url=self.base_url, limits=limits, timeout=30.0) as http:
            self.http = http
            await self._staff()
            started = clock.now().timestamp()
            while not self.days or clock.now().timestamp() < started + self.days * 86_400:
                local = clock.now().astimezone(ZONE)
                hour = local.hour + local.minute / 60
                await pause(demand.next_gap(self.random, hour, self.orders_a_day))
                if demand.intensity(hour) > 0:
                    self._arrive()
            if self.visits:
                await asyncio.wait(self.visits, timeout=clock.real_seconds(self.told.habits.patience + 3600) + 60)
            for task in self.crew:
                task.cancel()
        print(json.dumps(dict(sorted(self.told.counts.items())), ensure_ascii=False, indent=1), flush=True)
        bad = [what for what in self.told.counts if what.startswith(("stuck", "error", "courier 5", "picker 5"))]
        return 1 if bad else 0

    def _stop(self) -> None:
        for task in asyncio.all_tasks():
            task.cancel()

    async def _staff(self) -> None:
        """Sign everybody in; stores and couriers begin their day."""
        reached = await self._all_stores()
        for index, row in enumerate(self.store_rows):
            person = await self._person("picker" if index == 0 else f"picker{index + 1}")
            store = Store(person, reached[row.code], Random(self.random.random()), self.told, place=index)
            self._keep(store.work())
        for index in range(self.couriers):
            person = await self._person("courier" if index == 0 else f"courier{index + 1}")
            base = self.store_rows[index % len(self.store_rows)]
            start = base.lat + self.random.gauss(0, 0.003), base.lon + self.random.gauss(0, 0.003)
            self._keep(Rider(person, start, Random(self.random.random()), self.told, reached[base.code]).work())

    async def _all_stores(self) -> dict[str, str]:
        """Store code -> public id, as the API tells it around each store."""
        visitor = Person(self.http)
        found: dict[str, str] = {}
        for row in self.store_rows:
            for store in await visitor.get("/cities/porto-alegre/stores", lat=row.lat, lon=row.lon):
                found[store["code"]] = store["id"]
        return found

    async def _person(self, username: str) -> Person:
        person = Person(self.http)
        await person.sign_in(username, PASSWORD)
        return person

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a worker for ever; what ends it is counted, and the work is not silently lost."""

        async def run() -> None:
            try:
                await work
            except (Refusal, httpx.HTTPError) as error:
                self.told.count(f"error worker {type(error).__name__} {error}"[:120])

        self.crew.append(asyncio.create_task(run()))

    def _arrive(self) -> None:
        random = Random(self.random.random())
        language = "en" if random.random() < 0.25 else "zh-hans"
        member = f"shopper{random.randint(2, SHOPPERS)}" if random.random() < 0.4 else ""

        async def visit() -> str:
            person = Person(self.http, language=language)
            if member:
                await person.sign_in(member, PASSWORD)
            return await Shopper(person, demand.where(random, self.homes), random, self.told, member).visit()

        task = asyncio.create_task(visit())
        self.visits.add(task)
        task.add_done_callback(self.visits.discard)
