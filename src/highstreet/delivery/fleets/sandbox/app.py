"""The sandbox over HTTP: WeChat's instant delivery, Meituan's delivery, and switches for tests. ASGI, one process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from highstreet.kernel import clock

from ..dialects.meituan import sign
from ..dialects.wechat import delivery_sign
from .rides import Fleet, Ride
from .telling import Teller

Answer = dict[str, Any]
MOST_BODY = 64 * 1024
ROUND_SECONDS = 0.05
FEE_FEN = 720
# What it costs to call off a courier who is on the way.
CALLED_OFF_FEN = 200


class No(Exception):
    """The fleet says no, with its code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Sandbox:
    """Everything one process holds. `accounts`: secrets by dialect, each with its `notify_url`."""

    def __init__(self, accounts: Mapping[str, Mapping[str, str]], seed: int) -> None:
        self.accounts = accounts
        self.teller = Teller(accounts)
        self.fleet = Fleet(clock.now, self.teller.tell, seed)
        # As long as WeChat says that one may be.
        self.token = secrets.token_hex(256)

    def wechat(self, handler: Callable[[Answer], Answer]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            if self.fleet.faults.down:
                return Response(status_code=503)
            asked = _object(await request.body())
            if request.query_params.get("access_token") != self.token:
                return JSONResponse({"errcode": 40001, "errmsg": "invalid credential"})
            mine = self.accounts["wechat"]
            signed = delivery_sign(mine["shopid"], str(asked.get("shop_order_id", "")), mine["shop_secret"])
            if asked.get("shopid") != mine["shopid"] or asked.get("delivery_sign") != signed:
                return JSONResponse({"errcode": 0, "resultcode": 1, "resultmsg": "签名校验失败"})
            try:
                return JSONResponse({"errcode": 0, "resultcode": 0, "resultmsg": "ok", **handler(asked)})
            except No as no:
                return JSONResponse({"errcode": no.code, "errmsg": "no"})
            except LostAnswer:
                return Response(status_code=500)

        return endpoint

    def meituan(self, handler: Callable[[dict[str, str]], Answer]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            if self.fleet.faults.down:
                return Response(status_code=503)
            fields = dict(
                parse_qsl((await request.body())[:MOST_BODY].decode(errors="replace"), keep_blank_values=True)
            )
            mine = self.accounts["meituan"]
            if fields.get("appkey") != mine["appkey"] or fields.get("sign") != sign(mine["secret"], fields):
                return JSONResponse({"code": 6, "message": "签名验证错误"})
            try:
                return JSONResponse({"code": 0, "message": "成功", "data": handler(fields)})
            except No as no:
                return JSONResponse({"code": no.code, "message": "no"})
            except LostAnswer:
                return Response(status_code=500)

        return endpoint

    async def stable_token(self, request: Request) -> Response:
        asked, mine = _object(await request.body()), self.accounts["wechat"]
        if (asked.get("appid"), asked.get("secret")) != (mine["appid"], mine["app_secret"]):
            return JSONResponse({"errcode": 40125, "errmsg": "invalid appsecret"})
        return JSONResponse({"access_token": self.token, "expires_in": 7200})

    def wechat_pre_add(self, asked: Answer) -> Answer:
        return {"fee": FEE_FEN / 100, "delivery_token": f"quoted-{asked['shop_order_id']}", "distance": 1200}

    def wechat_add(self, asked: Answer) -> Answer:
        number = str(asked["shop_order_id"])
        if asked.get("delivery_token") != f"quoted-{number}":
            raise No(930561)
        if self.fleet.find("wechat", number) is not None:
            raise No(930562)
        ride = self._taken("wechat", number, asked.get("order_info", {}).get("expected_pick_time"), 930558)
        return {"waybill_id": ride.waybill, "order_status": 101, "fee": FEE_FEN / 100}

    def wechat_cancel(self, asked: Answer) -> Answer:
        number = str(asked["shop_order_id"])
        on_the_way = self._ride("wechat", number, 930563).state != "waiting"
        self._cancelled("wechat", number, 930563, 930565)
        return {"deduct_fee": CALLED_OFF_FEN / 100 if on_the_way else 0, "desc": ""}

    def wechat_get(self, asked: Answer) -> Answer:
        ride = self._ride("wechat", str(asked["shop_order_id"]), 930563)
        rider = {"rider_name": ride.courier[0], "rider_phone": ride.courier[1]} if ride.state != "waiting" else {}
        return {"order_status": int(ride.code), "waybill_id": ride.waybill, **rider}

    def meituan_quote(self, fields: dict[str, str]) -> Answer:
        return {"delivery_fee": FEE_FEN / 100, "delivery_distance": 1200}

    def meituan_create(self, fields: dict[str, str]) -> Answer:
        ride = self._taken("meituan", fields["order_id"], fields.get("expected_pickup_time"), 70)
        return {"mt_peisong_id": ride.waybill, "delivery_id": fields["delivery_id"], "order_id": ride.number}

    def meituan_delete(self, fields: dict[str, str]) -> Answer:
        ride = self._by_waybill(fields)
        self._cancelled("meituan", ride.number, 101, 111)
        return {"mt_peisong_id": ride.waybill, "order_id": ride.number}

    def meituan_query(self, fields: dict[str, str]) -> Answer:
        ride = self._by_waybill(fields)
        rider = {"courier_name": ride.courier[0], "courier_phone": ride.courier[1]} if ride.state != "waiting" else {}
        at = int(ride.at.timestamp()) if ride.at else 0
        return {"status": int(ride.code), "operate_time": at, "mt_peisong_id": ride.waybill, **rider}

    def _taken(self, dialect: str, number: str, pick_up: Any, refusal: int) -> Ride:
        faults = self.fleet.faults
        if faults.refuse:
            raise No(refusal)
        seconds = int(pick_up) if str(pick_up or "").isdigit() else 0
        fresh = self.fleet.find(dialect, number) is None
        ride = self.fleet.take(dialect, number, datetime.fromtimestamp(seconds, tz=UTC))
        if faults.lost_answer and fresh:
            raise LostAnswer
        return ride

    def _ride(self, dialect: str, number: str, unknown: int) -> Ride:
        ride = self.fleet.find(dialect, number)
        if ride is None:
            raise No(unknown)
        return ride

    def _by_waybill(self, fields: dict[str, str]) -> Ride:
        for ride in self.fleet.all():
            if ride.dialect == "meituan" and ride.waybill == fields.get("mt_peisong_id") and not ride.faults.forget:
                return ride
        raise No(101)

    def _cancelled(self, dialect: str, number: str, unknown: int, over: int) -> None:
        if not self.fleet.cancel(self._ride(dialect, number, unknown)):
            raise No(over)

    async def switch(self, request: Request) -> Response:
        """POST /sandbox/faults: the switches of `Faults`, for rides that begin from now on."""
        try:
            self.fleet.faults = self.fleet.faults.but(_object(await request.body()))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse({"ok": True})

    async def rides(self, _request: Request) -> Response:
        """GET /sandbox/rides: where each is, what there was to tell of it, and how every callback was answered."""
        known = [
            {
                "dialect": one.dialect,
                "number": one.number,
                "state": one.state,
                "codes": [word.code for word in one.words],
            }
            for one in self.fleet.all()
        ]
        return JSONResponse({"rides": known, "callbacks": self.teller.log, "now": clock.now().isoformat()})

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._ride_on()), asyncio.create_task(self.teller.run())]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ride_on(self) -> None:
        while True:
            self.fleet.move()
            await asyncio.sleep(ROUND_SECONDS)


