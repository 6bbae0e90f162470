"""The simulated people who work: pickers at their stores, couriers on the streets."""

from __future__ import annotations

import asyncio
import itertools
import math
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

import httpx

from highstreet.kernel import clock

from .client import Person, Refusal, pause
from .demand import Habits, Spell, intensity
from .files import ZONE

# One transparent pixel, as a photo of a doorstep when nobody told the courier the code.
PHOTO = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)
LOOK_EVERY = 20.0
LOOK_WALL, BLIND_LOOK_WALL = 5.0, 0.4
POSITION_EVERY, POSITION_WALL = 20.0, 1.0
GONE_FOR = 3 * 3600.0
RIDE_M_S = 5.4
SIGNED_OUT = 401


@dataclass
class Told:
    """What people tell each other outside the platform: the code at the door, the code at the counter, and how
    much cash which courier has for the till."""

    door: dict[str, str] = field(default_factory=dict)
    counter: dict[str, asyncio.Queue[tuple[str, int]]] = field(default_factory=dict)
    till: dict[str, asyncio.Queue[tuple[str, int]]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    habits: Habits = field(default_factory=Habits)

    def count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


class Ear:
    """A person's event stream. While it is open there is no need to ask again and again."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.called = asyncio.Event()
        self.open = False

    async def wait(self) -> None:
        """Until something happened, or it is time to look anyway."""
        least = LOOK_WALL if self.open else BLIND_LOOK_WALL
        with suppress(TimeoutError):
            await asyncio.wait_for(self.called.wait(), max(clock.real_seconds(LOOK_EVERY), least))
        self.called.clear()

    async def listen(self) -> None:
        """Follow the stream for ever; a lost one is opened again, and what was missed is looked at."""
        while True:
            try:
                url = (await self.person.get("/streams"))["url"]
                if not url.startswith("http"):
                    return
                async with self.person.http.stream("GET", url, timeout=None) as stream:
                    self.open = stream.status_code == 200
                    self.called.set()
                    async for line in stream.aiter_lines():
                        if line.startswith("data:") and '"name":"position"' not in line:
                            self.called.set()
            except (httpx.TransportError, Refusal):
                pass
            self.open = False
            await asyncio.sleep(1.0)


def is_later(card: dict[str, Any]) -> bool:
    """Whether the store should not begin with it yet."""
    return bool(card["start_at"]) and datetime.fromisoformat(card["start_at"]) > clock.now()


class Store:
    """A store's pickers: accept, pick with a scanner, pack, and serve the counter."""

    def __init__(
        self, person: Person, store: str, random: Random, told: Told, *, hands: int = 4, place: int = -1
    ) -> None:
        self.person = person
        self.store = store
        self.random = random
        self.told = told
        self.ear = Ear(person)
        self.hands = asyncio.Semaphore(hands)
        self.place = place
        self.busy: set[str] = set()
        self.left_lying: set[str] = set()
        self.tasks: set[asyncio.Task[None]] = set()

    async def work(self) -> None:
        listening = asyncio.create_task(self.ear.listen())
        counter = asyncio.create_task(self.serve_counter())
        till = asyncio.create_task(self.serve_till())
        try:
            while True:
                queue = await self.person.get("/store/queue", store=self.store)
                for card in queue["items"]:
                    if card["id"] not in self.busy and self.has_to_do(card):
                        self.busy.add(card["id"])
                        task = asyncio.create_task(self.fulfil(card))
                        self.tasks.add(task)
                        task.add_done_callback(self.tasks.discard)
                await self.ear.wait()
        finally:
            listening.cancel()
            counter.cancel()
            till.cancel()

    def has_to_do(self, card: dict[str, Any]) -> bool:
        """Accept what is new; pick it when it is time to begin."""
        if card["id"] in self.left_lying or (card["status"] == "pending" and self.now(self.told.habits.silent)):
            return False
        return card["status"] in ("pending", "picking") or (card["status"] == "accepted" and not is_later(card))

    async def fulfil(self, card: dict[str, Any]) -> None:
        """One order from the queue to the shelf of ready bags."""
        path = f"/fulfilments/{card['id']}"
        try:
            async with self.hands:
                await pause(self.random.uniform(5, 30))
                if card["status"] == "pending":
                    shut = self.now(self.told.habits.shut)
                    if shut or self.random.random() < self.told.habits.store_rejects:
                        await self.person.post(f"{path}/reject", {"reason": "too_busy"})
                        self.told.count("shut" if shut else "rejected")
                        return
                    await self.person.post(f"{path}/accept")
                    if self.now(self.told.habits.packs_nothing):
                        self.left_lying.add(card["id"])
                        self.told.count("left lying")
                        return
                if is_later(card):
                    return
                if card["status"] != "picking":
                    await self.person.post(f"{path}/start")
                await self.pick(path)
                await self.person.post(f"{path}/pack")
                self.told.count("packed")
        except Refusal as refusal:
            if refusal.status >= 500 or refusal.code not in ("wrong_state", "not_found", "lines_open"):
                self.told.count(f"picker {refusal}")
        finally:
            self.busy.discard(card["id"])

    def now(self, spells: tuple[Spell, ...]) -> bool:
        """Whether one of them is this shop's, and lasts."""
        local = clock.now().astimezone(ZONE)
        return any(spell.lasts(self.place, local.hour + local.minute / 60) for spell in spells)

    async def pick(self, path: str) -> None:
        detail = await self.person.get(path)
        for line in detail["lines"]:
            for _ in range(line["left"]):
                await pause(self.random.uniform(8, 22))
                if self.random.random() < self.told.habits.shelf_is_short:
                    await self.person.post(f"{path}/short", {"line": line["id"], "units": 1})
                    self.told.count("short")
                else:
                    await self.person.post(f"{path}/scan", {"code": line["barcode"]})

    async def serve_counter(self) -> None:
        """Customers come with their pickup code."""
        queue = self.told.counter.setdefault(self.store, asyncio.Queue())
        while True:
            code, due = await queue.get()
            body = {"store": self.store, "code": code, "cash_received": due}
            try:
                await self.person.post("/store/collect", body)
                self.told.count("collected")
            except Refusal as refusal:
                self.told.count(f"counter {refusal.code}")

    async def serve_till(self) -> None:
        """Couriers come with cash."""
        queue = self.told.till.setdefault(self.store, asyncio.Queue())
        while True:
            courier, amount = await queue.get()
            try:
                await self.person.post(f"/stores/{self.store}/cash", {"courier": courier, "amount": amount})
                self.told.count("handed in")
            except Refusal as refusal:
                self.told.count(f"till {refusal.code}")


class Rider:
    """A courier on shift: rides along the given path, does the next step of each stop. `base` is the store that
    gets the cash when nothing is picked up any more."""

    def __init__(self, person: Person, start: tuple[float, float], random: Random, told: Told, base: str) -> None:
        self.person = person
        self.at = self.home = start
        self.base = base
        self.cash = 0
        self.random = random
        self.told = told
        self.pace = random.uniform(0.9, 1.15)
        self.mute = random.random() < told.habits.tells_no_place
        self.placed = False
        self.kept: set[str] = set()
        self.ear = Ear(person)

    async def work(self) -> None:
        """Until signed out for good; who vanishes comes back hours later and begins a new shift."""
        try:
            while True:
                await self.person.post("/courier/shift")
                await self.report()
                self.told.count(await self.serve())
                await pause(GONE_FOR)
        except Refusal as refusal:
            if refusal.status != SIGNED_OUT:
                raise
            self.told.count("switched off")

    async def serve(self) -> str:
        """One shift, until this courier vanishes. Returns how, as it is counted."""
        listening = asyncio.create_task(self.ear.listen())
        try:
            while True:
                tasks = await self.person.get("/courier/tasks", path=True)
                tasks["stops"] = self.to_do(tasks["stops"])
                if not tasks["stops"]:
                    if self.has_to_hand_in(free=True):
                        await self.ride(self.home, [])
                        await self.hand_in(self.base)
                    await self.idle(tasks["wait"])
                    continue
                carries = self.carries(tasks)
                share = self.told.habits.vanishes if carries else self.told.habits.leaves
                if share and self.random.random() < share:
                    return "vanished" if carries else "left"
                try:
                    await self.do(tasks)
                except Refusal as refusal:
                    if refusal.status == SIGNED_OUT:
                        raise
                    if refusal.status >= 500 or refusal.code not in (
                        "wrong_state",
                        "not_found",
                        "not_ready",
                        "cash_changed",
                    ):
                        self.told.count(f"courier {refusal}")
                    await pause(5)
        finally:
            listening.cancel()

    def to_do(self, stops: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The stops without the goods that this courier keeps."""
        left = [{**stop, "jobs": [job for job in stop["jobs"] if job["id"] not in self.kept]} for stop in stops]
        return [stop for stop in left if stop["jobs"]]

    async def do(self, tasks: dict[str, Any]) -> None:
        """Accept what is new, then ride to the first stop and do what is due there."""
        for stop in tasks["stops"]:
            for job in stop["jobs"]:
                if job["step"] == "accept":
                    await pause(self.random.uniform(3, 15))
                    await self.person.post(f"/deliveries/{job['id']}/accept")
                    return
        stop = tasks["stops"][0]
        target = (stop["lat"], stop["lon"])
        if metres(self.at, target) > 25:
            await self.ride(target, [tuple(point) for point in tasks["path"]])
        waiting = False
        for job in stop["jobs"]:
            waiting |= not await self.step(job)
        if stop["kind"] == "pickup" and self.has_to_hand_in():
            await self.hand_in(stop["store"])
        if waiting:
            await self.idle()

    def has_to_hand_in(self, free: bool = False) -> bool:
        """Whether it is too much to ride about with; for who is `free` when the day is over, whether there is any."""
        local = clock.now().astimezone(ZONE)
        over = free and intensity(local.hour + local.minute / 60) == 0.0
        return self.cash > (0 if over else self.told.habits.hands_in_above)

    async def hand_in(self, store: str) -> None:
        """All the cash that the platform knows of, to who stands at the store's till."""
        cash, me = await self.person.get("/courier/cash"), await self.person.get("/courier/me")
        if cash["in_hand"]:
            self.told.till.setdefault(store, asyncio.Queue()).put_nowait((me["id"], cash["in_hand"]))
        self.cash = 0

    def carries(self, tasks: dict[str, Any]) -> bool:
        return any(job["step"] in ("arrive_door", "deliver") for stop in tasks["stops"] for job in stop["jobs"])

    async def idle(self, place: dict[str, Any] | None = None) -> None:
        """Wait for something to do, on the way to where it pays to wait; the phone goes on telling where it is."""
        since = clock.now()
        await self.ear.wait()
        if place is not None:
            self.come_nearer((place["lat"], place["lon"]), (clock.now() - since).total_seconds())
        await self.report()

    def come_nearer(self, place: tuple[float, float], seconds: float) -> None:
        """Ride towards a place for so long, as the crow flies."""
        away = metres(self.at, place)
        share = min(RIDE_M_S * self.pace * seconds / away, 1.0) if away > 100 else 0.0
        self.at = (self.at[0] + share * (place[0] - self.at[0]), self.at[1] + share * (place[1] - self.at[1]))

    async def step(self, job: dict[str, Any]) -> bool:
        """Do the job's next step. False when the store is not ready."""
        path = f"/deliveries/{job['id']}"
        match job["step"]:
            case "arrive_store":
                await self.person.post(f"{path}/arrive_store")
            case "pick_up":
                if not job["ready"]:
                    return False
                await pause(self.random.uniform(20, 60))
                await self.person.post(f"{path}/pick_up", {"code": ""})
            case "arrive_door":
                await self.person.post(f"{path}/arrive_door")
            case "deliver":
                await pause(self.random.uniform(40, 120))
                await self.hand_over(job)
            case "give_back":
                await self.person.post(f"{path}/give_back")
        return True

    async def hand_over(self, job: dict[str, Any]) -> None:
        path, habits = f"/deliveries/{job['id']}", self.told.habits
        if self.random.random() < habits.nobody_home:
            await self.person.post(f"{path}/incident", {"kind": "nobody_home"})
            self.told.count("nobody home")
            if habits.keeps_goods and self.random.random() < habits.keeps_goods:
                self.kept.add(job["id"])
                self.told.count("kept goods")
            return
        if job["cash"] and self.random.random() < habits.not_paid:
            await self.person.post(f"{path}/incident", {"kind": "not_paid"})
            self.told.count("not paid")
            return
        code = self.told.door.get(job["order_number"])
        proof = {"proof_kind": "code", "proof": code} if code else {"proof_kind": "photo", "proof": PHOTO}
        await self.person.post(f"{path}/deliver", {**proof, "cash": job["cash"]})
        self.told.count("delivered")
        if job["cash"]:
            self.cash += job["cash"]
            self.told.count("paid at the door")

    async def ride(self, target: tuple[float, float], points: list[Any]) -> None:
        """Along the path to the target, telling the position now and then."""
        way = [self.at]
        for point in points:
            way.append(point)
            if metres(point, target) < 30:
                break
        else:
            way = [self.at]
        way.append(target)
        since = 0.0
        for before, after in itertools.pairwise(way):
            seconds = metres(before, after) / (RIDE_M_S * self.pace)
            await pause(seconds)
            since += seconds
            self.at = after
            if since >= max(POSITION_EVERY, POSITION_WALL * clock.speed()):
                since = 0.0
                await self.report()
        await self.report()

    async def report(self) -> None:
        if self.mute and self.placed:
            return
        if self.mute:
            self.told.count("tells no place")
        self.placed = True
        await self.person.put("/courier/position", {"lat": self.at[0], "lon": self.at[1]})


def metres(a: Any, b: Any) -> float:
    """Flat-earth metres, good for a city."""
    scale = math.cos(math.radians(a[0]))
    return 111_195 * math.hypot(b[0] - a[0], (b[1] - a[1]) * scale)
