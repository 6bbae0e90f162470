"""Secrets are in no log: canaries in requests of a running stack, in what breaks, and in what libraries write."""

from __future__ import annotations

import json
import logging
import re

import httpx
import pytest

from highstreet.kernel import ids, masking
from tests.conftest import Add
from tests.support.stack import Stack

CARD = "4111 1111 1111 1111"
TEXTS = {
    "password=hunter2canary": "hunter2canary",
    '{"password": "hunter2 canary"}': "hunter2",
    "Authorization: Bearer abc.def-canary": "canary",
    "got header Bearer opaque-canary here": "canary",
    "GET /o/canary00000000000000000000000001?key=canary1&x=1": "canary",
    "hs_live_canarycanary": "canary",
    "whsec_Y2FuYXJ5": "Y2FuYXJ5",
    "Cookie: sessionid=canaryvalue; lang=en": "canary",
    f"paid with {CARD} today": "1111",
    "paid with 4111111111111111": "4111",
    "-----BEGIN PRIVATE KEY-----\nMIIcanary\n-----END PRIVATE KEY-----": "canary",
    "DETAIL: Key (key)=(canary) already exists.": "canary",
    "eyJhbGciOi.eyJzdWIi.canary_signature": "canary",
}
KEPT = (
    "order ord_01a2155c2759700192e1aaaaaa moved to packed at 2026-11-26T01:15:36.123456Z",
    "amount 1234567890123 fen, 990 units, request 7f3k2m9q8w1e",
    "cause 01a2155c-2759-7001-9201-c911848ace1b",
    "GET /console/orders 200",
)


@pytest.mark.parametrize("line", TEXTS)
def test_a_secret_is_masked(line: str) -> None:
    assert TEXTS[line] not in masking.text(line) and masking.MASK in masking.text(line)
    record = logging.LogRecord("library", logging.WARNING, "file", 1, "said %s", (line,), None)
    assert TEXTS[line] not in masking.MaskedFormatter().format(record)


@pytest.mark.parametrize("line", KEPT)
def test_what_is_no_secret_stays(line: str) -> None:
    assert masking.text(line) == line


def test_fields_are_masked_by_their_names() -> None:
    event = {"event": "x", "api_key": "a", "nested": [{"Set-Cookie": "b", "user_token": "c"}], "order": "d", "key": ""}
    assert masking.fields(event) == {
        "event": "x",
        "api_key": "***",
        "nested": [{"Set-Cookie": "***", "user_token": "***"}],
        "order": "d",
        "key": "",
    }


def test_a_traceback_is_masked() -> None:
    try:
        raise ValueError("token=canary")
    except ValueError as error:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed", (), (type(error), error, error.__traceback__))
    said = masking.MaskedFormatter().format(record)
    assert "Traceback" in said and "canary" not in said
    assert "canary" in logging.Formatter().format(record)


def canary(name: str) -> str:
    return f"canary{name}{ids.random_token(32)}"


def test_no_canary_is_in_the_logs_of_a_running_stack(row: Add) -> None:
    """Right and wrong log-ins, tokens, cookies, keys in paths and queries, and a 5xx with all of them at once."""
    names = ("password", "bearer", "session", "cart", "order", "query", "form", "apikey", "idempotency", "signature")
    planted = {name: canary(name) for name in names} | {"card": CARD.replace(" ", "")}
    with Stack(["web", "worker"], log_level="DEBUG") as stack:
        http = httpx.Client(base_url=stack.url, timeout=30.0, trust_env=False)
        real = http.post("/api/v1/sessions", json={"username": "owner", "password": "demo"}).json()["token"]
        planted["real token"] = real
        before = send_all(http, planted)
        # The whole site breaks under them: what is logged now is a traceback for each.
        stack.sql("ALTER TABLE accounts_user RENAME TO accounts_away")
        stack.sql("ALTER TABLE orders_order RENAME TO orders_away")
        after = send_all(http, planted)
        logs = {name: (stack.home / f"{name}.log").read_text(errors="replace") for name in stack.names}
    assert before.count(500) == 0 and after.count(500) > 3, (before, after)
    everything = "\n".join(logs.values())
    assert "Traceback" in everything and "request.failed" in everything
    found = [name for name, value in planted.items() if value in everything]
    assert found == []
    failed = [json.loads(line) for line in everything.splitlines() if '"request.failed"' in line]
    assert all(re.search(r"/o/\*\*\*", one["path"]) for one in failed if one["path"].startswith("/o/"))
    note = f"{len(everything)} characters of logs, {after.count(500)} tracebacks"
    row("secrets", "canaries in requests of a running stack", n=len(planted), accepted=0, notes=note)


def send_all(http: httpx.Client, planted: dict[str, str]) -> list[int]:
    """Requests that carry every canary where its kind belongs. Returns their statuses."""
    bearer = {"Authorization": f"Bearer {planted['real token']}", "Idempotency-Key": planted["idempotency"]}
    wrong = {"Authorization": f"Bearer {planted['bearer']}"}
    cookies = {"Cookie": f"sessionid={planted['session']}; cart={planted['cart']}"}
    login = {"username": "owner", "password": planted["password"]}
    notice = {"Wechatpay-Signature": planted["signature"], "Wechatpay-Serial": "x", "Wechatpay-Timestamp": "1"}
    answers = [
        http.post("/api/v1/sessions", json=login),
        http.post("/accounts/login/", data={**login, "card": planted["card"]}),
        http.get("/api/v1/orders", headers=wrong),
        http.get("/api/v1/orders", headers=bearer),
        http.get("/api/v1/orders", headers={"Authorization": f"Bearer hs_live_{planted['apikey']}"}),
        http.post("/api/v1/orders", headers=bearer, json={"quote": planted["form"], "note": planted["card"]}),
        http.get(f"/o/{planted['order']}", headers=cookies),
        http.get("/", params={"token": planted["query"], "q": planted["card"]}, headers=cookies),
        http.get("/api/v1/orders/ord_00000000000000000000000000", params={"key": planted["order"]}),
        http.post("/api/v1/payments/wechat/notify", headers=notice, json={"resource": planted["form"]}),
        http.get(f"/nowhere/{planted['order']}", params={"key": planted["query"]}),
    ]
    return [answer.status_code for answer in answers]
