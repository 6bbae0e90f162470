"""Rate limits: the bucket's arithmetic, whose bucket it is, and what a caller is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from highstreet.growth.partners import actions as partners
from highstreet.kernel import clock
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.people.accounts.actions import issue_token
from highstreet.people.accounts.reads import actor_of_user
from highstreet.people.accounts.rules import address_of
from highstreet.supply.organisations.reads import forget
from highstreet.web.console.tests.support import Scene, a_scene
from highstreet.web.limits import Buckets, buckets
from highstreet.web.rules import READS, WRITES, limit_for, take

TYPES = "/api/v1/partners/event-types"


@pytest.fixture
def scene(db: None, settings: Any) -> Iterator[Scene]:
    settings.RATE = "1"
    buckets.forget()
    with clock.frozen(clock.now()):
        yield a_scene()
    buckets.forget()
    forget()


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket, given = None, 0
    for _ in range(150):
        taken = take(bucket, READS, 1000.0)
        bucket, given = taken.bucket, given + taken.allowed
    assert (given, taken.remaining) == (100, 0)
    assert taken.wait == pytest.approx(0.05)
    assert take(bucket, READS, 1000.049).allowed is False
    assert take(bucket, READS, 1000.051).allowed is True
    assert take(bucket, READS, 2000.0).remaining == 99
    assert take(bucket, READS, 900.0).allowed is False


def test_what_is_counted() -> None:
    assert limit_for("GET", "/api/v1/cities") == limit_for("HEAD", "/api/v1/cities") == READS
    assert limit_for("POST", "/api/v1/orders") == limit_for("DELETE", "/api/v1/partners/keys/x") == WRITES
    for path in ("/console/", "/api/v1/sessions", "/api/v1/payments/wechat/notify", "/livez"):
        assert limit_for("POST", path) is None


def test_addresses_behind_proxies_cannot_be_made_up() -> None:
    assert address_of("10.0.0.9", "1.1.1.1, 2.2.2.2", 0) == "10.0.0.9"
    assert address_of("10.0.0.9", "1.1.1.1, 2.2.2.2", 1) == "2.2.2.2"
    assert address_of("10.0.0.9", "1.1.1.1, 2.2.2.2", 2) == "1.1.1.1"
    assert address_of("10.0.0.9", "2.2.2.2", 2) == address_of("10.0.0.9", "", 1) == "10.0.0.9"


def test_memory_is_bounded_and_threads_share_a_bucket() -> None:
    kept = Buckets(most=50)
    for number in range(500):
        kept.take(f"address:{number}", READS, 0.0)
    assert len(kept._kept) == 50
    shared = Buckets()
    given: list[bool] = []
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        given.extend(shared.take("user:1", READS, 0.0).allowed for _ in range(100))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(given) == 100


def test_too_often_is_a_problem_that_says_when(scene: Scene) -> None:
    client = Client()
    first = client.get(TYPES)
    assert first.headers["RateLimit-Policy"] == '"reads";q=100;w=5'
    assert first.headers["RateLimit"] == '"reads";r=99;t=1'
    codes = [client.get(TYPES).status_code for _ in range(110)]
    assert codes.count(200) == 99 and codes.count(429) == 11
    refused = client.get(TYPES, headers={"Accept-Language": "en"})
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["RateLimit"] == '"reads";r=0;t=5'
    assert refused.json()["type"] == "too_often"
    assert client.post("/api/v1/carts", {}, content_type="application/json").status_code != 429
    with clock.advanced(timedelta(seconds=1)):
        codes = [client.get(TYPES).status_code for _ in range(30)]
    assert codes.count(200) == 20


def test_each_user_key_and_address_has_its_own(scene: Scene) -> None:
    boss = actor_of_user(scene.owner.pk)
    user = issue_token(actor=THE_SYSTEM, user_id=scene.owner.pk)
    keys = [partners.make_key(actor=boss, name=name, scopes=["stock.read"]).token for name in "xy"]
    client = Client()
    while client.get(TYPES).status_code == 200:
        pass
    for token in (user, *keys):
        answers = [client.get(TYPES, headers={"Authorization": f"Bearer {token}"}) for _ in range(101)]
        assert [answer.status_code for answer in answers].index(429) == 100
    # A made-up key, a made-up cart and a made-up address are all the same stranger.
    for headers in ({"Authorization": "Bearer hs_live_x"}, {"X-Cart-Key": "new"}, {"X-Forwarded-For": "9.9.9.9"}):
        assert client.get(TYPES, headers=headers).status_code == 429
    assert client.get(TYPES, REMOTE_ADDR="10.1.1.1").status_code == 200


def test_off_is_off(scene: Scene, settings: Any) -> None:
    settings.RATE = "off"
    client = Client()
    answers = [client.get(TYPES) for _ in range(120)]
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[0].headers


def test_settings_multiply_the_limits(scene: Scene, settings: Any) -> None:
    settings.RATE = "0.1"
    client = Client()
    assert [client.get(TYPES).status_code for _ in range(11)] == [200] * 10 + [429]


def test_the_contract_says_so(scene: Scene) -> None:
    paths = Client().get("/api/v1/openapi.json").json()["paths"]
    said = {path: set(operation["responses"]) for path, one in paths.items() for operation in one.values()}
    assert "429" in said["/api/v1/partners/keys"] and "429" in said["/api/v1/cities"]
    assert "429" not in said["/api/v1/payments/{provider}/notify"]
