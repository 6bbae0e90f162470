"""The store's work over HTTP, as the picker's app does it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from highstreet.kernel import clock, ids
from highstreet.people.accounts.models import User
from highstreet.people.staff.models import Employee
from highstreet.trade.fulfilment.models import Fulfilment, PickupCode

from . import support
from .support import assert_clean

pytestmark = pytest.mark.django_db


class App:
    """A signed-in employee's client; each POST has a key of its own unless one is given."""

    def __init__(self, place: support.Shop, role: str = "picker") -> None:
        user = User.objects.create(username=f"u{ids.random_code(8)}")
        Employee.objects.create(user=user, organisation=place.organisation, store=place.store, role=role, name="Mo")
        self.client = Client(headers={"Accept-Language": "en"})
        self.client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    def get(self, path: str, **query: str) -> Any:
        return self.client.get(f"/api/v1{path}", query)

    def post(self, path: str, body: Any = None, key: str | None = None) -> Any:
        headers = {"Idempotency-Key": ids.random_token() if key is None else key}
        return self.client.post(
            f"/api/v1{path}",
            data=json.dumps(body) if body is not None else "",
            content_type="application/json",
            headers=headers,
        )


def path_of(value: UUID, tail: str = "") -> str:
    return f"/fulfilments/{ids.public('ful', value)}{tail}"


@pytest.fixture
def place() -> support.Shop:
    return support.shop()


def test_from_the_queue_to_the_courier(place: support.Shop) -> None:
    app, row = App(place), support.order(place)
    store = ids.public("str", place.store.pk)
    (card,) = app.get("/store/queue", store=store).json()["items"]
    assert (card["id"], card["status"], card["units"]) == (ids.public("ful", row.pk), "pending", 3)
    assert app.post(path_of(row.pk, "/accept")).json()["status"] == "accepted"
    lines = app.get(path_of(row.pk)).json()["lines"]
    assert [line["name"] for line in lines] == ["broccoli", "milk"]
    assert app.post(path_of(row.pk, "/start")).json()["status"] == "picking"
    for line in lines:
        for left in range(line["left"], 0, -1):
            answer = app.post(path_of(row.pk, "/scan"), {"code": line["barcode"]})
            assert answer.status_code == 200 and answer.json()["picked"] == line["left"] - left + 1
    assert answer.json()["done"] is True
    assert app.post(path_of(row.pk, "/pack")).json()["status"] == "ready"
    assert app.post(path_of(row.pk, "/hand-over"), {}).json()["status"] == "handed_over"
    assert app.get("/store/queue", store=store).json()["items"] == []
    assert_clean()


def test_a_chosen_window_says_when_to_begin(place: support.Shop) -> None:
    app, at_once, chosen = App(place), support.order(place), support.order(place)
    begins = clock.now() + timedelta(hours=2)
    opens = begins + timedelta(minutes=25)
    Fulfilment.objects.filter(pk=chosen.pk).update(start_at=begins, not_before=opens)
    items = {
        item["id"]: item for item in app.get("/store/queue", store=ids.public("str", place.store.pk)).json()["items"]
    }
    assert items[ids.public("ful", at_once.pk)]["start_at"] is None
    assert _near(items[ids.public("ful", chosen.pk)]["start_at"], begins)
    plain = app.get(path_of(at_once.pk)).json()
    assert (plain["start_at"], plain["not_before"]) == (None, None)
    for answer in (app.get(path_of(chosen.pk)), app.post(path_of(chosen.pk, "/accept"))):
        assert _near(answer.json()["start_at"], begins) and _near(answer.json()["not_before"], opens)


def _near(text: str, moment: datetime) -> bool:
    """The same moment: some answers name milliseconds, others microseconds."""
    return abs(datetime.fromisoformat(text) - moment) < timedelta(milliseconds=1)


def test_the_document_says_which_times_may_be_missing() -> None:
    shapes = Client().get("/api/v1/openapi.json").json()["components"]["schemas"]
    for shape, names in {"QueueItemOut": ["start_at"], "FulfilmentOut": ["start_at", "not_before"]}.items():
        for name in names:
            kinds = shapes[shape]["properties"][name]["anyOf"]
            assert {"type": "string", "format": "date-time"} in kinds and {"type": "null"} in kinds
            assert name in shapes[shape]["required"]


def test_a_refused_scan_says_both_items(place: support.Shop) -> None:
    app, row = App(place), support.order(place, {"broccoli": 1})
    app.post(path_of(row.pk, "/accept"))
    answer = app.post(path_of(row.pk, "/scan"), {"code": place.variants["milk"].barcode})
    assert answer.status_code == 409
    assert answer.json()["title"] == "Wrong item: scanned milk 950 ml, need A2-01 broccoli 300 g"
    app.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh"
    answer = app.post(path_of(row.pk, "/scan"), {"code": place.variants["milk"].barcode})
    assert answer.json()["title"] == "不是这件：扫到 鲜牛奶 950 ml，应拿 A2-01 西兰花 300 g"


