"""A sandbox process, on the business clock of whoever starts it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from highstreet.kernel import clock


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """Started with the accounts of `accounts` (dialect: secrets and `notify_url`)."""

    def __init__(self, port: int, folder: Path, accounts: Mapping[str, Mapping[str, str]], seed: int = 7) -> None:
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=5)
        file = folder / "accounts.json"
        file.write_text(json.dumps(accounts))
        source = Path(__file__).parents[5]
        command = [sys.executable, "-m", "highstreet.delivery.fleets.sandbox", "--port", str(port)]
        command += ["--accounts", str(file), "--seed", str(seed)]
        env = {**os.environ, "PYTHONPATH": str(source), "HIGHSTREET_CLOCK": clock._rate.encode()}
        self.process = subprocess.Popen(command, env=env)
        deadline = time.monotonic() + 20
        while not self._healthy():
            assert time.monotonic() < deadline, "it did not start"
            time.sleep(0.05)

    def _healthy(self) -> bool:
        try:
            return self.http.get("/sandbox/health").status_code == 200
        except httpx.HTTPError:
            return False

    def faults(self, **switches: Any) -> None:
        self.http.post("/sandbox/faults", json={"reset": True, **switches}).raise_for_status()

    def seen(self) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get("/sandbox/rides").json()
        return found

    def stop(self) -> None:
        self.http.close()
        self.process.terminate()
        self.process.wait(10)
