"""The sandbox over HTTP: the v3 API, the phone, and switches for tests. ASGI, one process.

Source: WeChat Pay APIv3, paths and signatures as in `provider` and `crypto`. `/wallet` and `/sandbox` are
ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from highstreet.kernel import clock

from . import wallet
from .crypto import BadSignature, SandboxKeys, certificate_list, check_request, ensure_keys, signed_headers
from .faults import Faults
from .notify import Notifier
from .provider import ApiError, Provider
from .store import Store

MAX_BODY_BYTES = 64 * 1024
NONCE_SECONDS = 700.0
Answer = tuple[int, dict[str, Any] | None]
Handler = Callable[[Request, dict[str, Any]], Answer]
Endpoint = Callable[[Request], Awaitable[Response]]


class Sandbox:
    """Everything one sandbox process holds."""

    def __init__(
        self,
        state_dir: Path,
        *,
        now: Callable[[], datetime],
        wall: Callable[[], float],
        speed: float,
        probe_every: int,
        shop_origin: str,
        merchant: str,
    ) -> None:
        self.keys: SandboxKeys = ensure_keys(state_dir)
        self.store = Store(state_dir / "sandbox.sqlite3")
        self.faults, self.wall, self.merchant = Faults(), wall, merchant
        shop = urlsplit(self.keys.config.notify_url)
        self.shop_origin = shop_origin or f"{shop.scheme}://{shop.netloc}"
        self.notifier = Notifier(self.store, self.keys, self.faults, wall, speed=speed, probe_every=probe_every)
        self.provider = Provider(self.store, self.keys, self.faults, self.notifier, now, wall, speed=speed)

    def api(self, handler: Handler) -> Endpoint:
        """`handler` behind the merchant's signature, with a signed answer, and the faults asked for."""

        async def endpoint(request: Request) -> Response:
            if self.faults.slow:
                await asyncio.sleep(self.faults.slow)
            if self.faults.take("fail_next"):
                return self._signed(500, _error("SYSTEM_ERROR", "系统异常，请稍后重试"))
            body = await request.body()
            try:
                status, answer = handler(request, self._authenticated(request, body))
            except ApiError as error:
                status, answer = error.status, _error(error.code, error.message)
            if self.faults.take("fail_after_next"):
                status, answer = 500, _error("SYSTEM_ERROR", "系统异常，请稍后重试")
            return self._signed(status, answer)

        return endpoint

    def _authenticated(self, request: Request, body: bytes) -> dict[str, Any]:
        """The request's JSON object ({} without a body), after its signature. Raises `ApiError`."""
        if len(body) > MAX_BODY_BYTES:
            raise ApiError(400, "PARAM_ERROR", "请求过大")
        target = request.scope.get("raw_path") or request.url.path.encode()
        if request.url.query:
            target += b"?" + request.url.query.encode()
        try:
            header = request.headers.get("authorization", "")
            nonce = check_request(self.keys, header, request.method, target.decode(), body, self.wall())
        except (BadSignature, UnicodeError) as error:
            raise ApiError(401, "SIGN_ERROR", str(error)) from error
        if not self.store.remember_nonce(nonce, self.wall(), NONCE_SECONDS):
            raise ApiError(401, "SIGN_ERROR", "nonce_str was used before")
        try:
            content = json.loads(body) if body else {}
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise ApiError(400, "PARAM_ERROR", "请求不是 JSON 对象")
        return content

    def _signed(self, status: int, answer: dict[str, Any] | None) -> Response:
        body = b"" if answer is None else json.dumps(answer, ensure_ascii=False).encode()
        headers = signed_headers(self.keys, body, self.wall())
        headers["Request-ID"] = secrets.token_hex(16).upper()
        media = None if answer is None else "application/json; charset=utf-8"
        return Response(body, status_code=status, headers=headers, media_type=media)

    async def show_wallet(self, request: Request) -> Response:
        """GET /wallet/{code} and /wallet/native?pr=CODE."""
        code = request.path_params.get("code") or request.query_params.get("pr", "")
        return_url = wallet.safe_return_url(request.query_params.get("return_url", ""), self.shop_origin)
        order = self.provider.find(code)
        if order is None:
            return self._page(wallet.note_page("NOTHING", None, self.merchant, return_url), 404)
        if order["state"] != "NOTPAY":
            return self._page(wallet.note_page(order["state"], order, self.merchant, return_url))
        if request.query_params.get("left"):
            return self._page(wallet.note_page("CANCELLED", order, self.merchant, return_url))
        return self._page(wallet.ask_page(order, self.merchant, return_url))

    async def answer_wallet(self, request: Request) -> Response:
        """POST /wallet/{code}: form field `answer` pay or cancel; then the page says how it is."""
        code = request.path_params.get("code") or request.query_params.get("pr", "")
        body = await request.body()
        if len(body) > MAX_BODY_BYTES:
            return Response(status_code=413)
        form = dict(parse_qsl(body.decode(errors="replace")))
        order = self.provider.find(code)
        if order is None:
            return self._page(wallet.note_page("NOTHING", None, self.merchant, ""), 404)
        wanted = form.get("return_url") or request.query_params.get("return_url", "")
        query = {"return_url": wallet.safe_return_url(wanted, self.shop_origin)}
        if form.get("answer") == "cancel":
            query["left"] = "1"
        else:
            # Closed, expired or paid meanwhile: the page after the redirect says so.
            with contextlib.suppress(ApiError):
                self.provider.pay(order["out_trade_no"])
        kept = {name: value for name, value in query.items() if value}
        tail = f"?{urlencode(kept)}" if kept else ""
        return RedirectResponse(f"/wallet/{order['prepay_id']}{tail}", status_code=303)

    def _page(self, text: str, status: int = 200) -> Response:
        return HTMLResponse(text, status_code=status, headers=wallet.HEADERS)

    async def pay(self, request: Request) -> Response:
        """POST /sandbox/pay {"out_trade_no": ..., "openid"?: ...}: the customer confirms, at once."""
        try:
            asked = json.loads(await request.body())
            out_trade_no, openid = asked["out_trade_no"], asked.get("openid", "")
            if not isinstance(out_trade_no, str) or not isinstance(openid, str):
                raise TypeError
        except (ValueError, KeyError, TypeError, AttributeError):
            return JSONResponse(_error("PARAM_ERROR", "out_trade_no"), status_code=400)
        try:
            return JSONResponse(self.provider.pay(out_trade_no, openid))
        except ApiError as error:
            return JSONResponse(_error(error.code, error.message), status_code=error.status)

    async def switch(self, request: Request) -> Response:
        """GET or POST /sandbox/faults: the switches of `Faults` as a JSON object."""
        if request.method == "POST":
            try:
                wanted = json.loads(await request.body())
                if not isinstance(wanted, dict):
                    raise ValueError("send a JSON object")
                self.faults.set(wanted)
            except ValueError as error:
                return JSONResponse(_error("PARAM_ERROR", str(error)), status_code=400)
        return JSONResponse(self.faults.state())

    async def log(self, request: Request) -> Response:
        """GET /sandbox/deliveries?limit=N: the latest notifications and every try to deliver them."""
        text = request.query_params.get("limit", "200")
        limit = min(int(text), 10_000) if text.isascii() and text.isdigit() else 200
        return JSONResponse(
            {"notifications": self.store.notifications(limit), "deliveries": self.store.deliveries(limit)}
        )

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(self.notifier.run(self.provider.settle_refunds))
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        self.store.close()


