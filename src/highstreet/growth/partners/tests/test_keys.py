"""API keys: what they open, for whom, how long; and that they are nowhere to be read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from highstreet.growth.partners import actions
from highstreet.growth.partners.models import ApiKey
from highstreet.kernel import clock, ids
from highstreet.kernel.models import IdempotencyRecord
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.people.accounts.actions import issue_token
from highstreet.people.accounts.reads import actor_of_user
from highstreet.supply.stores.models import Store
from highstreet.trade.orders.models import Order
from highstreet.web.console.tests.support import Scene, a_scene, an_order

API = "/api/v1/partners/keys"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def owner(scene: Scene) -> Actor:
    return actor_of_user(scene.owner.pk)


def asked(method: str, path: str, token: str, body: Any = None, key: str = "") -> Any:
    headers = {**bearer(token), "Idempotency-Key": key or ids.random_token(12)}
    data = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
    return getattr(Client(), method)(path, headers=headers, **data)


def test_a_key_is_told_once_and_kept_as_a_digest(scene: Scene) -> None:
    token = issue_token(actor=THE_SYSTEM, user_id=scene.owner.pk)
    body = {"name": "Bookkeeping", "scopes": ["fulfilment.read"]}
    first = asked("post", API, token, body, "one")
    again = asked("post", API, token, body, "one")
    secret = first.json()["token"]
    assert first.status_code == again.status_code == 201
    assert secret.startswith("hs_live_") and len(secret) == 48 and first.json()["prefix"] == secret[:12]
    assert again.json() == {**first.json(), "token": None}
    assert first["Cache-Control"] == "no-store"
    assert ApiKey.objects.count() == 1
    kept = json.dumps([list(ApiKey.objects.values()), list(IdempotencyRecord.objects.values())], default=str)
    assert secret not in kept and secret[12:] not in kept
    assert secret not in asked("get", API, token).content.decode()


def test_a_key_opens_what_its_scopes_say_and_only_its_own_organisations(scene: Scene) -> None:
    other = a_scene("two")
    mine, theirs = an_order(scene), an_order(other)
    made = actions.make_key(actor=owner(scene), name="x", scopes=["fulfilment.read"])
    for order, status in ((mine, 200), (theirs, 404)):
        answer = Client().get(f"/api/v1/orders/{ids.public('ord', order.pk)}", headers=bearer(made.token))
        assert answer.status_code == status
    assert asked("get", API, made.token).status_code == 403
    assert asked("get", "/api/v1/partners/webhooks", made.token).status_code == 403


def test_a_key_of_some_stores_sees_no_others(scene: Scene) -> None:
    here, there = an_order(scene, store=0), an_order(scene, store=1)
    made = actions.make_key(
        actor=owner(scene), name="x", scopes=["fulfilment.read", "webhooks.manage"], store_ids=[scene.stores[0].pk]
    )
    for order, status in ((here, 200), (there, 404)):
        answer = Client().get(f"/api/v1/orders/{ids.public('ord', order.pk)}", headers=bearer(made.token))
        assert answer.status_code == status
    # Webhooks tell of every store: neither read nor kept by who has some.
    assert asked("get", "/api/v1/partners/webhooks", made.token).json() == []
    body = {"url": "https://93.184.216.34/", "events": ["order.paid"]}
    assert asked("post", "/api/v1/partners/webhooks", made.token, body).json()["type"] == "not_all_stores"


def test_a_key_of_a_city_works_in_the_stores_it_has_when_it_is_used(scene: Scene) -> None:
    here, elsewhere = an_order(scene), an_order(other := a_scene("two"))
    token = issue_token(actor=THE_SYSTEM, user_id=scene.owner.pk)
    city = ids.public("cty", scene.city.pk)
    body = {"name": "x", "scopes": ["fulfilment.read"], "city": city}
    made = asked("post", API, token, body).json()
    assert (made["city"], made["stores"]) == (city, None)

    def seen(order: Order) -> int:
        path = f"/api/v1/orders/{ids.public('ord', order.pk)}"
        return int(Client().get(path, headers=bearer(made["token"])).status_code)

    assert (seen(here), seen(elsewhere)) == (200, 404)
    # A store that the city loses is the key's no longer; one that it gets is.
    Store.objects.filter(pk=here.store_id).update(city=other.city)
    assert seen(here) == 404
    Store.objects.filter(pk=here.store_id).update(city=scene.city)
    assert seen(here) == 200
    both = asked("post", API, token, {**body, "stores": [ids.public("str", here.store_id)]}).json()
    theirs = asked("post", API, token, {**body, "city": ids.public("cty", other.city.pk)}).json()
    none = asked("post", API, token, {**body, "city": "cty_nonsense"}).json()
    assert [one["type"] for one in (both, theirs, none)] == ["invalid", "not_found", "not_found"]
    some = replace(owner(scene), store_ids=frozenset({here.store_id}))
    with pytest.raises(Refused) as refused:
        actions.make_key(actor=some, name="x", scopes=["fulfilment.read"], city_id=scene.city.pk)
    assert refused.value.reason.code == "not_found"


def test_revoked_is_revoked_at_the_next_request(scene: Scene) -> None:
    """Nothing caches a key: one client keeps its cookies and its connection, and is a stranger all the same."""
    made = actions.make_key(actor=owner(scene), name="x", scopes=["webhooks.manage"])
    client = Client()
    ask = "/api/v1/partners/webhooks"
    assert client.get(ask, headers=bearer(made.token)).status_code == 200
    assert not client.cookies
    token = issue_token(actor=THE_SYSTEM, user_id=scene.owner.pk)
    address = f"{API}/{ids.public('key', made.id)}"
    assert asked("delete", address, token).status_code == 200
    assert client.get(ask, headers=bearer(made.token)).status_code == 401
    assert asked("delete", address, token).status_code == 200


def test_an_expired_key_is_a_strangers(scene: Scene) -> None:
    made = actions.make_key(actor=owner(scene), name="x", scopes=["webhooks.manage"], days=1)
    ask = "/api/v1/partners/webhooks"
    with clock.advanced(timedelta(hours=23)):
        assert asked("get", ask, made.token).status_code == 200
    with clock.advanced(timedelta(hours=25)):
        assert asked("get", ask, made.token).status_code == 401


@pytest.mark.parametrize(
    "token", ["hs_live_", "hs_live_x", "hs_live_" + "é" * 40, "hs_live_\ud800", "hs_live_" + "a" * 5000]
)
def test_what_is_no_key_is_a_stranger(scene: Scene, token: str) -> None:
    header = token.encode("utf-8", "surrogatepass").decode("latin-1")
    assert asked("get", "/api/v1/partners/webhooks", header).status_code == 401


def test_nobody_gives_away_more_than_they_have(scene: Scene) -> None:
    other = a_scene("two")
    boss = owner(scene)
    less = replace(boss, permissions=boss.permissions - {"ledger.read"})
    for actor, scopes, stores, why in (
        (less, ["ledger.read"], None, "scope_not_yours"),
        (boss, ["keys.manage"], None, "scope_not_yours"),
        (boss, ["staff.manage"], None, "scope_not_yours"),
        (boss, ["shop.own"], None, "scope_not_yours"),
        (boss, ["nonsense"], None, "scope_not_yours"),
        (boss, [], None, "invalid"),
        (boss, ["stock.read"], [], "invalid"),
        (boss, ["stock.read"], [other.stores[0].pk], "not_found"),
        (actor_of_user(scene.support.pk), ["console.read"], None, "forbidden"),
    ):
        with pytest.raises(Refused) as refused:
            actions.make_key(actor=actor, name="x", scopes=scopes, store_ids=stores)
        assert refused.value.reason.code == why
    assert not ApiKey.objects.exists()


def test_a_key_makes_no_key_even_if_it_were_let(scene: Scene) -> None:
    made = actions.make_key(actor=owner(scene), name="x", scopes=["stock.read"])
    ApiKey.objects.update(scopes=["keys.manage", "stock.read", "staff.manage"])
    assert asked("post", API, made.token, {"name": "y", "scopes": ["stock.read"]}).status_code == 403
    forged = replace(owner(scene), key_id=made.id)
    with pytest.raises(Refused) as refused:
        actions.make_key(actor=forged, name="y", scopes=["stock.read"])
    assert refused.value.reason.code == "persons_only"


def test_another_organisation_neither_sees_nor_revokes_it(scene: Scene) -> None:
    made = actions.make_key(actor=owner(scene), name="x", scopes=["stock.read"])
    token = issue_token(actor=THE_SYSTEM, user_id=a_scene("two").owner.pk)
    assert asked("get", API, token).json()["items"] == []
    assert asked("delete", f"{API}/{ids.public('key', made.id)}", token).status_code == 404
    assert ApiKey.objects.get().revoked_at is None


def test_a_list_of_keys_has_pages(scene: Scene) -> None:
    for number in range(7):
        actions.make_key(actor=owner(scene), name=f"key {number}", scopes=["stock.read"])
    token = issue_token(actor=THE_SYSTEM, user_id=scene.owner.pk)
    names, cursor = [], ""
    while True:
        page = asked("get", f"{API}?limit=3&cursor={cursor}", token).json()
        names += [one["name"] for one in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    assert names == [f"key {number}" for number in reversed(range(7))]


def test_use_is_written_once_a_minute_and_a_users_token_stays_one_query(scene: Scene) -> None:
    made = actions.make_key(actor=owner(scene), name="x", scopes=["webhooks.manage"])
    user = issue_token(actor=THE_SYSTEM, user_id=scene.support.pk)
    start = clock.now()
    writes = []
    for seconds in (0, 1, 59, 61, 90, 122):
        with (
            clock.frozen(start + timedelta(seconds=seconds)),
            CaptureQueriesContext(
                connection,
            ) as seen,
        ):
            assert asked("get", "/api/v1/partners/event-types", made.token).status_code == 200
        texts = [query["sql"] for query in seen]
        assert sum("partners_apikey" in text and text.startswith("SELECT") for text in texts) == 1
        writes.append(sum(text.startswith("UPDATE") for text in texts))
    assert writes == [1, 0, 0, 1, 0, 1]
    with CaptureQueriesContext(connection) as seen:
        assert asked("get", "/api/v1/partners/event-types", user).status_code == 200
    assert sum("accounts_" in query["sql"] or "partners_" in query["sql"] for query in seen) == 1


def test_a_key_has_idempotency_keys_of_its_own(scene: Scene) -> None:
    """Two keys, one Idempotency-Key: two effects, and neither hears the other's answer."""
    tokens = [actions.make_key(actor=owner(scene), name=name, scopes=["webhooks.manage"]).token for name in "xy"]
    body = {"url": "https://93.184.216.34/hook", "events": ["order.paid"]}
    made = [asked("post", "/api/v1/partners/webhooks", token, body, "same") for token in tokens]
    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].json()["id"] != made[1].json()["id"]
