"""What this machine allows at best: `python bench/ceiling.py [--clients 8] [--seconds 4]`.

A bare Django view on the server that Highstreet runs on, and the writes of an order as plain SQL: by connections of
this process, and by pgbench. Highstreet's own figures are `bench/serving.py`'s, which prints these beside them.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "highstreet.settings")

import psycopg  # noqa: E402
from psycopg.conninfo import conninfo_to_dict  # noqa: E402
from tests.support import databases  # noqa: E402

databases.server_url()

from bench.load import Cost, Meter, Operation, Wire, cpu_seconds, latencies, parent  # noqa: E402
from bench.process import PYTHON, Served, quietly  # noqa: E402
from highstreet.kernel import postgres  # noqa: E402

STOCK = 20_000
SYSTEM = "limit of the machine"
TABLES = """
CREATE TABLE stock (id int PRIMARY KEY, on_hand int NOT NULL CHECK (on_hand >= 0));
CREATE TABLE placed (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, total int NOT NULL, at timestamptz NOT NULL);
CREATE TABLE line (placed_id bigint NOT NULL REFERENCES placed, stock_id int NOT NULL, units int NOT NULL);
CREATE TABLE payment (placed_id bigint NOT NULL REFERENCES placed, amount int NOT NULL, state text NOT NULL);
"""
FILL = "INSERT INTO stock SELECT n, 100000000 FROM generate_series(1, %s) n"
# Nine statements: begin, three conditional decrements (ids sorted), the order, its lines, its payment, commit; the
# first of pgbench's own is the choice of lines. As one statement: the same writes, or none of them.
NINE = [
    "UPDATE stock SET on_hand = on_hand - 1 WHERE id = {a} AND on_hand >= 1",
    "UPDATE stock SET on_hand = on_hand - 1 WHERE id = {a} + 1 AND on_hand >= 1",
    "UPDATE stock SET on_hand = on_hand - 1 WHERE id = {a} + 2 AND on_hand >= 1",
    "INSERT INTO placed (total, at) VALUES (3000, now()) RETURNING id",
    "INSERT INTO line VALUES ({id}, {a}, 1), ({id}, {a} + 1, 1), ({id}, {a} + 2, 1)",
    "INSERT INTO payment VALUES ({id}, 3000, 'pending')",
]
ONE = """
WITH wanted AS (SELECT id FROM stock WHERE id BETWEEN {a} AND {a} + 2 AND on_hand >= 1 ORDER BY id FOR UPDATE),
 taken AS (UPDATE stock SET on_hand = on_hand - 1 WHERE id IN (SELECT id FROM wanted)
  AND (SELECT count(*) FROM wanted) = 3 RETURNING id),
 made AS (INSERT INTO placed (total, at) SELECT 3000, now() FROM taken HAVING count(*) = 3 RETURNING id),
 lines AS (INSERT INTO line SELECT made.id, taken.id, 1 FROM made, taken)
INSERT INTO payment SELECT id, 3000, 'pending' FROM made
"""


@contextmanager
def database() -> Iterator[str]:
    """A database of its own with the four tables an order writes to; its address."""
    name = f"bench_ceiling_{secrets.token_hex(4)}"
    with databases.connect() as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    try:
        with psycopg.connect(databases.url_of(name), autocommit=True) as connection:
            connection.execute(TABLES)
            connection.execute(FILL, [STOCK])
            connection.execute("VACUUM ANALYZE")
        yield databases.url_of(name)
    finally:
        databases.drop(name)


def libpq(url: str) -> dict[str, str]:
    """The address as libpq's environment has it."""
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    return {names[key]: str(value) for key, value in conninfo_to_dict(url).items() if key in names and value}


