"""`highstreet backup FILE`, `highstreet restore FILE`: one file with everything, and proof that nothing is missing.

The file is a zip: what `pg_dump` wrote, and a manifest with the checksum of every table as it was in the same snapshot.
After a restore every table is summed again; a difference is an error.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Self

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from highstreet.kernel import dsn
from highstreet.kernel.postgres import programs
from highstreet.kernel.refusal import Refused

from .refusals import IN_USE

DUMP, MANIFEST, FORMAT = "database.dump", "manifest.json", 1
CHUNK = 1 << 20
# What a cell's text depends on: the same on both sides, whatever the servers' settings say.
_PLAIN = ("TimeZone=UTC", "extra_float_digits=1", "bytea_output=hex", "IntervalStyle=iso_8601", "DateStyle=ISO")


class Failed(Exception):
    """In words for whoever called; nothing was changed unless the words say so."""


@dataclass(frozen=True)
class Table:
    """`checksum` is the sum over all rows of a 64-bit hash of the row's text, so it does not depend on their order."""

    rows: int
    checksum: str


@dataclass(frozen=True)
class Manifest:
    made_at: str
    server: int
    migrations: list[list[str]]
    tables: dict[str, Table]
    sha256: str = ""
    format: int = FORMAT
    encoding: str = "UTF8"
    facts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: bytes) -> Self:
        try:
            raw: dict[str, Any] = json.loads(text)
            if raw["format"] != FORMAT:
                raise Failed(f"this backup has format {raw['format']}; this version reads {FORMAT}")
            return cls(**{**raw, "tables": {name: Table(**table) for name, table in raw["tables"].items()}})
        except (ValueError, KeyError, TypeError) as error:
            raise Failed("the manifest of this backup cannot be read") from error


def backup(url: str, path: Path) -> Manifest:
    """Write everything in the database to `path`, as it was at one moment; the platform may go on serving.

    The file appears when it is whole; whoever else can read it can read all customers, so only its owner may.
    """
    partial = path.with_name(f"{path.name}.part")
    try:
        with _snapshot(url) as (connection, name), _only_mine(partial) as file:
            program = _program("pg_dump", connection.info.server_version, url)
            command = [program, "-Fc", "-Z", "1", "--no-owner", "--no-privileges", f"--snapshot={name}"]
            dump = _run(command, url, stdout=subprocess.PIPE)
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as packed:
                with packed.open(DUMP, "w", force_zip64=True) as member:
                    digest = _copy(_pipe(dump), member)
                _check(dump, "pg_dump")
                one = connection.execute(_NOW).fetchone()
                manifest = Manifest(
                    made_at=str(one[0]) if one else "",
                    server=connection.info.server_version,
                    migrations=[list(row) for row in connection.execute(_MIGRATIONS)],
                    tables=checksums(connection),
                    sha256=digest,
                )
                packed.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return manifest


def restore(url: str, path: Path, *, replace: bool = False, jobs: int = 2) -> Manifest:
    """Fill the database at `url` from `path` and compare every table with the manifest.

    Refuses a database that holds tables, unless `replace`: then they are dropped first, but never while anybody else
    is connected (IN_USE). A backup made by newer code is refused by `highstreet migrate`; one by older code is brought
    up to date by it.
    """
    with tempfile.TemporaryDirectory(prefix="highstreet-restore-") as folder:
        dump = Path(folder) / DUMP
        manifest = _unpack(path, dump)
        with psycopg.connect(dsn.conninfo(url), autocommit=True) as connection:
            here = connection.info.server_version
            if here // 10000 < manifest.server // 10000:
                raise Failed(f"the backup is of PostgreSQL {manifest.server // 10000}, this server is {here // 10000}")
            program = _program("pg_restore", here, url)
            if _tables(connection):
                if not replace:
                    raise Failed("the database is not empty; --replace drops what is in it")
                if others := _others(connection):
                    raise Refused(IN_USE, count=others)
                connection.execute("DROP SCHEMA public CASCADE")
                connection.execute("CREATE SCHEMA public")
            command = [program, "--exit-on-error", "--no-owner", "--no-privileges", f"--jobs={jobs}", str(dump)]
            _check(_run(command, url, stdout=subprocess.DEVNULL), "pg_restore")
            connection.execute("ANALYZE")
            for setting in _PLAIN:
                connection.execute(f"SET {setting.replace('=', ' TO ')}")
            found = checksums(connection)
    wrong = sorted(
        name for name in found.keys() | manifest.tables.keys() if found.get(name) != manifest.tables.get(name)
    )
    if wrong:
        raise Failed(f"restored, but these tables differ from the backup: {', '.join(wrong[:10])}")
    return manifest


