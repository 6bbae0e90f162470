"""Fresh databases for a running platform: one template a state of the code, copied in a second."""

from __future__ import annotations

import hashlib
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parents[2]
PRODUCTS = 40
LOCK = 7_203_118_001
_MADE_OF = (
    "src/highstreet/**/migrations/*.py",
    "src/highstreet/twin/loader.py",
    "src/highstreet/supply/**/*.py",
    "src/highstreet/people/**/*.py",
    "src/highstreet/twin/cities/poa/*.csv",
    "tests/support/template.py",
)


def server_url() -> str:
    """The server that the tests (or DATABASE_URL) run on; the embedded one is started when there is none."""
    if not os.environ.get("DATABASE_URL"):
        import highstreet.kernel.testing  # noqa: F401  (starts the embedded server and sets DATABASE_URL)
    return os.environ["DATABASE_URL"]


def url_of(name: str) -> str:
    return urlunsplit(urlsplit(server_url())._replace(path=f"/{name}"))


def connect(name: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(url_of(name), autocommit=True)


def create(environment: Mapping[str, str]) -> str:
    """A copy of the template under a name of its own. Returns the name."""
    name = f"hs_stack_{secrets.token_hex(5)}"
    with connect() as admin:
        admin.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        template = _template(admin, environment)
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
    return name


def drop(name: str) -> None:
    with connect() as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _template(admin: psycopg.Connection[tuple[object, ...]], environment: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for pattern in _MADE_OF:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.name.encode() + path.read_bytes())
    name = f"hs_template_{digest.hexdigest()[:12]}"
    known = [str(row[0]) for row in admin.execute("SELECT datname FROM pg_database WHERE datname LIKE 'hs_template_%'")]
    if name in known:
        return name
    for old in known:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(old)))
    growing = f"hs_growing_{secrets.token_hex(4)}"
    admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(growing)))
    try:
        subprocess.run(
            [sys.executable, "-m", "tests.support.template", str(PRODUCTS)],
            cwd=ROOT,
            check=True,
            env={**environment, "DATABASE_URL": url_of(growing)},
            capture_output=True,
            timeout=240,
            text=True,
        )
    except subprocess.CalledProcessError as error:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(growing)))
        raise AssertionError(f"the template cannot be made:\n{error.stderr[-3000:]}") from error
    admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(growing), sql.Identifier(name)))
    return name
