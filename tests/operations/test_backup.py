"""K5: everything is backed up, wiped and restored; every table is as it was and the books are in order."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import psycopg
import pytest

from highstreet.ops import backup as backups
from tests.conftest import Add
from tests.support import databases, many
from tests.support.stack import Stack

SEED = "none: copies"


def highstreet(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "highstreet", *words],
        env=stack.environment,
        cwd=databases.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def seconds_of(said: subprocess.CompletedProcess[str]) -> float:
    found = re.search(r"([\d.]+) s$", said.stdout.strip().splitlines()[0])
    assert found, said.stdout + said.stderr
    return float(found[1])


def sums(stack: Stack) -> dict[str, backups.Table]:
    options = " ".join(f"-c {setting}" for setting in backups._PLAIN)
    with psycopg.connect(databases.url_of(stack.database), options=options) as connection:
        return backups.checksums(connection)


def round_trip(stack: Stack, orders: int, row: Add) -> tuple[float, float]:
    """Back up, wipe, restore; returns how long each took."""
    rows = many.orders(stack, orders)
    file = stack.home / "highstreet.backup"
    saved = highstreet(stack, "backup", str(file))
    assert saved.returncode == 0, saved.stderr
    assert file.stat().st_mode & 0o077 == 0
    before = sums(stack)
    before.pop("kernel_heartbeat")
    again = highstreet(stack, "restore", str(file))
    assert again.returncode == 2 and "not empty" in again.stderr, again.stderr
    stack.sql("DROP SCHEMA public CASCADE")
    stack.sql("CREATE SCHEMA public")
    restored = highstreet(stack, "restore", str(file))
    assert restored.returncode == 0, restored.stderr
    after = sums(stack)
    after.pop("kernel_heartbeat")
    assert after == before
    started = time.monotonic()
    verdict = stack.audit(many.AUDIT)
    audit = time.monotonic() - started
    assert verdict.code == 0, verdict.broken
    took, size = (seconds_of(saved), seconds_of(restored)), file.stat().st_size / 1e6
    row(
        "K5",
        f"back up, wipe and restore {orders} orders",
        n=f"{rows} rows",
        accepted=f"{len(before)} tables equal",
        refused="1 (not empty)",
        invariants="hold",
        seed=SEED,
        notes=f"backup {took[0]:.0f} s, {size:.0f} MB, restore {took[1]:.0f} s, audit {audit:.0f} s",
    )
    return took


def test_what_was_wiped_comes_back(row: Add) -> None:
    with Stack(["web"]) as stack:
        round_trip(stack, 500, row)
        file = stack.home / "highstreet.backup"
        # One byte of the dump turned over: the checksum says so, and what is there stays.
        content = bytearray(file.read_bytes())
        content[len(content) // 3] ^= 0xFF
        (stack.home / "damaged").write_bytes(content)
        damaged = highstreet(stack, "restore", "--replace", str(stack.home / "damaged"))
        assert damaged.returncode == 2, damaged.stdout
        assert stack.one("SELECT count(*) FROM orders_order") == 501


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_million_orders_come_back_within_five_minutes(row: Add) -> None:
    with Stack(["web"]) as stack:
        saved, restored = round_trip(stack, many.MANY, row)
    assert saved < 300
    assert restored < 300
