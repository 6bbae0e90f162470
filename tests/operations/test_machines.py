"""Two machines on one database: two web servers, two workers, two dispatchers; either may die at any moment."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import Any
from uuid import UUID

import httpx
import pytest

from highstreet.kernel import ids
from tests.conftest import Add
from tests.support import balancer, loops, shop
from tests.support.stack import Stack

EVERYTHING = ("web", "web2", "worker", "worker2", "dispatch", "dispatch2")
PAIRS = ("web", "worker", "dispatch")
# Which process has which city's lock.
LED = (
    "FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 1752391524 "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
LEADERS = f"SELECT count(*) {LED}"


def either_dies(rounds: int, row: Add) -> None:
    with Stack(EVERYTHING) as stack:
        assert stack.eventually(LEADERS, 1) == 1
        seen, acknowledged, kills, recovered = loops.run(_under_load(stack, rounds))
        pending = stack.eventually("SELECT count(*) FROM kernel_outboxdelivery WHERE done_at IS NULL", 0, 150)
        notes = Counter(str(note) for (note,) in stack.sql("SELECT note FROM orders_order"))
        lost = [note for note in acknowledged if notes[note] != 1]
        verdict = stack.audit()
        leaders = stack.eventually(LEADERS, 1)
    row(
        "K1",
        f"two machines, {kills} of their processes killed with -9 in turn",
        n=sum(seen.values()),
        accepted=f"{len(acknowledged)} orders acknowledged, {len(lost)} lost",
        refused=dict(seen),
        invariants="hold" if verdict.code == 0 else verdict.broken,
        notes=f"leader again after {recovered:.1f} s",
    )
    assert lost == []
    assert len(acknowledged) > 5
    assert not any(code.startswith("5") for code in seen), seen
    assert pending == 0
    assert leaders == 1
    assert verdict.code == 0, verdict.broken


async def _under_load(stack: Stack, rounds: int) -> tuple[Counter[str], list[str], int, float]:
    """Four shoppers order without end while one of each pair is killed; who lost its answer asks again."""
    shelf = await asyncio.to_thread(shop.bottomless_shelf, stack)
    over, seen, acknowledged, kills, recovered = asyncio.Event(), Counter[str](), list[str](), 0, 0.0

    async def shopper(number: int) -> None:
        turn = 0
        front_end = front.transport()
        async with httpx.AsyncClient(transport=front_end, base_url="http://shop/api/v1", timeout=30) as http:
            while not over.is_set():
                turn += 1
                note = f"{number}-{turn}"
                one = balancer.Watched(http, number, seen, note=note, tries=20)
                if await one.order(shelf):
                    acknowledged.append(note)

    async with balancer.Balancer([stack.url, stack.url_of("web2")]) as front:
        crowd = [asyncio.create_task(shopper(number)) for number in range(4)]
        try:
            for turn in range(rounds):
                for name in PAIRS:
                    victim = name + ("", "2")[turn % 2]
                    await asyncio.sleep(0.7)
                    at = asyncio.get_running_loop().time()
                    await asyncio.to_thread(stack.kill9, victim)
                    kills += 1
                    if name == "dispatch":
                        assert await asyncio.to_thread(stack.eventually, LEADERS, 1, 20.0) == 1
                        recovered = max(recovered, asyncio.get_running_loop().time() - at)
                    await asyncio.to_thread(stack.restart, victim)
        finally:
            over.set()
            await asyncio.gather(*crowd)
    return seen, acknowledged, kills, recovered


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("rounds", [1, 6])
def test_either_machine_may_die(rounds: int, row: Add) -> None:
    either_dies(rounds, row)


@pytest.mark.long
def test_two_dispatchers_share_the_cities_and_one_takes_over_from_the_other() -> None:
    with Stack(["dispatch", "dispatch2"]) as stack:
        stack.sql(
            "INSERT INTO organisations_city SELECT (json_populate_record(c, json_build_object("
            "'id', gen_random_uuid(), 'code', 'second'))).* FROM organisations_city c"
        )
        each = f"SELECT count(DISTINCT pid) * 10 + count(DISTINCT objid) {LED}"
        fresh = (
            "SELECT count(*) FROM kernel_heartbeat "
            "WHERE starts_with(name, 'dispatch ') AND at > now() - interval '5 seconds'"
        )
        assert stack.eventually(each, 22) == 22
        for victim in ("dispatch", "dispatch2"):
            assert stack.eventually(fresh, 2) == 2
            stack.kill9(victim)
            assert stack.eventually(each, 12) == 12
            stack.sql("DELETE FROM kernel_heartbeat")
            assert stack.eventually(fresh, 2) == 2
            stack.restart(victim)
            assert stack.eventually(each, 22) == 22


def test_who_signs_out_on_one_machine_is_out_on_the_other() -> None:
    with Stack(["web", "web2"]) as stack, _browser(stack.url) as here, _browser(stack.url_of("web2")) as there:
        form = here.get("/accounts/login/")
        told = {"login": "picker", "password": "demo", "csrfmiddlewaretoken": _csrf(form.text)}
        assert here.post("/accounts/login/", data=told).status_code == 302
        there.cookies = here.cookies
        for _ in range(2):
            assert not any(_sent_to_sign_in(one) for one in (here, there))
        stolen = httpx.Cookies(here.cookies)
        out = here.post("/accounts/logout/", data={"csrfmiddlewaretoken": here.cookies["csrftoken"]})
        assert out.status_code == 302, out.text
        there.cookies = stolen
        assert _sent_to_sign_in(there)
        # A dismissed one is out as well, wherever its session was last seen.
        token = httpx.post(f"{stack.url}/api/v1/sessions", json={"username": "picker", "password": "demo"})
        bearer = {"Authorization": f"Bearer {token.json()['token']}"}
        topics = here.get("/api/v1/streams", headers=bearer).json()["topics"]
        own = next(topic.removeprefix("store:") for topic in topics if topic.startswith("store:"))
        queue = {"store": ids.public("str", UUID(own))}
        for one in (here, there):
            assert one.get("/api/v1/store/queue", headers=bearer, params=queue).status_code == 200
        stack.sql("UPDATE accounts_user SET is_active = false WHERE username = 'picker'")
        for one in (here, there):
            assert one.get("/api/v1/store/queue", headers=bearer, params=queue).status_code == 401


def _browser(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, trust_env=False, timeout=60, headers={"Referer": url, "Accept-Language": "en"})


def _sent_to_sign_in(browser: httpx.Client) -> bool:
    answer = browser.get("/store/")
    return "login" in answer.headers.get("Location", "")


def _csrf(page: str) -> Any:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert found, page[:500]
    return found[1]
