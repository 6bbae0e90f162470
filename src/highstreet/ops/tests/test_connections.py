"""What DATABASE_URL says reaches every connection: Django's, the streams', and those of pg_dump and pg_restore."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import django.db
import psycopg
import pytest
from django.db import connection
from django.db.utils import ConnectionHandler
from psycopg.conninfo import conninfo_to_dict

from highstreet.kernel import dsn
from highstreet.kernel.postgres import programs
from highstreet.ops import backup as backups
from highstreet.settings import _database
from highstreet.web.streams import Hub, make_app

FULL = "sslmode=verify-full&sslrootcert=/etc/ssl/our%20ca.pem"


def options(url: str) -> dict[str, Any]:
    found = _database(url)["OPTIONS"]
    assert isinstance(found, dict)
    return found


def test_every_parameter_reaches_django() -> None:
    found = _database(f"postgresql://shop:p%40ss@db:5433/hs?{FULL}&target_session_attrs=read-write")
    names = ("NAME", "USER", "PASSWORD", "HOST", "PORT")
    assert [found[name] for name in names] == ["hs", "shop", "p@ss", "db", "5433"]
    given = options(f"postgresql://db/hs?{FULL}&target_session_attrs=read-write")
    assert (given["sslmode"], given["sslrootcert"]) == ("verify-full", "/etc/ssl/our ca.pem")
    assert given["target_session_attrs"] == "read-write"


def test_options_of_the_url_come_after_ours() -> None:
    said = options("postgresql://db/hs?options=-c%20role%3Downer")["options"]
    assert said.startswith("-c statement_timeout=") and said.endswith(" -c role=owner")


def test_a_lost_machine_is_noticed_over_tcp_and_the_url_has_the_last_word() -> None:
    for url in ("postgresql://db/hs", "postgresql://h1,h2/hs", "postgresql:///hs?hostaddr=10.0.0.7"):
        assert dsn.OVER_TCP.items() <= options(url).items(), url
    assert options("postgresql://db/hs?connect_timeout=2")["connect_timeout"] == "2"
    for url in ("postgresql:///hs", "postgresql://postgres@/hs?host=/tmp/a%20socket"):
        assert not dsn.OVER_TCP.keys() & options(url).keys(), url
    assert _database("postgresql://postgres@/hs?host=/tmp/a%20socket")["HOST"] == "/tmp/a socket"


def test_a_service_keeps_its_own_names_and_a_typo_is_refused() -> None:
    assert [_database("postgresql:///?service=shop")[name] for name in ("NAME", "USER")] == ["", ""]
    with pytest.raises(psycopg.ProgrammingError):
        _database("postgresql://db/hs?sslmod=verify-full")


def test_programs_are_told_everything_and_no_password_on_their_command_line() -> None:
    line, environment = dsn.for_programs(f"postgresql://shop:geheim@db:5433/hs?{FULL}&sslpassword=geheim")
    assert environment["PGPASSWORD"] == "geheim" and "geheim" not in line
    assert (environment["PGSSLMODE"], environment["PGSSLROOTCERT"]) == ("verify-full", "/etc/ssl/our ca.pem")
    assert environment["PGHOST"] == "db" and environment["PGPORT"] == "5433"
    said = conninfo_to_dict(line)
    assert (said["dbname"], said["tcp_user_timeout"]) == ("hs", dsn.OVER_TCP["tcp_user_timeout"])


@pytest.fixture
def over_tcp(db: None) -> Iterator[str]:
    """The server of the tests, which knows no TLS, at a port: `sslmode` means nothing on its socket."""
    at = connection.settings_dict
    path = f"{at['HOST']}/.s.PGSQL.{at['PORT'] or 5432}"
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_forward, args=(server, path), daemon=True).start()
        yield f"postgresql://{at['USER']}@127.0.0.1:{server.getsockname()[1]}/{at['NAME']}"
        server.shutdown(socket.SHUT_RDWR)


def _forward(server: socket.socket, path: str) -> None:
    with suppress(OSError):
        while True:
            near, _ = server.accept()
            far = socket.socket(socket.AF_UNIX)
            far.connect(path)
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=_copy, args=(source, target), daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def django_asks(url: str) -> None:
    one = ConnectionHandler({"default": {**_database(url)}}).create_connection("default")
    try:
        with one.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        one.close()


def streams_ask(url: str) -> None:
    asyncio.run(Hub(dsn.conninfo(url)).still_in([]))


def dump_asks(url: str) -> None:
    program = str(programs("pg_dump")[-1])
    backups._check(
        backups._run([program, "--schema-only", "-t", "django_migrations"], url, stdout=subprocess.DEVNULL), "dump"
    )


@pytest.mark.parametrize("ask", [django_asks, streams_ask, dump_asks])
def test_who_insists_on_tls_gets_no_plain_connection(ask: Any, over_tcp: str) -> None:
    refusals = (django.db.OperationalError, psycopg.OperationalError, backups.Failed)
    with pytest.raises(refusals, match=r"does not support SSL|SSL support is not compiled in"):
        ask(f"{over_tcp}?sslmode=verify-full&sslrootcert=system")
    # Without it the very same question is answered.
    ask(over_tcp)


def test_who_insists_on_tls_is_not_given_a_program_without_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The wheel's are built without; the system's is taken, or asked for."""
    theirs = tmp_path / "pg_dump"
    theirs.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 99.1'\n")
    theirs.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    plain, secure = "postgresql://db/hs", "postgresql://db/hs?sslmode=verify-full"
    assert backups._program("pg_dump", 150000, plain) in map(str, programs("pg_dump"))
    assert backups._program("pg_dump", 150000, secure) == str(theirs)
    theirs.unlink()
    with pytest.raises(backups.Failed, match="with TLS here; install"):
        backups._program("pg_dump", 150000, secure)


def test_the_streams_notice_a_lost_machine_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/hs")
    assert dsn.OVER_TCP.items() <= conninfo_to_dict(make_app().state.hub.dsn).items()
