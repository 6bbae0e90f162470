"""A sandbox process and a shop that hears of payments, for tests over HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from highstreet.kernel import clock
from highstreet.trade.payments.wechat.config import WechatConfig
from highstreet.trade.payments.wechat.gateway import WechatGateway
from highstreet.trade.payments.wechat.notification import Forged, verify

SPEED = 100


class Shop(ThreadingHTTPServer):
    """A merchant's callback address: verifies, remembers, and answers 500 as often as it is told to of a payment."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Callback)
        self.state_dir = Path()
        # By number: what comes late of another payment must not use it up.
        self.failing: Counter[str] = Counter()
        self.believed: list[Any] = []
        self.refused: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/notify"

    def of(self, number: str) -> list[Any]:
        return [one for one in self.believed if number in one.resource.values()]


class _Callback(BaseHTTPRequestHandler):
    server: Shop

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        config = WechatConfig.load(self.server.state_dir / "wechat.json")
        status = 200
        try:
            found = verify(dict(self.headers.items()), body, config, clock.wall())
        except Forged as forged:
            self.server.refused.append(forged.reason)
            status = 401
        else:
            self.server.believed.append(found)
            number = found.resource["out_trade_no"]
            if self.server.failing[number]:
                self.server.failing[number] -= 1
                status = 500
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


class Running:
    """One sandbox process with its state directory, which outlives it."""

    def __init__(self, state_dir: Path, shop: Shop) -> None:
        self.state_dir, self.shop = state_dir, shop
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.root = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(base_url=self.root, trust_env=False, timeout=5)
        self.start()

    def start(self) -> None:
        source = Path(__file__).parents[5]
        command = [sys.executable, "-m", "highstreet.trade.payments.sandbox", "--port", str(self.port)]
        command += ["--state-dir", str(self.state_dir), "--speed", str(SPEED), "--probe-every", "2"]
        command += ["--notify-url", self.shop.url]
        self.process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(source)})
        until(self.healthy, seconds=20)

    def healthy(self) -> bool:
        try:
            return self.http.get("/sandbox/health").status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    @property
    def gateway(self) -> WechatGateway:
        return WechatGateway(WechatConfig.load(self.state_dir / "wechat.json"))

    def faults(self, **switches: Any) -> None:
        self.http.post("/sandbox/faults", json={"reset": True, **switches}).raise_for_status()

    def tries(self, notification_id: str) -> list[dict[str, Any]]:
        log = self.http.get("/sandbox/deliveries?limit=10000").json()["deliveries"]
        return [one for one in reversed(log) if one["notification_id"] == notification_id]


def until(true: Callable[[], object], seconds: float = 8) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.03)
