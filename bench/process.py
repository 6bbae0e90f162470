"""A server under measurement as a process of its own: started, waited for, ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.load import cpu_seconds

PATIENCE = 90.0
QUIET_SECONDS, QUIET_CPU, QUIET_TIMES = 0.3, 0.02, 3


def settled(root: int) -> float:
    """CPU seconds of a tree once it has come to rest, so that every worker has loaded, not only the quickest."""
    deadline, spent, quiet = time.monotonic() + PATIENCE, cpu_seconds(root), 0
    while quiet < QUIET_TIMES and time.monotonic() < deadline:
        time.sleep(QUIET_SECONDS)
        now = cpu_seconds(root)
        quiet, spent = (quiet + 1 if now - spent <= QUIET_CPU else 0), now
    return spent


class Served:
    """`with Served(python, "project.wsgi:application", ...) as server:` - granian with two workers, as Highstreet's.

    `url` answers, `root` is the process above its workers, `start_up` what starting cost in CPU seconds.
    """

    def __init__(
        self, python: Path, target: str, *, environment: Mapping[str, str], cwd: Path, first: str, threads: int = 4
    ) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{port}"
        self._first = f"{self.url}{first}"
        self._command = [str(python), "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", port]
        self._command += ["--workers", "2", "--blocking-threads", str(threads), "--backlog", "2048"]
        self._command += ["--backpressure", "2048", "--no-access-log", "--log-level", "warning", target]
        self._environment, self._cwd = dict(environment), cwd
        self.start_up = 0.0

    def __enter__(self) -> Self:
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            self._command,
            stdout=self._log,
            stderr=self._log,
            env=self._environment,
            cwd=self._cwd,
            start_new_session=True,
        )
        self.root = self._process.pid
        try:
            self._wait()
        except BaseException:
            self._end()
            raise
        self.start_up = settled(self.root)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not _answers(self._first):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._log.seek(0)
                raise AssertionError(f"{self._command} does not answer:\n{self._log.read()[-3000:].decode()}")
            time.sleep(0.1)

    def _end(self) -> None:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.root, sign)
                self._process.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        self._log.close()


def quietly(command: Sequence[str | Path], **options: object) -> str:
    """Output of a command that must succeed; its last words when it does not."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return str(done.stdout)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


PYTHON = Path(sys.executable)
