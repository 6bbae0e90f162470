"""The platform as a town for browsers: the real processes, streets, live streams, and people to be."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx
from psycopg import sql

from highstreet.kernel import ids
from tests.support import databases
from tests.support.loops import run
from tests.support.stack import Stack, _free_port

CITY = "porto-alegre"
# A flat's door a few hundred metres from the public market, on a street of the demo map.
DOOR = "Rua dos Andradas 1001"
LAT, LON = -30.0306, -51.2315
PASSWORD = "demo"
COURIERS = ("courier", "courier2", "courier3", "courier4", "courier5", "courier6", "courier7", "courier8")


@dataclass(frozen=True)
class Placed:
    """An order as its customer knows it."""

    id: str
    key: str
    number: str
    store: str


class Town(Stack):
    """`Stack` with dispatch, event streams and the city's streets; and `away`, a web server without its database."""

    def __init__(self) -> None:
        super().__init__(run=("sandbox", "streams", "web", "worker"))
        self.secrets: dict[str, str] = {}

    def _start(self) -> None:
        super()._start()
        # Couriers first: the dispatcher opens capacity by who is on shift when it starts.
        run(self._shifts())
        self.launch("dispatch")
        self.launch("away")
        self.wait_for("away")
        self.eventually("SELECT count(*) > 0 FROM promise_capacityslot WHERE capacity > 0", True)

    async def _shifts(self) -> None:
        async with httpx.AsyncClient(base_url=f"{self.url}/api/v1", timeout=30.0, trust_env=False) as http:
            for username in COURIERS:
                call = _Caller(http)
                session = await call.send("POST", "/sessions", {"username": username, "password": PASSWORD})
                call.headers["Authorization"] = f"Bearer {session['token']}"
                await call.send("POST", "/courier/shift", None)
                await call.send("PUT", "/courier/position", {"lat": LAT, "lon": LON})

    def _environment(self) -> dict[str, str]:
        self.stream_port = _free_port()
        self.ports["away"] = _free_port()
        self.away = self.url_of("away")
        self.streams = f"http://127.0.0.1:{self.stream_port}"
        return {**super()._environment(), "HIGHSTREET_STREAM_URL": self.streams, "HIGHSTREET_SMTP": "127.0.0.1"}

    def _command(self, name: str) -> list[str]:
        if name == "streams":
            return [sys.executable, "-m", "highstreet", "streams", "--port", str(self.stream_port)]
        if name == "away":
            nothing = "DATABASE_URL=postgresql://127.0.0.1:1/nothing"
            return ["env", nothing, sys.executable, "-m", "highstreet", "web", "--port", str(self.ports["away"])]
        return super()._command(name)

    def _health(self, name: str) -> str:
        return f"{self.away}/livez" if name == "away" else super()._health(name)

    def launch(self, name: str) -> None:
        if not self.processes:
            self._lay_streets()
        super().launch(name)

    def _lay_streets(self) -> None:
        self._run("tests.journeys.streets")

    def guard(self, username: str) -> None:
        """Give somebody a second factor; `secrets` has what their app knows."""
        self.secrets[username] = self._run("tests.journeys.enrol", username).strip()

    def _run(self, *module: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *module],
            env=self.environment,
            cwd=databases.ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise AssertionError(done.stderr[-3000:])
        return done.stdout

    # -- what people do without a browser, by the public API ---------------------------------------------

    def order(
        self, *, kinds: int = 2, mode: str = "delivery", method: str = "wechat", store: str = "", pay: bool = True
    ) -> Placed:
        """Place an order of `kinds` single units and pay it."""
        return run(self._order(kinds, mode, method, store, pay))

    async def _order(self, kinds: int, mode: str, method: str, store: str, pay: bool) -> Placed:
        async with httpx.AsyncClient(base_url=f"{self.url}/api/v1", timeout=30.0, trust_env=False) as http:
            call = _Caller(http)
            stores = await call.get(f"/cities/{CITY}/stores", lat=LAT, lon=LON)
            chosen = store or next(one["id"] for one in stores if one["open"])
            shelf = await call.get(f"/stores/{chosen}/shelf", limit=100)
            cart = await call.send("POST", "/carts", {"city": CITY})
            call.headers["X-Cart-Key"] = cart["key"]
            for item in [item for item in shelf["items"] if item["free"] > 2][:kinds]:
                await call.send("PUT", f"/carts/{cart['key']}/lines/{item['variant']}", {"quantity": 1})
            wish = {"cart": cart["key"], "mode": mode, "lat": LAT, "lon": LON, "store": chosen}
            door = {"address": DOOR, "unit": "302"} if mode == "delivery" else {}
            quote = await call.send("POST", "/quotes", wish | door)
            placed = await call.send(
                "POST",
                "/orders",
                {
                    "quote": quote["id"],
                    "cart": cart["key"],
                    "phone": "13900001234",
                    "payment_method": method,
                    "substitution": "best",
                    "note": "",
                },
            )
            if method == "wechat" and pay:
                await self._pay(call, placed)
            return Placed(placed["id"], placed["key"], placed["number"], quote["store"])

    async def _pay(self, call: _Caller, placed: dict[str, Any]) -> None:
        told = await call.send("POST", f"/orders/{placed['id']}/pay?key={placed['key']}", {})
        code = parse_qs(urlsplit(told["code_url"]).query)["pr"][0]
        await call.http.post(f"{self.wallet}/wallet/native", params={"pr": code}, data={"answer": "pay"})
        for _ in range(120):
            if (await call.get(f"/orders/{placed['id']}", key=placed["key"]))["payment_status"] == "paid":
                return
            await asyncio.sleep(0.25)
        raise AssertionError(f"{placed['number']} is not paid")

    @contextmanager
    def browser(self, username: str = "") -> Iterator[Callable[[str, dict[str, str]], httpx.Response]]:
        """What sends forms of pages, as `username` or as a guest, without a browser."""
        with httpx.Client(base_url=self.url, timeout=30.0, trust_env=False) as http:

            def send(path: str, form: dict[str, str]) -> httpx.Response:
                token = {"csrfmiddlewaretoken": http.cookies.get("csrftoken", "")}
                return http.post(path, data=form | token)

            http.get("/accounts/login/")
            if username:
                send("/accounts/login/", {"login": username, "password": PASSWORD})
            yield send

    def guess(self, username: str, times: int) -> None:
        """Type a wrong password for a name, so often. An earlier lock is lifted: it would end while one looks."""
        self.sql("DELETE FROM axes_accessattempt WHERE username = %s", username)
        with self.browser() as send:
            for _ in range(times):
                send("/accounts/login/", {"login": username, "password": "guess"})

    def cancel(self, placed: Placed) -> None:
        """The customer thinks better of it."""
        path = f"{self.url}/api/v1/orders/{placed.id}/cancel"
        headers = {"Idempotency-Key": uuid4().hex}
        answer = httpx.post(path, params={"key": placed.key}, json={}, headers=headers, trust_env=False)
        assert answer.status_code == 200, answer.text

    def seen(self, placed: Placed) -> dict[str, Any]:
        """The order as the API tells its customer."""
        answer = httpx.get(f"{self.url}/api/v1/orders/{placed.id}", params={"key": placed.key}, trust_env=False)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def login_of_store(self, store: str, role: str = "picker") -> str:
        """The demo's username of a store's picker or manager."""
        code = "picker" if role == "picker" else "store_manager"
        return str(
            self.one(
                "SELECT u.username FROM staff_employee m JOIN accounts_user u ON u.id = m.user_id "
                "WHERE m.store_id = %s AND m.role = %s ORDER BY u.username LIMIT 1",
                private(store, "str"),
                code,
            )
        )

    def courier_of(self, number: str, seconds: float = 60.0) -> str:
        """The username of whom the dispatcher gave the order to."""
        query = (
            "SELECT coalesce(max(u.username), '') FROM dispatch_delivery d "
            "JOIN couriers_courier c ON c.id = d.courier_id JOIN accounts_user u ON u.id = c.user_id "
            "WHERE d.order_number = %s"
        )
        deadline = time.monotonic() + seconds
        while not (found := str(self.one(query, number))) and time.monotonic() < deadline:
            time.sleep(0.2)
        rows = self.sql("SELECT status, ready_at, ready_by FROM dispatch_delivery WHERE order_number = %s", number)
        assert found, f"nobody brings {number}: {rows}\n{self.log('dispatch')}\n{self.log('worker')}"
        return found

    def until(self, table: str, column: str, value: str, status: str, seconds: float = 40.0) -> None:
        """Wait until the row's status is `status`."""
        query = sql.SQL("SELECT status FROM {} WHERE {} = %s").format(sql.Identifier(table), sql.Identifier(column))
        text = query.as_string(None)
        deadline = time.monotonic() + seconds
        while (found := self.one(text, value)) != status and time.monotonic() < deadline:
            time.sleep(0.2)
        assert found == status, f"{table} {value}: {found}, not {status}"

    def barcodes(self, number: str) -> list[str]:
        """The codes on the goods of an order, one for each unit."""
        rows = self.sql(
            "SELECT v.barcode, l.quantity FROM fulfilment_fulfilmentline l JOIN fulfilment_fulfilment f "
            "ON f.id = l.fulfilment_id JOIN catalog_variant v ON v.id = l.variant_id WHERE f.order_number = %s",
            number,
        )
        return [code for code, units in rows for _ in range(units)]


class _Caller:
    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.headers: dict[str, str] = {}

    async def get(self, path: str, **query: Any) -> Any:
        return _good(await self.http.get(path, params=query, headers=self.headers))

    async def send(self, method: str, path: str, body: Any) -> Any:
        headers = {**self.headers, "Idempotency-Key": uuid4().hex}
        return _good(await self.http.request(method, path, json=body, headers=headers))


def _good(answer: httpx.Response) -> Any:
    assert answer.status_code < 300, f"{answer.request.url.path}: {answer.status_code} {answer.text[:300]}"
    return answer.json() if answer.content else None


def private(public: str, prefix: str) -> UUID:
    found = ids.private(prefix, public)
    assert found is not None, public
    return found
