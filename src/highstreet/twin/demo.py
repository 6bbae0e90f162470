"""`highstreet demo`: everything started, watched and stopped by one process."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from highstreet.kernel import clock, postgres
from highstreet.kernel.clock import Rate
from highstreet.twin.files import ZONE

OPENING = "11:20"
# So slow that time stands still while nothing runs, and yet never flows back.
STANDING = 1e-9


@dataclass(frozen=True)
class Options:
    port: int = 8000
    speed: float = 1.0
    city_lives: bool = True
    data: Path = Path("var")
    start_at: str = ""
    orders_a_day: int = 600
    check_only: bool = False


@dataclass(frozen=True)
class Ports:
    web: int
    streams: int
    wallet: int


class Demo:
    """The processes of the platform. `stop` ends them in the reverse order, the database last."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.ports = Ports(options.port, options.port + 1, options.port + 2)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.started = time.monotonic()
        self._lock: IO[str] | None = None

    def say(self, words: str) -> None:
        print(f"[{time.monotonic() - self.started:5.1f} s] {words}", flush=True)

    def start(self) -> None:
        options = self.options
        options.data.mkdir(parents=True, exist_ok=True)
        self.say("PostgreSQL: starting")
        server = postgres.start(options.data / "pg")
        postgres.ensure_database(server, "highstreet")
        os.environ.update(self._environment(server.url("highstreet")))
        clock.follow(clock.Rate.decode(os.environ["HIGHSTREET_CLOCK"]))
        _remember_clock(options)
        from highstreet.trade.payments.sandbox.crypto import ensure_keys

        ensure_keys(
            options.data / "wechat",
            base_url=os.environ["HIGHSTREET_WALLET_URL"],
            notify_url=f"{os.environ['HIGHSTREET_SHOP_URL']}/api/v1/payments/wechat/notify",
        )
        self._prepare()
        python = [sys.executable, "-m"]
        wallet = [
            *python,
            "highstreet.trade.payments.sandbox",
            "--port",
            str(self.ports.wallet),
            "--state-dir",
            str(options.data / "wechat"),
            "--speed",
            str(options.speed),
        ]
        self.spawn("wechat sandbox", wallet)
        self.spawn("web", [*python, "highstreet", "web", "--port", str(self.ports.web)])
        self.spawn("streams", [*python, "highstreet", "streams", "--port", str(self.ports.streams)])
        self.spawn("worker", [*python, "highstreet", "worker"])
        self.spawn_dispatcher()
        self._wait(f"http://127.0.0.1:{self.ports.web}/readyz")
        self._wait(f"http://127.0.0.1:{self.ports.streams}/livez")
        if options.city_lives:
            self.spawn(
                "city",
                [
                    *python,
                    "highstreet",
                    "live",
                    "--url",
                    f"http://127.0.0.1:{self.ports.web}",
                    "--orders",
                    str(options.orders_a_day),
                ],
            )

    def spawn_dispatcher(self) -> None:
        """Start it (again)."""
        self.spawn("dispatch", [sys.executable, "-m", "highstreet", "dispatch"])

    def _environment(self, database: str) -> dict[str, str]:
        shop = f"http://127.0.0.1:{self.ports.web}"
        return {
            "DATABASE_URL": database,
            "DJANGO_SETTINGS_MODULE": "highstreet.settings",
            "HIGHSTREET_DATA": str(self.options.data),
            "HIGHSTREET_SECRET_KEY": _kept_secret(self.options.data / "secret"),
            "HIGHSTREET_CLOCK": _clock(self.options).encode(),
            "HIGHSTREET_SHOP_URL": shop,
            "HIGHSTREET_ORIGINS": f"{shop},http://localhost:{self.ports.web}",
            "HIGHSTREET_STREAM_URL": f"http://127.0.0.1:{self.ports.streams}",
            "HIGHSTREET_WALLET_URL": f"http://127.0.0.1:{self.ports.wallet}",
            "HIGHSTREET_WECHAT": str(self.options.data / "wechat" / "wechat.json"),
            "HIGHSTREET_LOG": os.environ.get("HIGHSTREET_LOG", "WARNING"),
            # Simulated people say where they call from, as a proxy of ours would; all share this machine's address.
            "HIGHSTREET_PROXY_HOPS": "1",
        }

    def _prepare(self) -> None:
        import django
        from django.core.management import call_command

        django.setup()
        self.say("database: migrating")
        call_command("migrate", verbosity=0, interactive=False)
        from highstreet.supply.organisations.models import City
        from highstreet.twin.files import CODE
        from highstreet.twin.loader import load_demo

        if not City.objects.filter(code=CODE).exists():
            load_demo(tell=self.say)
        from django.db import connection

        connection.close()

    def spawn(self, name: str, command: list[str]) -> None:
        logs = self.options.data / "logs"
        logs.mkdir(exist_ok=True)
        with (logs / f"{name.replace(' ', '-')}.log").open("ab") as log:
            # A session of its own, so that Ctrl-C reaches only this process, which stops the others in order.
            self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self.say(f"{name}: started")

    def _wait(self, url: str, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._check_alive()
            try:
                with urllib.request.urlopen(url, timeout=5) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"highstreet: {url} does not answer; see {self.options.data / 'logs'}")

    def _check_alive(self) -> None:
        for name, process in self.processes.items():
            if process.poll() is not None:
                log = self.options.data / "logs" / f"{name.replace(' ', '-')}.log"
                tail = log.read_bytes()[-1500:].decode(errors="replace")
                raise SystemExit(f"highstreet: {name} ended with {process.returncode}\n{tail}")

    def claim(self) -> None:
        """Refuse before anything is touched: the data are another demo's, or a port is taken."""
        self.options.data.mkdir(parents=True, exist_ok=True)
        self._lock = (self.options.data / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SystemExit(f"highstreet: a demo is running on {self.options.data} already") from error
        for port in (self.ports.web, self.ports.streams, self.ports.wallet):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError as error:
                    raise SystemExit(f"highstreet: port {port} is taken; choose another with --port") from error

    def watch(self) -> None:
        """Until Ctrl-C or the end of a process."""
        while True:
            time.sleep(1.0)
            self._check_alive()

    def stop(self) -> None:
        self.say("stopping")
        for process in reversed(self.processes.values()):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + 8.0
        for process in reversed(self.processes.values()):
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        _remember_clock(self.options, stopped=True)
        postgres.stop(self.options.data / "pg")
        self.say("stopped; the data stays in " + str(self.options.data))


def run(options: Options) -> int:
    """Start, show where everything is, watch, stop. Returns the exit code."""
    if not 1 <= options.speed <= 60:
        print("highstreet: --speed takes 1 to 60", file=sys.stderr)
        return 2
    demo = Demo(options)
    demo.claim()
    # Also Ctrl-C: whoever starts this in the background of a shell passes on that it is ignored.
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, signal.default_int_handler)
    code = 0
    try:
        demo.start()
        _show(demo)
        if options.check_only:
            from highstreet.twin.check import first_order

            code = first_order(f"http://127.0.0.1:{demo.ports.web}", demo.say)
        else:
            demo.watch()
    except KeyboardInterrupt:
        print()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        demo.stop()
    return code


