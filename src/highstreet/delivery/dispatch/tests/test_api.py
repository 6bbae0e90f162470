"""The courier's day through the API: who may, once for a key, clear refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.couriers.models import Courier
from highstreet.delivery.couriers.tests import support
from highstreet.kernel import ids
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.people.accounts.actions import issue_token

from .. import actions
from ..models import Delivery

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
V1 = "/api/v1"


class Phone:
    """A courier's app."""

    def __init__(self, actor: Actor) -> None:
        assert actor.user_id is not None
        self.client = Client(
            headers={
                "Authorization": f"Bearer {issue_token(actor=THE_SYSTEM, user_id=actor.user_id)}",
                "Accept-Language": "en",
            }
        )

    def send(self, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
        headers = {"Idempotency-Key": ids.random_token(8) if key is None else key}
        return self.client.generic(
            method,
            V1 + path,
            data="" if body is None else json.dumps(body),
            content_type="application/json",
            headers=headers,
        )


def test_a_shift_on_the_phone() -> None:
    place = support.town()
    actor = support.courier(place)
    phone = Phone(actor)
    assert phone.send("PUT", "/courier/position", {"lat": -30.03, "lon": -51.22}).status_code == 409
    assert phone.send("POST", "/courier/shift").json()["on_shift"] is True
    assert phone.send("POST", "/courier/shift").status_code == 200
    assert phone.send("PUT", "/courier/position", {"lat": -30.03, "lon": -51.22}).status_code == 204
    assert phone.send("GET", "/courier/me").json()["lat"] == -30.03
    bodies: list[Any] = [
        {"lat": 91, "lon": 0},
        {"lat": "1", "lon": 0},
        {"lat": 1},
        {"lat": 1, "lon": 2, "who": "me"},
        [],
        None,
    ]
    for bad in bodies:
        assert phone.send("PUT", "/courier/position", bad).status_code == 422
    assert phone.send("DELETE", "/courier/shift").json() == {
        **phone.send("GET", "/courier/me").json(),
        "on_shift": False,
        "lat": None,
        "lon": None,
    }
    earned = phone.send("GET", "/courier/earnings").json()
    assert (earned["total"], earned["items"], earned["day"]) == (0, [], "2026-11-23")


def test_a_delivery_on_the_phone() -> None:
    place = support.town()
    actor = support.courier(place, 50)
    row = support.fulfilment(place, status="ready")
    actions.create(
        actor=THE_SYSTEM,
        fulfilment_id=row.pk,
        order_id=row.order_id,
        order_number=row.order_number,
        store_id=row.store_id,
        lat=row.lat,
        lon=row.lon,
        promised_to=row.promised_to,
        ready_by=row.ready_by,
    )
    actions.mark_ready(actor=THE_SYSTEM, fulfilment_id=row.pk, at=support.NOON)
    actions.plan(actor=THE_SYSTEM, city_id=place.city_id)
    phone = Phone(actor)
    tasks = phone.send("GET", "/courier/tasks?path=true").json()
    assert [stop["kind"] for stop in tasks["stops"]] == ["pickup", "dropoff"] and len(tasks["path"]) > 2
    job = tasks["stops"][1]["jobs"][0]
    assert job["step"] == "accept" and job["accept_by"] is not None
    way = f"/deliveries/{job['id']}"
    assert phone.send("POST", f"{way}/accept", key="").json()["type"] == "key_missing"
    first = phone.send("POST", f"{way}/accept", key="a").json()
    assert (
        first
        == phone.send("POST", f"{way}/accept", key="a").json()
        == {"id": job["id"], "status": "accepted", "pay": 0}
    )
    assert phone.send("POST", f"{way}/arrive_store").status_code == 200
    wrong = phone.send("POST", f"{way}/pick_up", {"code": "NOPE"})
    assert (wrong.status_code, wrong.json()["type"]) == (409, "other_order")
    assert phone.send("POST", f"{way}/pick_up", {"code": job["order_number"]}).status_code == 200
    assert phone.send("POST", f"{way}/arrive_door").json()["status"] == "at_door"
    proof = {"proof_kind": "code", "proof": "4711"}
    assert phone.send("POST", f"{way}/deliver", {**proof, "proof": "1"}).json()["title"].startswith("That is not")
    assert phone.send("POST", f"{way}/deliver", {**proof, "pay": 10**6}).status_code == 422
    assert phone.send("POST", f"{way}/deliver", {"proof_kind": "word", "proof": "x"}).status_code == 422
    done = phone.send("POST", f"{way}/deliver", proof, key="d")
    assert done.json()["status"] == "delivered" and done.json()["pay"] > 600
    assert phone.send("POST", f"{way}/deliver", proof, key="d").json() == done.json()
    assert phone.send("GET", "/courier/earnings").json()["total"] == done.json()["pay"]
    assert phone.send("POST", f"{way}/incident", {"kind": "damaged"}).status_code == 409
    assert support.broken() == []


def test_whose_it_is_and_who_may() -> None:
    place = support.town()
    support.courier(place, 50)
    row = support.fulfilment(place, status="ready")
    actions.create(
        actor=THE_SYSTEM,
        fulfilment_id=row.pk,
        order_id=row.order_id,
        order_number=row.order_number,
        store_id=row.store_id,
        lat=row.lat,
        lon=row.lon,
        promised_to=row.promised_to,
        ready_by=row.ready_by,
    )
    actions.plan(actor=THE_SYSTEM, city_id=place.city_id)
    theirs = f"/deliveries/{ids.public('dlv', Delivery.objects.get().pk)}"
    other = Phone(support.courier(place, 3000))
    calls = [
        ("accept", None),
        ("arrive_store", None),
        ("pick_up", {}),
        ("arrive_door", None),
        ("deliver", {"proof_kind": "code", "proof": "4711"}),
        ("incident", {"kind": "damaged"}),
        ("give_back", None),
    ]
    for step, body in calls:
        for way in (theirs, "/deliveries/dlv_1", "/deliveries/ord_" + "0" * 26):
            assert other.send("POST", f"{way}/{step}", body).status_code == 404, step
        assert Client().post(f"{V1}{theirs}/{step}", body or {}, content_type="application/json").status_code == 401
    for path in ("/courier/me", "/courier/tasks", "/courier/earnings"):
        assert Client().get(V1 + path).status_code == 401
    Courier.objects.update(active=False)
    assert other.send("GET", "/courier/tasks").status_code == 403
    assert couriers.on_shift(place.city_id) == []
