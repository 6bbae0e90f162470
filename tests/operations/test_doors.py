"""What load balancers and Prometheus ask, on real servers: liveness whatever is stuck, readiness, figures, drain."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter

import httpx
import psycopg
from bench.load import Wire

from tests.conftest import Add
from tests.support import balancer, databases, loops, probe, shop
from tests.support.stack import Stack

SLOTS = 2


def test_livez_answers_while_every_slot_waits_for_the_database(row: Add) -> None:
    """A lock on the table that each page reads: all slots are stuck; only who may wait long still waits."""
    with Stack(["web"], threads=SLOTS) as stack, psycopg.connect(databases.url_of(stack.database)) as other:
        loops.run(_pages(stack, 1))
        other.execute("LOCK TABLE organisations_city, catalog_product, django_session IN ACCESS EXCLUSIVE MODE")
        seen, asked = loops.run(_stuck(stack))
        assert stack.one("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()") <= SLOTS + 2
        other.rollback()
        assert loops.run(_pages(stack, 3)) == {200: 3}
    row("L3", "every slot stuck in the database: /livez", n=asked.asked, accepted=asked.asked, refused=0, notes=asked)
    assert asked.failed == []
    assert seen[503] >= 10


async def _stuck(stack: Stack) -> tuple[Counter[int], probe.Probe]:
    async with probe.probing(stack.url) as asked:
        pages = asyncio.create_task(_pages(stack, 20, seconds=2.5))
        seen = await pages
    return seen, asked


async def _pages(stack: Stack, count: int, *, seconds: float = 20.0) -> Counter[int]:
    """Products asked for at once, each on a connection of its own; 0 stands for no answer in time."""
    seen: Counter[int] = Counter()

    async def one(number: int) -> None:
        wire = Wire(stack.url)
        try:
            path = f"/api/v1/cities?{number}" if number % 2 else "/browse"
            seen[(await asyncio.wait_for(wire.ask("GET", path), seconds)).status] += 1
        except TimeoutError:
            seen[0] += 1
        wire.close()

    await asyncio.gather(*(one(number) for number in range(count)))
    return seen


def test_figures_are_for_our_network_and_add_up_over_processes() -> None:
    with Stack(["web"], web_workers=2) as stack, httpx.Client(base_url=stack.url, trust_env=False) as http:
        for _ in range(5):
            assert http.get("/api/v1/cities", headers={"Connection": "close"}).status_code == 200
        text = http.get("/metrics").text
        assert 'highstreet_requests_total{method="GET",route="api/v1/cities",status="200"} 5.0' in text
        for name in ("outbox_lag_seconds", "job_queue_seconds", "webhooks_waiting", "database_up", "build_info"):
            assert f"highstreet_{name}" in text, name
        assert http.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404


def test_an_old_database_is_not_ready() -> None:
    with Stack(["web"]) as stack, httpx.Client(base_url=stack.url, trust_env=False) as http:
        assert http.get("/readyz").status_code == 200
        stack.sql("DELETE FROM django_migrations WHERE app = 'kernel' AND name LIKE '0004%'")
        late = http.get("/readyz")
        assert (late.status_code, late.json()["status"]) == (503, "migrations are not applied")
        assert http.get("/livez").status_code == 200


def test_a_restart_loses_no_request(row: Add) -> None:
    """Two web servers behind a balancer, one restarted under load: what was asked is answered, and well."""
    with Stack(["web", "web2"], drain=1.5) as stack:
        seen, restarts = loops.run(_restarts(stack, rounds=2))
        orders = stack.one("SELECT count(*) FROM orders_order")
        verdict = stack.audit()
    good = sum(count for code, count in seen.items() if code.startswith("2"))
    row(
        "L2",
        "restart one of two web servers under load",
        n=sum(seen.values()),
        accepted=good,
        refused=sum(seen.values()) - good,
        invariants="hold" if verdict.code == 0 else verdict.broken,
        notes=f"{restarts} restarts, {orders} orders",
    )
    assert good == sum(seen.values()), seen
    assert orders > 5
    assert verdict.code == 0, verdict.broken


async def _restarts(stack: Stack, *, rounds: int) -> tuple[Counter[str], int]:
    shelf = shop.only_shelf(stack, 10_000)
    over = asyncio.Event()
    seen: Counter[str] = Counter()
    async with balancer.Balancer([stack.url, stack.url_of("web2")]) as front:

        async def shopper(number: int) -> None:
            async with httpx.AsyncClient(
                transport=front.transport(), base_url="http://shop/api/v1", timeout=30
            ) as http:
                while not over.is_set():
                    buyer = balancer.Watched(http, number, seen)
                    await buyer.order(shelf)

        crowd = [asyncio.create_task(shopper(number)) for number in range(6)]
        done = 0
        try:
            for turn in range(rounds):
                name = ("web", "web2")[turn % 2]
                await asyncio.sleep(1.5)
                os.kill(stack.processes[name].pid, signal.SIGTERM)
                started = time.monotonic()
                await asyncio.to_thread(stack.processes[name].wait, 30)
                assert time.monotonic() - started > 1.0
                stack.launch(name)
                await asyncio.to_thread(stack.wait_for, name)
                done += 1
            await asyncio.sleep(1.0)
        finally:
            over.set()
            await asyncio.gather(*crowd)
    return seen, done