def checksums(connection: psycopg.Connection[Any]) -> dict[str, Table]:
    """Of every table in schema public, on a connection whose settings are `_PLAIN`."""
    found = {}
    for name in _tables(connection):
        query = sql.SQL("SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text FROM {} t")
        rows, total = connection.execute(query.format(sql.Identifier("public", name))).fetchone() or (0, "0")
        found[name] = Table(rows, total)
    return found


def _unpack(path: Path, dump: Path) -> Manifest:
    """Take the dump out of the file, whole or not at all."""
    try:
        with zipfile.ZipFile(path) as packed:
            manifest = Manifest.read(packed.read(MANIFEST))
            with packed.open(DUMP) as member, _only_mine(dump) as file:
                if _copy(member, file) == manifest.sha256:
                    return manifest
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise Failed(f"this is no backup, or it is damaged ({error}); nothing was changed") from error
    raise Failed("this backup is damaged: its checksum differs; nothing was changed")


_NOW = "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
_MIGRATIONS = "SELECT app, name FROM django_migrations ORDER BY app, name"


def _tables(connection: psycopg.Connection[Any]) -> list[str]:
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    return [str(row[0]) for row in connection.execute(query)]


def _others(connection: psycopg.Connection[Any]) -> int:
    """How many sessions besides this one are in the database; the server's own, such as autovacuum's, have no user."""
    query = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND usesysid IS NOT NULL AND pid <> pg_backend_pid()"
    )
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


@contextmanager
def _snapshot(url: str) -> Iterator[tuple[psycopg.Connection[Any], str]]:
    given = dsn.parameters(url)
    options = " ".join([given.pop("options", ""), *(f"-c {setting}" for setting in _PLAIN)])
    with psycopg.connect(make_conninfo(**given, options=options)) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        name = connection.execute("SELECT pg_export_snapshot()").fetchone()
        if name is None:
            raise Failed("the server gives no snapshot")
        yield connection, str(name[0])


def _program(name: str, server: int, url: str) -> str:
    """A `pg_dump` or `pg_restore` that is not older than the server: the wheel's, else the system's.

    The wheel's are built without TLS, so a URL that insists on it leaves the system's.
    """
    insists = dsn.parameters(url).get("sslmode") in ("require", "verify-ca", "verify-full")
    for candidate in [*([] if insists else map(str, programs(name))), shutil.which(name) or ""]:
        if candidate and Path(candidate).exists():
            said = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False).stdout
            major = re.search(r"\) (\d+)", said)
            if major and int(major[1]) >= server // 10000:
                return candidate
    tls = " with TLS" if insists else ""
    raise Failed(f"no {name} for PostgreSQL {server // 10000}{tls} here; install PostgreSQL's client programs")


def _run(command: list[str], url: str, *, stdout: int) -> subprocess.Popen[bytes]:
    """A program of PostgreSQL's on the database, whose statements may take as long as they need."""
    reached, environment = dsn.for_programs(url)
    patient = f"{environment.get('PGOPTIONS', '')} -c statement_timeout=0 -c lock_timeout=0"
    return subprocess.Popen(
        [*command, f"--dbname={reached}"],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment, "PGOPTIONS": patient},
    )


@contextmanager
def _only_mine(path: Path) -> Iterator[IO[bytes]]:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600), "w+b") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _pipe(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdout is None:
        raise Failed("the program gives no output")
    return process.stdout


def _copy(source: IO[bytes], target: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        target.write(chunk)
    return digest.hexdigest()


def _check(process: subprocess.Popen[bytes], name: str) -> None:
    said = process.communicate()[1].decode(errors="replace").strip()
    if process.returncode:
        raise Failed(f"{name} failed: {said[-500:]}")
