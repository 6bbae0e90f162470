"""What load balancers and Prometheus ask, on real servers: liveness whatever is stuck, readiness, figures, drain."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections import Counter
from typing import Any

import httpx
import psycopg
import pytest
from bench.load import Wire

from highstreet.kernel import ids
from tests.conftest import Add
from tests.support import balancer, databases, loops, probe, shop
from tests.support.stack import Stack

SLOTS = 2


def test_livez_answers_while_every_slot_waits_for_the_database(row: Add) -> None:
    """A lock that every new cart needs: the slots are stuck in PostgreSQL, pages are refused, /livez is not."""
    # Longer than this test holds the lock: a statement that is given up would free its slot.
    patient = {"HIGHSTREET_QUERY_MS": "30000"}
    with (
        Stack(["web"], threads=SLOTS, environment=patient) as stack,
        psycopg.connect(databases.url_of(stack.database)) as other,
    ):
        other.execute("LOCK TABLE cart_cart IN ACCESS EXCLUSIVE MODE")
        stuck, seen, asked, open_now = loops.run(_stuck(stack, other))
    row(
        "L3",
        "every slot stuck in PostgreSQL",
        n=asked.asked + sum(seen.values()),
        accepted=f"{asked.asked} /livez",
        refused=f"{seen[503]} pages",
        notes=asked,
    )
    assert asked.failed == []
    assert asked.asked >= 5
    assert seen == {503: 12}
    assert open_now == SLOTS
    assert stuck == {201: SLOTS}


async def _stuck(stack: Stack, other: psycopg.Connection[Any]) -> tuple[Counter[int], Counter[int], probe.Probe, int]:
    """What became of the carts, of the pages asked for meanwhile, of /livez; and the server's connections then."""
    carts, pages = Counter[int](), Counter[int]()

    async def ask(method: str, path: str, seen: Counter[int], body: bytes = b"") -> None:
        wire = Wire(stack.url)
        headers = {"Content-Type": "application/json", "Idempotency-Key": ids.random_token(16)}
        seen[(await wire.ask(method, path, body, headers)).status] += 1
        wire.close()

    body = json.dumps({"city": shop.CITY}).encode()
    waiting = [asyncio.create_task(ask("POST", "/api/v1/carts", carts, body)) for _ in range(SLOTS)]
    await asyncio.sleep(1.0)
    async with probe.probing(stack.url) as asked:
        await asyncio.gather(*(ask("GET", "/browse", pages) for _ in range(12)))
        open_now = stack.one(_WAITING)
        await asyncio.sleep(1.0)
    other.rollback()
    await asyncio.gather(*waiting)
    return carts, pages, asked, int(open_now)


_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


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
        stack.sql(
            "DELETE FROM django_migrations "
            "WHERE app = 'kernel' AND name = (SELECT max(name) FROM django_migrations WHERE app = 'kernel')"
        )
        late = http.get("/readyz")
        assert (late.status_code, late.json()["status"]) == (503, "migrations are not applied")
        assert http.get("/livez").status_code == 200


@pytest.mark.long
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
    shelf = shop.bottomless_shelf(stack)
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
