"""The simulated people who buy: guests and members, delivery and pickup, with second thoughts now and then."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from random import Random
from typing import Any

import httpx

from highstreet.kernel import clock

from . import demand
from .client import Person, Refusal, pause
from .files import ZONE
from .workers import Told

CITY = "porto-alegre"
WALLET = os.environ.get("HIGHSTREET_WALLET_URL", "")
FINISHED = ("completed", "cancelled", "expired")
# What a server says that has more to do than it can: come again. Nothing was begun.
BUSY = "busy"
NO_CASH = ("cash_limit", "no_cash_at_door")
WATCH_EVERY, WATCH_WALL = 60.0, 3.0


class Shopper:
    """One visit: look, fill a cart, take the quote, pay (or not), follow the order to its end."""

    def __init__(self, person: Person, home: tuple[float, float], random: Random, told: Told, name: str) -> None:
        self.person = person
        self.home = home
        self.random = random
        self.told = told
        self.name = name

    async def visit(self) -> str:
        """Returns how it ended: completed, cancelled, expired, left or refused."""
        try:
            ended = await self._visit()
        except Refusal as refusal:
            said_no = refusal.status < 500 or refusal.code == BUSY
            self.told.count(f"refused {refusal.code}" if said_no else f"error {refusal}")
            ended = "refused"
        except httpx.HTTPError as error:
            self.told.count(f"error {type(error).__name__}")
            ended = "error"
        self.told.count(f"visit {ended}")
        return ended

    async def _visit(self) -> str:
        lat, lon = self.home
        stores = [store for store in await self.person.get(f"/cities/{CITY}/stores", lat=lat, lon=lon) if store["open"]]
        if not stores:
            return "left"
        mode = "pickup" if self.random.random() < self.told.habits.pickup else "delivery"
        cart = await self._fill(stores[0]["id"])
        if cart is None:
            return "left"
        where = {"mode": mode, "lat": lat, "lon": lon}
        slot = await self._time(stores[0]["id"], where)
        quote = await self.person.post(
            "/quotes",
            {
                **where,
                "cart": cart["key"],
                "address": "Rua dos Andradas 100",
                "unit": f"{self.random.randint(1, 20)}0{self.random.randint(1, 4)}",
                "store": stores[0]["id"] if slot else "",
                "slot": slot,
            },
        )
        await pause(self.random.uniform(20, 90))
        wish = {
            "quote": quote["id"],
            "cart": cart["key"],
            "phone": f"139{self.random.randint(0, 99_999_999):08d}",
            "substitution": self.random.choices(["best", "ask", "refund"], weights=[70, 15, 15])[0],
            "note": "",
        }
        order, method = await self._order(wish, self._method(mode))
        self.told.count("ordered")
        until = max(clock.now(), datetime.fromisoformat(quote["promised_to"])).timestamp() + self.told.habits.patience
        if method == "wechat" and not await self._pay(order):
            return await self._follow(order, mode, until)
        if self.random.random() < self.told.habits.changes_mind:
            await pause(self.random.uniform(10, 60))
            try:
                await self.person.post(f"/orders/{order['id']}/cancel", {"reason": "changed_mind"}, key=order["key"])
            except Refusal:
                self.told.count("cancel came too late")
        return await self._follow(order, mode, until)

    def _method(self, mode: str) -> str:
        habits = self.told.habits
        if mode == "pickup":
            return "at_pickup" if self.random.random() < habits.pays_at_pickup else "wechat"
        return "at_door" if habits.pays_at_door and self.random.random() < habits.pays_at_door else "wechat"

    async def _order(self, wish: dict[str, Any], method: str) -> tuple[dict[str, Any], str]:
        """The order, and how it is paid: by phone after all where couriers take no cash, or not so much."""
        try:
            return await self.person.post("/orders", {**wish, "payment_method": method}), method
        except Refusal as refusal:
            if refusal.code not in NO_CASH:
                raise
            self.told.count(refusal.code)
        return await self.person.post("/orders", {**wish, "payment_method": "wechat"}), "wechat"

    async def _time(self, store: str, where: dict[str, Any]) -> str:
        """Now and then one of the next free windows of today; mostly as soon as possible."""
        if self.random.random() >= self.told.habits.chooses_time:
            return ""
        lat, lon = where["lat"], where["lon"]
        found = (await self.person.get(f"/stores/{store}/slots", mode=where["mode"], lat=lat, lon=lon))["items"]
        today = clock.now().astimezone(ZONE).date()
        free = [one["starts_at"] for one in found if one["free"]]
        free = [at for at in free if datetime.fromisoformat(at).astimezone(ZONE).date() == today]
        if not free:
            return ""
        self.told.count("chose a time")
        return str(self.random.choice(free[:3]))

    async def _fill(self, store: str) -> dict[str, Any] | None:
        """A cart of what a shelf shows, or None when nothing is free."""
        shelf = await self.person.get(f"/stores/{store}/shelf", limit=100)
        if shelf["next"] and self.random.random() < 0.5:
            shelf = await self.person.get(f"/stores/{store}/shelf", limit=100, cursor=shelf["next"])
        free = [item for item in shelf["items"] if item["free"] > 3]
        if not free:
            return None
        cart: dict[str, Any] = await self.person.post("/carts", {"city": CITY})
        self.person.headers["X-Cart-Key"] = cart["key"]
        for item in self.random.sample(free, min(len(free), demand.basket_size(self.random))):
            await pause(self.random.uniform(3, 15))
            quantity = demand.units(self.random)
            await self.person.put(f"/carts/{cart['key']}/lines/{item['variant']}", {"quantity": quantity})
        return cart

    async def _pay(self, order: dict[str, Any]) -> bool:
        """Confirm on the phone; a few people do not. False when nothing was paid."""
        await pause(self.random.uniform(5, 40))
        if self.random.random() < self.told.habits.does_not_pay:
            self.told.count("did not pay")
            return False
        try:
            intent = await self.person.post(f"/orders/{order['id']}/pay", {}, key=order["key"])
        except Refusal as refusal:
            self.told.count(f"pay {refusal.code}")
            return False
        _, _, code = intent["code_url"].partition("pr=")
        answer = await self.person.http.post(f"{WALLET}/wallet/native?pr={code}", data={"answer": "pay"})
        if answer.status_code < 400:
            return True
        self.told.count(f"wallet {answer.status_code}")
        return False

    async def _follow(self, order: dict[str, Any], mode: str, deadline: float) -> str:
        """Watch the order to its end; tell the courier the code, fetch the pickup, rate now and then."""
        fetched = False
        while clock.now().timestamp() < deadline:
            await asyncio.sleep(max(clock.real_seconds(WATCH_EVERY), WATCH_WALL))
            try:
                seen = await self.person.get(f"/orders/{order['id']}", key=order["key"])
            except Refusal as refusal:
                if refusal.code != BUSY:
                    raise
                continue
            if seen["proof_code"]:
                self.told.door[seen["number"]] = seen["proof_code"]
            if seen["status"] in FINISHED:
                self.told.door.pop(seen["number"], None)
                await self._rate(order, seen)
                return str(seen["status"])
            code = seen["pickup_code"]
            if mode == "pickup" and code and not fetched:
                fetched = True
                await pause(self.random.uniform(60, 900))
                self.told.counter[seen["store"]].put_nowait(
                    (code, seen["total"] if seen["payment_status"] == "unpaid" else 0)
                )
        self.told.count(f"stuck {order['number']}")
        return "stuck"

    async def _rate(self, order: dict[str, Any], seen: dict[str, Any]) -> None:
        if seen["status"] == "completed" and self.random.random() < self.told.habits.rates:
            stars = self.random.choices([5, 4, 3, 2, 1], weights=[60, 25, 8, 4, 3])[0]
            await self.person.post(f"/orders/{order['id']}/review", {"stars": stars, "text": ""}, key=order["key"])
            self.told.count("rated")
