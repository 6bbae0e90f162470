"""The tower: what it tells whom, in how many queries, and deciding by hand from its pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from highstreet.delivery.couriers.models import Courier, RosterShift, Shift
from highstreet.delivery.dispatch.models import Delivery, DispatchDecision, Override, Replay
from highstreet.delivery.promise.models import Promise
from highstreet.kernel import clock, ids
from highstreet.kernel.policy import Actor
from highstreet.people.accounts.models import User
from highstreet.supply.organisations.models import City
from highstreet.supply.organisations.reads import forget
from highstreet.trade.orders.models import Order
from highstreet.web.console.pages.replays import FIGURES
from highstreet.web.console.tests.support import Scene, a_scene, an_order, client_of, staff

pytestmark = pytest.mark.django_db
BOARD = "/console/tower/board.json"


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = a_scene()
    an_order(made, number="LATE01", status="ready", minutes_ago=50)
    an_order(made, number="WAIT01", status="ready", minutes_ago=5)
    an_order(made, number="FRESH1", status="pending", minutes_ago=1)
    an_order(made, number="DONE01")
    yield made
    forget()


def delivery(number: str) -> Delivery:
    return Delivery.objects.get(order_number=number)


def address(number: str) -> str:
    return f"/console/tower/orders/{ids.public('ord', Order.objects.get(number=number).pk)}"


def test_the_least_time_left_is_first_and_what_is_done_is_gone(scene: Scene) -> None:
    told = client_of(scene.owner).get(BOARD).json()
    assert [row[1] for row in told["orders"]] == ["LATE01", "WAIT01", "FRESH1"]
    slack = [row[7] - row[8] for row in told["orders"]]
    assert slack == sorted(slack) and told["orders"][0][7] < 0
    assert told["states"][told["orders"][2][4]] == "Not accepted by the store"
    assert len(told["couriers"]) == 2 and {row[4] for row in told["couriers"]} == {0}
    page = client_of(scene.owner).get("/console/tower")
    assert [line.number for line in page.context["lines"]] == ["LATE01", "WAIT01", "FRESH1"]
    assert {key: count for key, _, count, _ in page.context["counts"]}["late"] == 1
    assert re.search(r"1[56] min late", page.content.decode())


def test_who_is_planned_and_has_not_come_is_named_to_who_sends_couriers(scene: Scene) -> None:
    ana, ben = scene.couriers
    Shift.objects.filter(courier__in=[ana, ben]).delete()
    now = clock.now()
    Shift.objects.create(courier=ben, starts_at=now)
    for rider, since in ((ana, 20), (ben, 20)):
        RosterShift.objects.create(
            city=scene.city,
            courier=rider,
            status="taken",
            starts_at=now - timedelta(minutes=since),
            ends_at=now + timedelta(hours=3),
        )
    text = client_of(scene.owner).get("/console/tower", headers={"Accept-Language": "en"}).content.decode()
    assert "1 courier is planned now and not on shift" in text and f"{ana.name} since" in text
    assert 'id="absent"' not in client_of(scene.picker).get("/console/tower").content.decode()
    RosterShift.objects.filter(courier=ana).update(starts_at=now - timedelta(minutes=9))
    assert 'id="absent"' not in client_of(scene.owner).get("/console/tower").content.decode()
    RosterShift.objects.filter(courier=ana).update(starts_at=now - timedelta(hours=2))
    Shift.objects.create(courier=ana, starts_at=now - timedelta(hours=2), ends_at=now - timedelta(hours=1))
    assert 'id="absent"' not in client_of(scene.owner).get("/console/tower").content.decode()


def test_filters_by_store_and_by_what_is_wrong(scene: Scene) -> None:
    an_order(scene, number="OTHER1", status="ready", minutes_ago=6, store=1)
    client, other = client_of(scene.owner), ids.public("str", scene.stores[1].pk)

    def numbers(query: str) -> list[str]:
        return [line.number for line in client.get(f"/console/tower?{query}").context["lines"]]

    assert numbers(f"store={other}") == ["OTHER1"]
    assert numbers("show=late") == ["LATE01"]
    Delivery.objects.filter(order_number="WAIT01").update(pinned=True)
    assert numbers("show=pinned") == ["WAIT01"]
    rider = scene.couriers[0]
    Delivery.objects.filter(order_number="WAIT01").update(status="assigned", courier=rider, assigned_at=clock.now())
    assert numbers("show=waiting") == ["LATE01", "OTHER1", "FRESH1"]
    assert client.get("/console/tower?store=str_nothing").status_code == 404


def test_it_asks_the_same_however_much_runs(scene: Scene) -> None:
    client = client_of(scene.owner)

    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(BOARD).status_code == 200
        return len(seen)

    asked()
    first = asked()
    for number in range(15):
        an_order(scene, status="ready" if number % 2 else "pending", minutes_ago=number)
    assert asked() == first <= 12


def test_another_city_of_the_retailer_is_chosen_by_its_code(scene: Scene) -> None:
    City.objects.create(
        code="far",
        name_zh="远城",
        name_en="Far",
        time_zone="Asia/Shanghai",
        retailer=scene.city.retailer,
        south=1,
        west=1,
        north=2,
        east=2,
        centre_lat=1.5,
        centre_lon=1.5,
    )
    forget()
    client = client_of(scene.owner)
    assert client.get(f"{BOARD}?city=far").json()["orders"] == []
    page = client.get("/console/tower?city=far")
    assert [code for code, _, chosen in page.context["cities"] if chosen] == ["far"]
    other = a_scene("two")
    an_order(other, number="THEIRS", status="ready")
    theirs = client.get(f"{BOARD}?city={other.city.code}").json()
    assert "THEIRS" not in str(theirs) and len(theirs["orders"]) == 3


def test_who_works_in_one_store_sees_its_orders_and_no_courier(scene: Scene) -> None:
    an_order(scene, number="OTHER1", status="ready", minutes_ago=6, store=1)
    manager = staff("manager-of-one", "support", scene.city.retailer, scene.stores[1])
    told = client_of(manager).get(BOARD).json()
    assert [row[1] for row in told["orders"]] == ["OTHER1"] and told["couriers"] == []
    assert client_of(manager).get(address("LATE01")).status_code == 404
    assert client_of(a_scene("two").owner).get(address("LATE01")).status_code == 404


def given(scene: Scene) -> Delivery:
    """WAIT01 offered to the first courier, the second thought of."""
    row, (rider, other) = delivery("WAIT01"), scene.couriers
    assert row.eta is not None
    Delivery.objects.filter(pk=row.pk).update(status="assigned", courier=rider, assigned_at=clock.now())
    DispatchDecision.objects.create(
        delivery=row,
        courier=rider,
        policy="timely",
        cost_seconds=660,
        at=clock.now(),
        basis={"free": 0, "ride": 240, "wait": 60, "door": 360, "eta": (row.eta - timedelta(minutes=7)).isoformat()},
        alternatives=[
            {"courier": str(other.pk), "cost": 900, "free": 300, "ride": 120, "wait": 0, "door": 360, "stores": 2}
        ],
    )
    return row


def test_why_is_told_in_minutes_with_what_changed(scene: Scene) -> None:
    given(scene)
    text = client_of(scene.owner).get(address("WAIT01")).content.decode()
    for words in (
        "11 min",
        "+4 min",
        "4 min to the store, waits 1 min for the goods, 6 min to the door",
        "free in 5 min, 2 min to the store, 6 min to the door, one ride to 2 stores",
        "7 min later",
        "Timely",
        "Not packed yet",
    ):
        assert words in text, words
    order = client_of(scene.owner).get(address("WAIT01").replace("/tower", "")).content.decode()
    assert "+4 min" in order and address("WAIT01") in order
    part = client_of(scene.owner).get(address("WAIT01") + "?part=why").content.decode()
    assert "<html" not in part and "+4 min" in part


def test_decisions_of_one_minute_are_told_apart(scene: Scene) -> None:
    given(scene)
    given(scene)
    text = client_of(scene.owner).get(address("WAIT01")).content.decode()
    names = re.findall(r'role="region" aria-label="(Decision \d+: why this courier, .*?)"', text)
    assert [name.partition(":")[0] for name in names] == ["Decision 2", "Decision 1"]


def test_what_no_store_has_accepted_has_only_its_own_page(scene: Scene) -> None:
    client, plain = client_of(scene.owner), address("FRESH1").replace("/tower", "")
    assert client.get(address("FRESH1")).headers["Location"] == plain
    assert client_of(a_scene("two").owner).get(address("FRESH1")).status_code == 404


def test_by_hand_from_the_page(scene: Scene) -> None:
    row, (rider, other) = given(scene), scene.couriers
    client, to = client_of(scene.owner), address("WAIT01") + "/override"
    form = {"courier": ids.public("cou", other.pk), "why": "stuck", "pin": "1", "seen": f"assigned:{rider.pk}"}
    assert client.post(to, {**form, "why": ""}).status_code == 422
    assert client.post(to, {**form, "courier": ""}).status_code == 422
    assert client.post(to, {**form, "seen": "waiting:"}).status_code == 409
    assert Override.objects.count() == 0
    answer = client.post(to, form, follow=True)
    assert "WAIT01 goes to Rider one-1" in answer.content.decode()
    row.refresh_from_db()
    assert (row.courier_id, row.pinned, row.status) == (other.pk, True, "assigned")
    assert "the courier does not get on" in client.get(address("WAIT01")).content.decode()
    trail = client.get("/console/trail").content.decode()
    assert "Gave a delivery out by hand" in trail
    Delivery.objects.filter(pk=row.pk).update(status="picked_up")
    refused = client.post(to, {**form, "seen": ""})
    assert refused.status_code == 409
    assert "nobody else can be given it" in refused.content.decode()


def test_what_was_given_by_hand_and_nobody_accepts_is_at_risk(scene: Scene) -> None:
    row, (rider, other) = given(scene), scene.couriers
    client = client_of(scene.owner)
    form = {"courier": ids.public("cou", other.pk), "why": "stuck", "pin": "1"}
    client.post(address("WAIT01") + "/override", {**form, "seen": f"assigned:{rider.pk}"})
    Delivery.objects.filter(pk=row.pk).update(promised_to=clock.now() + timedelta(hours=2))

    def told() -> tuple[str, bool, int, bool]:
        board = client.get(BOARD).json()
        (line,) = [one for one in board["orders"] if one[1] == "WAIT01"]
        page = client.get("/console/tower?show=risk").context["lines"]
        return board["states"][line[4]], bool(line[9] & 4), line[9] & 1, "WAIT01" in [one.number for one in page]

    assert told() == ("Offered to a courier", False, 1, False)
    Delivery.objects.filter(pk=row.pk).update(assigned_at=clock.now() - timedelta(minutes=3))
    assert told() == ("Given by hand, not accepted", True, 1, True)
    Delivery.objects.filter(pk=row.pk).update(status="accepted")
    assert told() == ("A courier took it", False, 1, False)


def test_the_api_decides_once_for_its_key(scene: Scene) -> None:
    given(scene)
    row, other = delivery("WAIT01"), scene.couriers[1]
    client, to = client_of(scene.owner), f"/api/v1/deliveries/{ids.public('dlv', row.pk)}"
    told = client.get(f"{to}/candidates").json()
    assert {one["courier"] for one in told["candidates"]} == {ids.public("cou", one.pk) for one in scene.couriers}
    body = {"courier": ids.public("cou", other.pk), "why": "late", "seen": told["seen"]}
    answers = [
        client.post(f"{to}/override", body, content_type="application/json", headers={"Idempotency-Key": "one"})
        for _ in range(2)
    ]
    assert [one.status_code for one in answers] == [200, 200]
    assert (
        answers[0].json()
        == answers[1].json()
        == {
            "id": ids.public("dlv", row.pk),
            "status": "assigned",
            "courier": body["courier"],
            "pinned": True,
        }
    )
    assert Override.objects.count() == 1
    again = client.post(f"{to}/override", body, content_type="application/json", headers={"Idempotency-Key": "two"})
    assert again.status_code == 409 and again.json()["type"] == "moved_on"


def test_who_may_not_decide_sees_no_form(scene: Scene) -> None:
    given(scene)
    picker = client_of(scene.picker)
    assert picker.get(address("WAIT01")).status_code == 403
    assert picker.post(address("WAIT01") + "/override", {}).status_code == 403


def test_a_thousand_couriers_do_not_make_more_questions(scene: Scene) -> None:
    users = [User(username=f"many{number}") for number in range(300)]
    User.objects.bulk_create(users)
    riders = Courier.objects.bulk_create(
        Courier(user=user, city=scene.city, name="x", phone="1", lat=31.2, lon=121.4) for user in users
    )
    Shift.objects.bulk_create(Shift(courier=rider, starts_at=clock.now()) for rider in riders)
    client = client_of(scene.owner)
    client.get(BOARD)
    with CaptureQueriesContext(connection) as seen:
        told = client.get(BOARD).json()
    assert len(told["couriers"]) == 302 and len(seen) <= 12


def test_nobody_is_an_actor_without_an_organisation(scene: Scene) -> None:
    from highstreet.delivery.dispatch.reads.tower import tower
    from highstreet.kernel.refusal import Refused

    lost = Actor(kind="staff", user_id=ids.new_id(), store_ids=None, permissions=frozenset({"console.read"}))
    with pytest.raises(Refused, match="not_found"):
        tower(lost, scene.city.pk)


def test_peaks_draw_the_day_and_its_causes_add_up(scene: Scene) -> None:
    an_order(scene, number="LATE02", late_minutes=12, minutes_ago=90)
    client = client_of(scene.owner)
    days = {one.made_at.astimezone(ZoneInfo(scene.city.time_zone)).date() for one in Promise.objects.all()}
    pages = [client.get(f"/console/peaks?day={day}") for day in days]
    wholes = [page.context["whole"] for page in pages]
    assert sum(one.placed for one in wholes) == 5
    assert sum(one.done for one in wholes) == 2 and sum(one.late for one in wholes) == 1
    assert sum(one.lost_seconds for one in wholes) == 12 * 60
    text = "".join(page.content.decode() for page in pages)
    assert "<svg" in text and "Busiest half hour" in text
    assert "12.0" in [page.context["causes"][0].minutes for page in pages]
    assert "No delivery was promised" in client.get("/console/peaks?day=2001-01-01").content.decode()
    assert client.get("/console/peaks?day=nonsense").status_code == 200
    other = client_of(a_scene("two").owner).get("/console/peaks")
    assert other.context["whole"].placed == 0


def test_a_replay_is_asked_for_and_told(scene: Scene) -> None:
    client = client_of(scene.owner)
    day = (clock.now().astimezone(ZoneInfo(scene.city.time_zone)) - timedelta(days=1)).date()
    form = {"day": str(day), "policy": "nearest", "couriers": "80", "quantile": "0"}
    wrongs = ({"policy": "magic"}, {"couriers": "many"}, {"couriers": "5"}, {"day": "2999-01-01"})
    for wrong in (*wrongs, {"roster": "mine"}, {"roster": "other"}, {"roster": "other", "other_day": str(day)}):
        assert client.post("/console/replays", {**form, **wrong}).status_code == 422
    # What no shifts can be had for is said in words, and the form keeps what was chosen.
    refused = client.post("/console/replays", {**form, "roster": "planned"})
    assert refused.status_code == 409
    assert "No roster was published for that day" in refused.content.decode()
    assert '<option value="planned" selected>' in refused.content.decode()
    # A date that is left in the form counts only for another day.
    answer = client.post("/console/replays", {**form, "roster": "worked", "other_day": str(day - timedelta(days=7))})
    assert answer.status_code == 302
    assert client.post("/console/replays", form).status_code == 409
    made = Replay.objects.get()
    assert (made.day, made.policy, made.couriers, made.roster, made.other_day) == (day, "nearest", 80, "worked", None)
    assert "running" in client.get(answer.headers["Location"]).content.decode()
    column = {name: 10.0 for name, *_ in FIGURES} | {"violations": 0, "there": [0.0] * 9 + [2.0, 1.5]}
    same, asked = {**column, "late": 8.0}, {**column, "late": 14.0, "each": 5.0, "there": [0.0] * 10 + [1.0, 0.5]}
    result = {"policy": "timely", "happened": column, "same": same, "asked": asked}
    terms = {"roster": "other", "other_day": day - timedelta(days=7)}
    Replay.objects.update(result=result, progress=100, finished_at=clock.now(), **terms)
    told = client.get(answer.headers["Location"])
    text = told.content.decode()
    assert "+6.0 % worse" in text and "Demand is taken as it was" in text and "Timely" in text
    assert "−¥0.05 better" in text and "those worked on the other day" in text
    hours = [(one.name, one.worked, one.asked) for one in told.context["hours"]]
    assert hours == [("9:00", "2", "0"), ("10:00", "1.5", "1"), ("11:00", "0", "0.5")]
    listed = client.get("/console/replays").content.decode()
    assert "couriers at 80 %" in listed and f"shifts of {day - timedelta(days=7)}" in listed
    assert client_of(scene.support).get("/console/replays").status_code == 403
    assert client_of(a_scene("two").owner).get(answer.headers["Location"]).status_code == 404


def test_a_replay_from_before_costs_were_counted_is_still_told(scene: Scene) -> None:
    client, new = client_of(scene.owner), ("top_up", "bonus", "cost", "each")
    column = {name: 10.0 for name, *_ in FIGURES if name not in new} | {"violations": 0}
    made = Replay.objects.create(
        city_id=scene.city.pk,
        day=date(2026, 1, 2),
        policy="timely",
        progress=100,
        result={"policy": "timely", "happened": column, "same": column, "asked": column},
        asked_at=clock.now(),
        finished_at=clock.now(),
    )
    text = client.get(f"/console/replays/{ids.public('rpl', made.pk)}").content.decode()
    assert "Paid courier hours" in text and "Bonuses" not in text and "on duty" not in text
