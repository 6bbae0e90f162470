"""What counting a request costs, in memory or in one statement of PostgreSQL: `python bench/limits.py`."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "highstreet.settings")

import django  # noqa: E402

django.setup()

import psycopg  # noqa: E402

from highstreet.kernel import postgres  # noqa: E402
from highstreet.web.limits import Buckets  # noqa: E402
from highstreet.web.rules import READS  # noqa: E402

TABLE = "CREATE UNLOGGED TABLE IF NOT EXISTS bucket (name text PRIMARY KEY, tokens float8 NOT NULL, at float8 NOT NULL)"
# The whole bucket in one statement; -1 says no.
TAKE = """
INSERT INTO bucket AS b VALUES (%(name)s, %(burst)s - 1, %(now)s) ON CONFLICT (name) DO UPDATE SET
tokens = CASE WHEN least(%(burst)s, b.tokens + (%(now)s - b.at) * %(rate)s) >= 1
         THEN least(%(burst)s, b.tokens + (%(now)s - b.at) * %(rate)s) - 1 ELSE -1 END, at = %(now)s
RETURNING tokens
"""
EACH = 1500


def measured(take: Callable[[str], object], subjects: list[str]) -> tuple[float, float]:
    """Median and 99th percentile of one call, in microseconds, with a thread for each subject."""
    seen: list[float] = []
    start = threading.Barrier(len(subjects))

    def ask(subject: str) -> None:
        take(subject)
        start.wait()
        for _ in range(EACH):
            began = time.perf_counter()
            take(subject)
            seen.append((time.perf_counter() - began) * 1e6)

    threads = [threading.Thread(target=ask, args=(subject,)) for subject in subjects]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statistics.median(seen), statistics.quantiles(seen, n=100)[98]


def main() -> None:
    kept, local = Buckets(), threading.local()
    with tempfile.TemporaryDirectory() as folder:
        server = postgres.start(Path(folder) / "pg")
        postgres.ensure_database(server, "bench")
        url = server.url("bench")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(TABLE)

        def in_database(subject: str) -> object:
            if not hasattr(local, "connection"):
                local.connection = psycopg.connect(url, autocommit=True)
            values = {"name": subject, "burst": READS.burst, "rate": READS.rate, "now": time.time()}
            return local.connection.execute(TAKE, values).fetchone()

        def in_memory(subject: str) -> object:
            return kept.take(subject, READS, time.time())

        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {EACH} calls a thread; microseconds")
        print("| where | threads | median | p99 |\n|---|---|---|---|")
        for name, take in (("memory", in_memory), ("PostgreSQL, unlogged", in_database)):
            for subjects in (["a"], [f"s{number}" for number in range(8)], ["same"] * 8):
                median, worst = measured(take, subjects)
                kind = f"{len(subjects)}{', one subject' if subjects[0] == 'same' else ''}"
                print(f"| {name} | {kind} | {median:.0f} | {worst:.0f} |")
        postgres.stop(Path(folder) / "pg")


if __name__ == "__main__":
    main()
