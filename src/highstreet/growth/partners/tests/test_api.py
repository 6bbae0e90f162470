"""Webhooks by the API, and an order from the shop to the partner's door."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from highstreet.growth.partners import actions
from highstreet.growth.partners.models import Endpoint, Sending
from highstreet.growth.partners.tests.support import Receiver, open_at
from highstreet.growth.partners.tests.test_webhooks import ALL, owner, send_all, types, verify
from highstreet.kernel import clock, ids, outbox
from highstreet.kernel.models import IdempotencyRecord
from highstreet.kernel.policy import Actor
from highstreet.trade.orders.tests import support as trade
from highstreet.trade.orders.tests.conftest import town
from highstreet.web.console.tests.support import Scene

API = "/api/v1/partners/webhooks"
__all__ = ["town"]


class Caller:
    """A partner's program with a key."""

    def __init__(self, scene: Scene) -> None:
        made = actions.make_key(actor=owner(scene), name="x", scopes=["webhooks.manage"])
        self.headers = {"Authorization": f"Bearer {made.token}", "Accept-Language": "en"}

    def __call__(self, method: str, path: str, body: Any = None, key: str = "") -> Any:
        headers = {**self.headers, "Idempotency-Key": key or ids.random_token(12)}
        data = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        return getattr(Client(), method)(API + path, headers=headers, **data)


def test_a_key_keeps_webhooks(scene: Scene, receiver: Receiver) -> None:
    call = Caller(scene)
    body = {"url": receiver.url, "events": ["order.paid"]}
    made, again = call("post", "", body, "k"), call("post", "", body, "k")
    assert made.status_code == again.status_code == 201
    assert made.json()["secret"].startswith("whsec_") and again.json()["secret"] is None
    assert made.json()["secret"] not in json.dumps(list(IdempotencyRecord.objects.values("body")))
    path = f"/{made.json()['id']}"
    assert [(one["id"], one["created_at"]) for one in call("get", "").json()] == [
        (made.json()["id"], made.json()["created_at"])
    ]
    assert call("patch", path, {"active": False}).json()["disabled_reason"] == "person"
    assert call("post", f"{path}/replay", {}).json()["type"] == "endpoint_off"
    assert call("patch", path, {"active": True, "events": ALL}).json()["events"] == sorted(ALL)
    rotated = call("post", f"{path}/secret")
    assert rotated.status_code == 201
    assert rotated.json()["both_sign_until"] == call("get", path).json()["both_sign_until"] is not None
    assert call("delete", path).json() == {"id": made.json()["id"]}
    assert call("get", path).status_code == 404
    assert Endpoint.objects.get().removed_at is not None


@pytest.mark.parametrize(
    "body",
    [
        {"url": "https://10.0.0.1/", "events": ["order.paid"]},
        {"url": "http://93.184.216.34/", "events": ["order.paid"]},
        {"url": "https://93.184.216.34/", "events": ["order.eaten"]},
        {"url": "https://93.184.216.34/", "events": []},
        {"url": "https://93.184.216.34/", "events": ["order.paid"], "secret": "mine"},
    ],
)
def test_what_is_wrong_is_a_problem(scene: Scene, body: dict[str, Any]) -> None:
    answer = Caller(scene)("post", "", body)
    assert answer.status_code == 422 and answer["Content-Type"] == "application/problem+json"
    assert not Endpoint.objects.exists()


def test_every_change_wants_its_key(scene: Scene, receiver: Receiver) -> None:
    call = Caller(scene)
    code = call("post", "", {"url": receiver.url, "events": ALL}).json()["id"]
    for method, path, body in (
        ("post", "", {"url": receiver.url, "events": ALL}),
        ("patch", f"/{code}", {}),
        ("delete", f"/{code}", None),
        ("post", f"/{code}/secret", None),
        ("post", f"/{code}/replay", {}),
        ("post", f"/{code}/sendings/{ids.public('snd', ids.new_id())}/resend", None),
    ):
        data = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        answer = getattr(Client(), method)(API + path, headers=call.headers, **data)
        assert (answer.status_code, answer.json()["type"]) == (422, "key_missing"), (method, path)


def test_an_order_from_the_shop_to_the_partners_door(town: trade.Town, receiver: Receiver) -> None:
    """Real checkout, real payment, the outbox's own handlers, the job's own row; then log, resend, replay."""
    partner = Actor(
        kind="staff", organisation_id=town.retailer, store_ids=None, permissions=frozenset({"webhooks.manage"})
    )
    made = actions.add_endpoint(actor=partner, place=open_at(receiver.url), events=ALL)
    placed = town.order(2, 1)
    trade.pay(placed)
    outbox.drain()
    waiting = {str(pk) for pk in Sending.objects.values_list("pk", flat=True)}
    with connection.cursor() as cursor:
        cursor.execute("SELECT args->>'sending_id' FROM procrastinate_jobs WHERE task_name = 'partners.send'")
        assert {row[0] for row in cursor.fetchall()} == waiting
    assert send_all() == 2
    assert types(receiver) == ["order.paid", "order.confirmed"]
    for heard in receiver.heard:
        told = verify(made.secret, heard.headers, heard.body, clock.wall())
        assert told["data"]["order"] == ids.public("ord", placed.order_id)


def test_the_log_has_pages_and_a_message_can_be_sent_again(scene: Scene, receiver: Receiver) -> None:
    from highstreet.growth.partners.tests.test_webhooks import happen
    from highstreet.trade.orders.events import OrderPaid
    from highstreet.web.console.tests.support import an_order

    call = Caller(scene)
    path = f"/{call('post', '', {'url': receiver.url, 'events': ALL}).json()['id']}"
    for number in range(5):
        happen(OrderPaid(an_order(scene).pk, number))
    send_all()
    seen, cursor = [], ""
    while True:
        page = call("get", f"{path}/sendings?limit=2&cursor={cursor}").json()
        seen += page["items"]
        cursor = page["next"]
        if not cursor:
            break
    assert [json.loads(one["body"])["data"]["amount"] for one in seen] == [4, 3, 2, 1, 0]
    assert seen[0]["tries"][0]["status"] == 200 and seen[0]["tries"][0]["answer"] == "ok"
    assert call("post", f"{path}/sendings/{seen[0]['id']}/resend").status_code == 200
    assert call("post", f"{path}/replay", {"after": seen[2]["message"]}).json() == {"messages": 2}
    assert call("post", f"{path}/replay", {"after": "evt_nonsense"}).status_code == 404
    assert send_all() == 2
