"""The real thing for tests: web server, worker and payment sandbox as processes on a database of their own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

import psycopg

from . import databases

ZONE = ZoneInfo("America/Sao_Paulo")
NOON = 11
FINAL_SECONDS = 6.0


@dataclass(frozen=True)
class Verdict:
    """What `highstreet audit` said: exit code and the lines naming what is broken."""

    code: int
    broken: list[str]
    text: str


class Stack:
    """`with Stack() as stack:` - `url` answers, `wallet` is the sandbox. Everything is ended on exit.

    `run` names the processes: web, worker, sandbox, dispatch. `speed` is how fast business time passes, from
    11:00 in the demo city. `web_module` replaces `highstreet web` (see `tests.support.unguarded`).
    """

    def __init__(
        self,
        run: Sequence[str] = ("web", "worker", "sandbox"),
        *,
        speed: float = 1.0,
        web_workers: int = 1,
        threads: int = 8,
        web_module: Sequence[str] = ("highstreet", "web"),
        log_level: str = "ERROR",
        drain: float = 0.0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.names = list(run)
        self.speed, self.threads, self.web_workers, self.web_module = speed, threads, web_workers, list(web_module)
        self.log_level, self.drain, self.extra = log_level, drain, dict(environment or {})
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.database = ""
        self._connection: psycopg.Connection[Any] | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self) -> None:
        databases.server_url()
        self.home = Path(tempfile.mkdtemp(prefix="hs-stack-"))
        self.web_port, self.wallet_port = _free_port(), _free_port()
        # More of the same: web2, worker2, dispatch2.
        self.ports = {name: _free_port() for name in self.names if name.startswith("web")} | {"web": self.web_port}
        self.url, self.wallet = f"http://127.0.0.1:{self.web_port}", f"http://127.0.0.1:{self.wallet_port}"
        self.notify_url = f"{self.url}/api/v1/payments/wechat/notify"
        start = datetime.now(tz=ZONE).replace(hour=NOON, minute=0, second=0, microsecond=0)
        self._clock = (time.time(), start.timestamp(), self.speed)
        self.environment = self._environment()
        self.database = databases.create(self.environment)
        self.environment["DATABASE_URL"] = databases.url_of(self.database)
        from highstreet.trade.payments.sandbox.crypto import ensure_keys

        self.keys = ensure_keys(self.home / "wechat", base_url=self.wallet, notify_url=self.notify_url)
        for name in self.names:
            self.launch(name)
        for name in self.names:
            self.wait_for(name)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HIGHSTREET_")}
        return {
            **kept,
            "DJANGO_SETTINGS_MODULE": "highstreet.settings",
            "PYTHONPATH": f"{databases.ROOT / 'src'}{os.pathsep}{databases.ROOT}",
            "HIGHSTREET_DATA": str(self.home),
            "HIGHSTREET_SECRET_KEY": "only-for-this-test",
            "HIGHSTREET_CLOCK": ",".join(repr(float(part)) for part in self._clock),
            "HIGHSTREET_SHOP_URL": self.url,
            "HIGHSTREET_ORIGINS": self.url,
            "HIGHSTREET_WALLET_URL": self.wallet,
            "HIGHSTREET_WECHAT": str(self.home / "wechat" / "wechat.json"),
            "HIGHSTREET_LOG": self.log_level,
            # Hundreds of shoppers from one address: what these tests try is something else.
            "HIGHSTREET_RATE": "off",
            **self.extra,
        }

    def _command(self, name: str) -> list[str]:
        python = [sys.executable, "-m"]
        port = str(self.ports.get(name, self.web_port))
        web = ["--port", port, "--workers", str(self.web_workers), "--threads", str(self.threads)]
        if self.drain:
            web += ["--drain", str(self.drain)]
        sandbox = [
            "--port",
            str(self.wallet_port),
            "--state-dir",
            str(self.home / "wechat"),
            "--speed",
            str(max(self.speed, 60.0)),
            "--notify-url",
            self.notify_url,
        ]
        return {
            "web": [*python, *self.web_module, *web],
            "worker": [*python, "highstreet", "worker"],
            "dispatch": [*python, "highstreet", "dispatch"],
            "sandbox": [*python, "highstreet.trade.payments.sandbox", *sandbox],
        }[name.rstrip("0123456789")]

    def launch(self, name: str) -> None:
        """Start one process in a session of its own, its output in `home`/name.log."""
        with (self.home / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self._command(name),
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd=databases.ROOT,
                start_new_session=True,
            )

    def wait_for(self, name: str, seconds: float = 60.0) -> None:
        """Until the process answers, if it has something to answer with."""
        address = self._health(name)
        deadline = time.monotonic() + seconds
        while address and not _answers(address):
            if self.processes[name].poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{name} does not answer:\n{self.log(name)}")
            time.sleep(0.05)

    def _health(self, name: str) -> str:
        """Where a process says that it serves; "" for the worker and dispatch, which have nothing to answer with."""
        if name == "sandbox":
            return f"{self.wallet}/sandbox/health"
        return f"{self.url_of(name)}/readyz" if name in self.ports else ""

    def url_of(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def log(self, name: str) -> str:
        path = self.home / f"{name}.log"
        return path.read_text(errors="replace")[-6000:] if path.exists() else ""

    def kill9(self, name: str) -> None:
        """SIGKILL to the process and all its children, at once."""
        process = self.processes[name]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def restart(self, name: str) -> None:
        if self.processes[name].poll() is None:
            self.kill9(name)
        self.launch(name)
        self.wait_for(name)

    def now(self) -> datetime:
        """Business time, as the processes see it."""
        wall, business, speed = self._clock
        return datetime.fromtimestamp(business + (time.time() - wall) * speed, tz=UTC)

    def later(self, seconds: float) -> datetime:
        return self.now() + timedelta(seconds=seconds)

    def sql(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of a query on this stack's database; [] for a statement that returns none."""
        try:
            cursor = self._connected().execute(query, values or None)
        except (psycopg.errors.AdminShutdown, psycopg.errors.ConnectionException):
            # The server was killed under us, and is back: ask again on a connection of its new life.
            cursor = self._connected().execute(query, values or None)
        return list(cursor.fetchall()) if cursor.description else []

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(databases.url_of(self.database), autocommit=True)
        return self._connection

    def one(self, query: str, *values: object) -> Any:
        """The first cell of the first row."""
        return self.sql(query, *values)[0][0]

    def audit(self, seconds: float = 120.0) -> Verdict:
        """Run `highstreet audit` as an operator does; it may take `seconds`."""
        done = subprocess.run(
            [sys.executable, "-m", "highstreet", "audit"],
            env=self.environment,
            cwd=databases.ROOT,
            check=False,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        if done.returncode == 1 and "Traceback" in done.stderr:
            raise AssertionError(f"audit broke down:\n{done.stderr[-3000:]}")
        broken = [line for line in done.stdout.splitlines() if " broken  " in line or line.startswith("       ")]
        if done.returncode not in (0, 1):
            raise AssertionError(f"audit ended with {done.returncode}:\n{done.stdout}\n{done.stderr[-3000:]}")
        return Verdict(done.returncode, broken, done.stdout)

    def eventually(self, query: str, wanted: object, seconds: float = 30.0) -> Any:
        """Ask until the first cell is `wanted`; returns the last answer either way."""
        deadline = time.monotonic() + seconds
        while (found := self.one(query)) != wanted and time.monotonic() < deadline:
            time.sleep(0.2)
        return found

    def stop(self) -> None:
        for process in reversed(self.processes.values()):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + FINAL_SECONDS
        for process in self.processes.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                pass
            # The leader may be gone and a child of it not.
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        self.processes.clear()
        if self._connection is not None:
            self._connection.close()
        if self.database:
            databases.drop(self.database)
            self.database = ""
        if hasattr(self, "home"):
            shutil.rmtree(self.home, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