def test_one_key_is_one_scan(place: support.Shop) -> None:
    app, row = App(place), support.order(place)
    app.post(path_of(row.pk, "/accept"))
    first = app.post(path_of(row.pk, "/scan"), {"code": "SKU-2"}, key="k1")
    again = app.post(path_of(row.pk, "/scan"), {"code": "SKU-2"}, key="k1")
    assert first.json() == again.json() and first.json()["picked"] == 1
    assert app.post(path_of(row.pk, "/scan"), {"code": "SKU-1"}, key="k1").status_code == 422
    assert app.post(path_of(row.pk, "/scan"), {"code": "SKU-2"}, key="").status_code == 422


def test_short_and_substitute(place: support.Shop) -> None:
    app, row = App(place), support.order(place, {"toast": 2, "milk": 1})
    app.post(path_of(row.pk, "/accept"))
    lines = {line["name"]: line["id"] for line in app.get(path_of(row.pk)).json()["lines"]}
    short = app.post(path_of(row.pk, "/short"), {"line": lines["toast"], "units": 1}).json()
    assert next(line for line in short["lines"] if line["name"] == "toast")["short"] == 1
    other = ids.public("var", place.variants["wholemeal"].pk)
    swapped = app.post(path_of(row.pk, "/substitute"), {"line": lines["toast"], "units": 1, "variant": other})
    toast = next(line for line in swapped.json()["lines"] if line["name"] == "toast")
    assert (toast["substitute_name"], toast["substitute_state"]) == ("wholemeal toast", "agreed")


def test_a_line_of_another_order_is_not_found(place: support.Shop) -> None:
    app, mine, other = App(place), support.order(place), support.order(place)
    app.post(path_of(mine.pk, "/accept"))
    line = ids.public("lin", support.line(other, place, "milk").pk)
    assert app.post(path_of(mine.pk, "/short"), {"line": line, "units": 1}).status_code == 404


def test_collect_over_http(place: support.Shop) -> None:
    app, row = App(place), support.order(place, mode="pickup")
    support.ready(row, place.staff())
    body = {"store": ids.public("str", place.store.pk), "code": PickupCode.objects.get(fulfilment=row).code}
    stranger = App(support.shop("other"))
    assert stranger.post("/store/collect", body).status_code == 404
    assert app.post("/store/collect", body).json()["status"] == "delivered"
    assert app.post("/store/collect", body).json()["type"] == "pickup_code_used"
    assert_clean()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"code": ""},
        {"code": 7},
        {"code": "x" * 65},
        {"code": "SKU-1", "units": 0},
        {"code": "SKU-1", "units": 1.5},
        {"code": "SKU-1", "units": 10**18},
        {"code": "SKU-1", "units": -1},
        {"code": "SKU-1", "price": 1},
        [],
        "SKU-1",
        {"code": None},
        {"code": "SKU-1", "units": True},
    ],
)
def test_a_senseless_scan_is_refused_and_counts_nothing(place: support.Shop, body: Any) -> None:
    app, row = App(place), support.order(place)
    app.post(path_of(row.pk, "/accept"))
    assert app.post(path_of(row.pk, "/scan"), body).status_code == 422
    assert sum(line.picked for line in Fulfilment.objects.get(pk=row.pk).lines.all()) == 0


@pytest.mark.parametrize("code", ["牛奶", "' OR 1=1 --", "9" * 13])
def test_a_strange_code_is_unknown(place: support.Shop, code: str) -> None:
    app, row = App(place), support.order(place)
    app.post(path_of(row.pk, "/accept"))
    assert app.post(path_of(row.pk, "/scan"), {"code": code}).json()["type"] == "unknown_code"


def test_only_staff_of_the_store(place: support.Shop) -> None:
    row = support.order(place)
    store = ids.public("str", place.store.pk)
    stranger = App(support.shop("other"))
    steps: list[tuple[str, Any]] = [
        ("/accept", None),
        ("/reject", {"reason": "other"}),
        ("/start", None),
        ("/scan", {"code": "SKU-1"}),
        ("/short", {"line": ids.public("lin", row.pk), "units": 1}),
        ("/pack", None),
        ("/hand-over", {}),
    ]
    assert stranger.get(path_of(row.pk)).status_code == 404
    assert stranger.get("/store/queue", store=store).status_code == 404
    for tail, body in steps:
        assert stranger.post(path_of(row.pk, tail), body).status_code == 404, tail
    guest = Client()
    assert guest.get(f"/api/v1{path_of(row.pk)}").status_code == 401
    for tail, body in steps:
        answer = guest.post(
            f"/api/v1{path_of(row.pk, tail)}",
            data=json.dumps(body or {}),
            content_type="application/json",
            headers={"Idempotency-Key": "k"},
        )
        assert answer.status_code in (401, 422), tail
    row.refresh_from_db()
    assert row.status == "pending"