def bare(url: str, clients: list[int], seconds: float) -> Iterator[Cost]:
    """Hello and one SELECT from a bare view on granian."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **libpq(url)}

    async def hello(wire: Wire, number: int) -> bool:
        return (await wire.ask("GET", "/hello")).status == 200

    async def row(wire: Wire, number: int) -> bool:
        return (await wire.ask("GET", f"/row/{1 + number % STOCK}")).status == 200

    views: dict[str, Operation] = {"bare view, hello": hello, "bare view, one SELECT": row}
    with Served(PYTHON, "bench.bare:application", environment=environment, cwd=ROOT, first="/hello") as server:
        meter = Meter(server.url, server.root, postmaster(url), seconds, SYSTEM)
        for name, view in views.items():
            for count in clients:
                yield meter.run(name, view, count)


def postmaster(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        return parent(connection.info.backend_pid)


def by_psycopg(url: str, clients: int, seconds: float) -> Cost:
    """Orders from one process, a thread and a connection a client: what Python's driver costs is in it."""
    took: list[float] = []
    start, until = threading.Barrier(clients), [0.0]

    def order(connection: psycopg.Connection[tuple[object, ...]], first: int) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            placed: object = None
            for statement in NINE:
                cursor.execute(statement.format(a="%(a)s::int", id="%(id)s::bigint"), {"a": first, "id": placed})
                if statement.startswith("UPDATE") and cursor.rowcount != 1:
                    raise AssertionError("a decrement found nothing")
                if cursor.description and (row := cursor.fetchone()):
                    placed = row[0]

    def client(number: int) -> None:
        with psycopg.connect(url, autocommit=True, prepare_threshold=1) as connection:
            start.wait()
            turn = 0
            until[0] = until[0] or time.perf_counter() + seconds
            while (began := time.perf_counter()) < until[0]:
                order(connection, 1 + (number * 7919 + turn * 13) % (STOCK - 3))
                took.append((time.perf_counter() - began) * 1000)
                turn += 1

    root = postmaster(url)
    own, theirs = time.process_time(), cpu_seconds(root)
    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = max(1, len(took))
    each = [(time.process_time() - own) / done * 1000, (cpu_seconds(root) - theirs) / done * 1000]
    return Cost(
        "an order in SQL, by psycopg",
        clients,
        done,
        0,
        done / seconds,
        *latencies(took),
        each[0],
        each[1],
        None,
        None,
        SYSTEM,
    )


def by_pgbench(url: str, clients: int, seconds: float) -> Iterator[Cost]:
    """Orders by pgbench, where the PostgreSQL at hand has it: as nine statements, and as one."""
    pgbench = postgres.programs("pgbench")
    if not pgbench:
        return
    choice = f"\\set a random(1, {STOCK - 3})\n"
    nine = [statement.format(a=":a", id=":id") + ";" for statement in NINE]
    nine[3] = nine[3].rstrip(";") + " \\gset"
    scripts = {
        "an order in SQL, nine statements, by pgbench": choice + "\n".join(["BEGIN;", *nine, "COMMIT;"]),
        "an order in SQL, one statement, by pgbench": choice + ONE.format(a=":a").replace("\n", " ") + ";",
    }
    environment = {**os.environ, **libpq(url)}
    root = postmaster(url)
    for name, script in scripts.items():
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "order.sql"
            file.write_text(script + "\n")
            command: list[str | Path] = [
                pgbench[-1],
                "-n",
                "-M",
                "prepared",
                "-c",
                str(clients),
                "-j",
                "2",
                "-T",
                str(round(seconds)),
            ]
            began, own = cpu_seconds(root), os.times()
            said = quietly([*command, "-l", "--log-prefix", f"{folder}/log", "-f", file], env=environment)
            ended, after = cpu_seconds(root), os.times()
            logs = [path.read_text().splitlines() for path in Path(folder).glob("log*")]
        took = [int(line.split(" ")[2]) / 1000 for lines in logs for line in lines]
        rate = float(re.findall(r"tps = ([\d.]+)", said)[0])
        done = max(1, len(took))
        spent = after.children_user + after.children_system - own.children_user - own.children_system
        each = [spent / done * 1000, (ended - began) / done * 1000]
        yield Cost(name, clients, done, 0, rate, *latencies(took), each[0], each[1], None, None, SYSTEM)


def costs(clients: list[int], seconds: float) -> Iterator[Cost]:
    """All the limits, one after another."""
    with database() as url:
        yield from bare(url, clients, seconds)
        for count in clients:
            yield by_psycopg(url, count, seconds)
            yield from by_pgbench(url, count, seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[8])
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n{Cost.head()}")
    for cost in costs(options.clients, options.seconds):
        print(cost.row(), flush=True)
    if not postgres.programs("pgbench"):
        print("pgbench: not beside this PostgreSQL, left out")
    return 0


if __name__ == "__main__":
    sys.exit(main())
