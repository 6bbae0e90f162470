"""Replays through the API: asked for, run, read; whose they are."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from highstreet.delivery.couriers.tests.support import Town
from highstreet.kernel import ids
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.people.accounts.actions import issue_token
from highstreet.people.accounts.models import User
from highstreet.people.staff import actions as staff
from highstreet.supply.organisations import reads as organisations

from .. import replaying
from ..models import Replay
from .test_replays import YESTERDAY, a_city, recorded

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
DAY = YESTERDAY.date().isoformat()


class Planner:
    def __init__(self, retailer_id: UUID, role: str = "owner") -> None:
        user = User.objects.create(username=f"{role}-{ids.random_code(6)}", password="!")
        staff.hire(actor=THE_SYSTEM, user_id=user.pk, organisation_id=retailer_id, role=role, name="P", store_id=None)
        token = issue_token(actor=THE_SYSTEM, user_id=user.pk)
        self.client = Client(headers={"Authorization": f"Bearer {token}", "Accept-Language": "en"})

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1{path}")

    def ask(self, place: Town, key: str = "", **body: Any) -> Any:
        return self.client.post(
            f"/api/v1/cities/{organisations.city(place.city_id).code}/replays",
            json.dumps({"day": DAY, "policy": "nearest", **body}),
            content_type="application/json",
            headers={"Idempotency-Key": key or ids.random_token(8)},
        )


def test_asked_for_run_and_read() -> None:
    place, riders = a_city()
    for number in range(12):
        recorded(place, number, riders[number % 4], late=10 if number % 6 == 5 else 0)
    planner = Planner(place.retailer_id)
    first = planner.ask(place, "key-00001", couriers=50)
    assert first.status_code == 200 and planner.ask(place, "key-00001", couriers=50).json() == first.json()
    assert planner.ask(place).json()["type"] == "replay_runs"
    path = f"/replays/{first.json()['id']}"
    told = planner.get(path).json()
    assert (told["progress"], told["finished_at"], told["result"]) == (0, None, None)
    replaying.run(Replay.objects.get().pk)
    told = planner.get(path).json()
    assert (told["day"], told["policy"], told["couriers"], told["progress"]) == (DAY, "nearest", 50, 100)
    result = told["result"]
    assert result["policy"] == "timely" and result["happened"]["orders"] == result["asked"]["orders"] == 12
    assert (result["same"]["couriers"], result["asked"]["couriers"]) == (4, 2)
    assert result["happened"]["late"] == pytest.approx(100 * 2 / 12, abs=0.01) and len(result["asked"]["there"]) > 0
    (listed,) = planner.get(f"/cities/{organisations.city(place.city_id).code}/replays").json()
    assert (listed["id"], listed["progress"]) == (told["id"], 100) and "result" not in listed


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"day": "2999-01-01"}, "invalid"),
        ({"day": "20260101"}, "invalid"),
        ({"day": 1767225600}, "invalid"),
        ({"day": "2026-02-30"}, "invalid"),
        ({"policy": "luck"}, "invalid"),
        ({"couriers": 9}, "invalid"),
        ({"quantile": 49}, "invalid"),
        ({"quantile": 100}, "invalid"),
        ({"roster": "planned"}, "replay_no_roster"),
        ({"roster": "other"}, "replay_other_day"),
        ({"more": 1}, "invalid"),
    ],
)
def test_what_cannot_be_asked(wrong: dict[str, Any], code: str) -> None:
    place, _ = a_city()
    planner = Planner(place.retailer_id)
    refused = planner.ask(place, **wrong)
    assert (refused.json()["type"], refused.status_code // 100) == (code, 4)
    assert planner.get(f"/cities/{organisations.city(place.city_id).code}/replays").json() == []


def test_whose_they_are() -> None:
    place, riders = a_city()
    recorded(place, 0, riders[0])
    replay = Planner(place.retailer_id).ask(place).json()["id"]
    other, _ = a_city()
    stranger = Planner(other.retailer_id)
    assert stranger.get(f"/replays/{replay}").status_code == stranger.ask(place).status_code == 404
    assert Planner(place.retailer_id, "picker").get(f"/replays/{replay}").status_code == 403