def _show(demo: Demo) -> None:
    home = f"http://127.0.0.1:{demo.ports.web}"
    took = time.monotonic() - demo.started
    local = _clock(demo.options).at(time.time()).astimezone(ZONE)
    speed = f", ×{demo.options.speed:g}" if demo.options.speed != 1 else ""
    print(
        f"""
  Highstreet is open. It is {local:%H:%M} in Porto Alegre{speed}. Ready in {took:.0f} s.

    shop     {home}/            shopper / demo
    store    {home}/store/      picker / demo, manager / demo
    courier  {home}/courier/    courier / demo
    console  {home}/console/    owner / demo

  Ctrl-C stops everything; the data stays in {demo.options.data}.
""",
        flush=True,
    )


def _clock(options: Options) -> Rate:
    """The rate all processes share: kept in the environment for this run, never behind the last run's end."""
    kept = os.environ.get("HIGHSTREET_CLOCK", "")
    if kept:
        return Rate.decode(kept)
    now = time.time()
    path = options.data / "clock.json"
    last = Rate.decode(json.loads(path.read_text())["rate"]).at(now).timestamp() + 1 if path.exists() else 0.0
    if last and not options.start_at:
        return Rate(now, last, options.speed)
    hour, minute = (options.start_at or OPENING).split(":")
    day = datetime.fromtimestamp(max(now, last), tz=ZONE)
    start = day.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    if start.timestamp() < last:
        start += timedelta(days=1)
    return Rate(now, start.timestamp(), options.speed)


def _remember_clock(options: Options, *, stopped: bool = False) -> None:
    """Keep the rate beside the data, for the next start and for `highstreet audit`; stopped, time stands."""
    rate = _clock(options)
    if stopped:
        now = time.time()
        rate = Rate(now, rate.at(now).timestamp(), STANDING)
    path = options.data / "clock.json"
    partial = path.with_suffix(".new")
    partial.write_text(json.dumps({"rate": rate.encode()}))
    partial.replace(path)


def _kept_secret(path: Path) -> str:
    if not path.exists():
        path.write_text(secrets.token_urlsafe(48))
        path.chmod(0o600)
    return path.read_text()
