"""The integrations page: keys and webhooks made, shown once, looked into, sent again, ended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from highstreet.growth.partners.models import ApiKey, Endpoint, Sending
from highstreet.growth.partners.tests.support import Receiver, receiving
from highstreet.growth.partners.tests.test_webhooks import send_all, told
from highstreet.kernel import ids, outbox
from highstreet.supply.organisations.reads import forget
from highstreet.trade.orders.events import OrderPaid
from highstreet.web.console.tests.support import Scene, a_scene, an_order, client_of

pytestmark = pytest.mark.django_db
HOME = "/console/integrations"


@pytest.fixture
def scene() -> Iterator[Scene]:
    yield a_scene()
    forget()


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.DEV = True
    with receiving() as made:
        yield made


def secret_of(text: str) -> str:
    found = re.search(r'id="secret"[^>]*>([^<]+)<', text)
    assert found
    return found[1]


def a_hook(client: Client, receiver: Receiver) -> str:
    answer = client.post(f"{HOME}/webhooks/new", {"url": receiver.url, "events": ["order.paid"]})
    assert answer.status_code == 200 and answer["Cache-Control"] == "no-store"
    assert secret_of(answer.content.decode()).startswith("whsec_")
    return ids.public("whk", Endpoint.objects.get().pk)


def happens(scene: Scene) -> None:
    with transaction.atomic():
        outbox.emit(OrderPaid(an_order(scene).pk, 100))
    told()


def test_a_key_is_made_shown_once_and_revoked(scene: Scene) -> None:
    client = client_of(scene.owner)
    store = ids.public("str", scene.stores[0].pk)
    for form in ({}, {"name": "x"}, {"scopes": "stock.read"}, {"name": "x", "scopes": "stock.read", "days": "7"}):
        assert client.post(f"{HOME}/keys/new", form).status_code == 422
    refused = client.post(f"{HOME}/keys/new", {"name": "x", "scopes": ["keys.manage"]})
    assert refused.status_code == 403 and not ApiKey.objects.exists()
    wanted: dict[str, Any] = {
        "name": "Books",
        "scopes": ["fulfilment.read", "stock.read"],
        "stores": [store],
        "days": "90",
    }
    made = client.post(f"{HOME}/keys/new", wanted)
    token = secret_of(made.content.decode())
    assert token.startswith("hs_live_") and made["Cache-Control"] == "no-store"
    listed = client.get(HOME).content.decode()
    assert token not in listed and token[:12] in listed and "Shop 1" in listed and "never" in listed
    address = f"/api/v1/orders/{ids.public('ord', an_order(scene).pk)}"
    bearer = {"Authorization": f"Bearer {token}"}
    assert Client().get(address, headers=bearer).status_code == 200
    revoke = f"{HOME}/keys/{ids.public('key', ApiKey.objects.get().pk)}/revoke"
    assert client_of(a_scene("two").owner).post(revoke).status_code == 404
    assert client.get(revoke).status_code == 200
    assert client.post(revoke).status_code == 302
    assert Client().get(address, headers=bearer).status_code == 404
    assert "revoked" in client.get(HOME).content.decode()


def test_a_webhook_is_added_watched_and_removed(scene: Scene, receiver: Receiver) -> None:
    client = client_of(scene.owner)
    for form in (
        {},
        {"url": receiver.url},
        {"events": ["order.paid"]},
        {"url": "https://10.0.0.1/", "events": ["order.paid"]},
    ):
        assert client.post(f"{HOME}/webhooks/new", form).status_code == 422
    page = f"{HOME}/webhooks/{a_hook(client, receiver)}"
    receiver.answers = [(500, b"<script>alert(1)</script>", {})]
    happens(scene)
    send_all()
    log = client.get(page).content.decode()
    assert "order.paid" in log and "500" in log and "<script>alert" not in log and "&lt;script&gt;" in log
    assert "Failing since" in log
    sending = ids.public("snd", Sending.objects.get().pk)
    assert client.post(f"{page}/{sending}").status_code == 302
    assert send_all() == 1 and Sending.objects.get().status == "sent"
    assert client.post(f"{page}/replay", {"after": ""}).status_code == 302
    assert send_all() == 1
    assert client.post(f"{page}/replay", {"after": "nonsense"}).status_code == 404
    assert client.post(f"{page}/off").status_code == 302
    assert client.post(f"{page}/{sending}").status_code == 409
    assert client.post(f"{page}/on").status_code == 302
    assert secret_of(client.post(f"{page}/rotate").content.decode()).startswith("whsec_")
    assert client.post(page, {"url": receiver.url, "events": ["order.expired"]}).status_code == 302
    assert Endpoint.objects.get().events == ["order.expired"]
    assert client.post(page, {"url": "", "events": []}).status_code == 422
    assert client.post(f"{page}/remove").status_code == 302
    assert client.get(page).status_code == 404


def test_what_we_switched_off_is_an_alert_to_its_owner_alone(scene: Scene, receiver: Receiver) -> None:
    client, other = client_of(scene.owner), client_of(a_scene("two").owner)
    code = a_hook(client, receiver)
    receiver.answers = [(410, b"", {})]
    happens(scene)
    send_all()
    assert code in client.get("/console/alerts").content.decode()
    assert code not in other.get("/console/alerts").content.decode()
    assert "410" in client.get(HOME).content.decode()
    for what in ("on", "off", "rotate", "remove", "replay"):
        assert other.post(f"{HOME}/webhooks/{code}/{what}").status_code == 404
    assert other.get(f"{HOME}/webhooks/{code}").status_code == 404


def test_the_log_costs_the_same_when_it_grows(scene: Scene, receiver: Receiver) -> None:
    client = client_of(scene.owner, "zh-hans")
    page = f"{HOME}/webhooks/{a_hook(client, receiver)}"

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(page).status_code == 200
        return len(seen)

    happens(scene)
    send_all()
    queries()
    first = queries()
    for _ in range(40):
        happens(scene)
    send_all()
    assert queries() == first <= 14
    assert client.get(page).context["next"]