def create_app(
    state_dir: Path | str,
    *,
    now: Callable[[], datetime] = clock.now,
    wall: Callable[[], float] = clock.wall,
    speed: float = 1.0,
    probe_every: int = 10,
    shop_origin: str = "",
    merchant: str = "高街 Highstreet",
) -> Starlette:
    """The ASGI application. `now` is business time, `wall` the protocols' unix seconds; `speed` divides the
    retry ladder and the time that a refund takes. `shop_origin` defaults to the notify URL's."""
    sandbox = Sandbox(
        Path(state_dir),
        now=now,
        wall=wall,
        speed=speed,
        probe_every=probe_every,
        shop_origin=shop_origin,
        merchant=merchant,
    )
    app = Starlette(routes=[*_api_routes(sandbox), *_own_routes(sandbox)], lifespan=sandbox.lifespan)
    app.state.sandbox = sandbox
    return app


def _api_routes(sandbox: Sandbox) -> list[Route]:
    provider = sandbox.provider

    def number(request: Request) -> str:
        return str(request.path_params["number"])

    def queried(request: Request) -> str:
        if request.query_params.get("mchid") != sandbox.keys.config.mchid:
            raise ApiError(400, "PARAM_ERROR", "mchid")
        return number(request)

    def close(request: Request, asked: dict[str, Any]) -> Answer:
        if asked.get("mchid") != sandbox.keys.config.mchid:
            raise ApiError(400, "PARAM_ERROR", "mchid")
        provider.close(number(request))
        return 204, None

    table: list[tuple[str, str, Handler]] = [
        ("GET", "/v3/certificates", lambda _r, _a: (200, certificate_list(sandbox.keys))),
        ("POST", "/v3/pay/transactions/native", lambda _r, asked: (200, provider.create("native", asked))),
        ("POST", "/v3/pay/transactions/jsapi", lambda _r, asked: (200, provider.create("jsapi", asked))),
        (
            "GET",
            "/v3/pay/transactions/id/{number}",
            lambda r, _a: (200, provider.query_transaction(queried(r))),
        ),
        (
            "GET",
            "/v3/pay/transactions/out-trade-no/{number}",
            lambda r, _a: (200, provider.query(queried(r))),
        ),
        ("POST", "/v3/pay/transactions/out-trade-no/{number}/close", close),
        ("POST", "/v3/refund/domestic/refunds", lambda _r, asked: (200, provider.refund(asked))),
        (
            "GET",
            "/v3/refund/domestic/refunds/{number}",
            lambda r, _a: (200, provider.query_refund(number(r))),
        ),
    ]
    return [Route(path, sandbox.api(handler), methods=[method]) for method, path, handler in table]


def _own_routes(sandbox: Sandbox) -> list[Route]:
    async def health(_request: Request) -> Response:
        return JSONResponse({"ok": True})

    return [
        Route("/wallet/native", sandbox.show_wallet, methods=["GET"]),
        Route("/wallet/native", sandbox.answer_wallet, methods=["POST"]),
        Route("/wallet/{code}", sandbox.show_wallet, methods=["GET"]),
        Route("/wallet/{code}", sandbox.answer_wallet, methods=["POST"]),
        Route("/sandbox/pay", sandbox.pay, methods=["POST"]),
        Route("/sandbox/faults", sandbox.switch, methods=["GET", "POST"]),
        Route("/sandbox/deliveries", sandbox.log, methods=["GET"]),
        Route("/sandbox/health", health, methods=["GET"]),
    ]


def _error(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message}