class LostAnswer(Exception):
    """It was done, and the answer never arrives."""


def _object(body: bytes) -> Answer:
    try:
        found = json.loads(body[:MOST_BODY] or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def create_app(accounts: Mapping[str, Mapping[str, str]], *, seed: int = 0) -> Starlette:
    """The ASGI application: WeChat's API at its root, Meituan's under /api."""
    box = Sandbox(accounts, seed)
    local = "/cgi-bin/express/local/business/order"

    async def health(_request: Request) -> Response:
        return JSONResponse({"ok": True})

    routes = [
        Route("/cgi-bin/stable_token", box.stable_token, methods=["POST"]),
        Route(f"{local}/pre_add", box.wechat(box.wechat_pre_add), methods=["POST"]),
        Route(f"{local}/add", box.wechat(box.wechat_add), methods=["POST"]),
        Route(f"{local}/cancel", box.wechat(box.wechat_cancel), methods=["POST"]),
        Route(f"{local}/get", box.wechat(box.wechat_get), methods=["POST"]),
        Route("/api/order/preCreateByShop", box.meituan(box.meituan_quote), methods=["POST"]),
        Route("/api/order/createByShop", box.meituan(box.meituan_create), methods=["POST"]),
        Route("/api/order/delete", box.meituan(box.meituan_delete), methods=["POST"]),
        Route("/api/order/status/query", box.meituan(box.meituan_query), methods=["POST"]),
        Route("/sandbox/faults", box.switch, methods=["POST"]),
        Route("/sandbox/rides", box.rides, methods=["GET"]),
        Route("/sandbox/health", health, methods=["GET"]),
    ]
    return Starlette(routes=routes, lifespan=box.lifespan)
