"""The roster on the console: proposed, published, given out; refused in words where it breaks a rule."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client

from highstreet.delivery.couriers.models import Courier, EarningRule, RosterShift, Wish
from highstreet.kernel import clock, ids
from highstreet.people.accounts.models import User
from highstreet.supply.organisations import reads as organisations

from ..charts import against
from .support import Scene, a_scene, client_of, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    return a_scene("r")


@pytest.fixture
def boss(scene: Scene) -> Client:
    return client_of(scene.owner)


def tomorrow(scene: Scene, more: int = 1) -> date:
    zone = organisations.city(scene.city.pk).zone
    return clock.now().astimezone(zone).date() + timedelta(days=more)


def page(client: Client, day: date) -> str:
    return str(client.get(f"/console/roster?week={day}").content.decode())


def test_propose_then_publish_then_give(scene: Scene, boss: Client) -> None:
    day = tomorrow(scene)
    assert "no past yet" in page(boss, day)
    assert boss.post("/console/roster/propose", {"day": str(day)}).status_code == 302
    drafts = RosterShift.objects.filter(status="draft").count()
    assert drafts > 3
    text = page(boss, day)
    assert "Propose anew" in text and ">Publish" in text.replace("\n", "")
    assert boss.post("/console/roster/publish", {"day": str(day)}).status_code == 302
    assert RosterShift.objects.filter(status="open").count() == drafts
    assert "Propose what is missing" in page(boss, day)
    assert boss.post("/console/roster/propose", {"day": str(day)}).status_code == 302
    assert RosterShift.objects.filter(status="draft").count() == 0
    rider = Courier.objects.create(user=User.objects.create(username="r1"), city=scene.city, name="陈师傅", phone="1")
    row = RosterShift.objects.filter(status="open").order_by("starts_at")[0]
    path = f"/console/roster/shifts/{ids.public('shf', row.pk)}"
    assert "陈师傅" in boss.get(path).content.decode()
    assert boss.post(path, {"what": "give", "courier": "nobody"}).status_code == 422
    assert boss.post(path, {"what": "give", "courier": ids.public("cou", rider.pk)}).status_code == 302
    row.refresh_from_db()
    assert (row.status, row.courier_id) == ("taken", rider.pk)
    for what, status in (("release", "open"), ("withdraw", "withdrawn")):
        assert boss.post(path, {"what": what}).status_code == 302
        row.refresh_from_db()
        assert row.status == status
    assert boss.get(path).status_code == 404


def test_what_breaks_a_rule_is_not_published_and_the_page_says_which(scene: Scene, boss: Client) -> None:
    day = tomorrow(scene, 2)
    zone = organisations.city(scene.city.pk).zone
    starts = clock.now().astimezone(zone).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=2)
    RosterShift.objects.create(city=scene.city, starts_at=starts, ends_at=starts + timedelta(hours=1))
    answer = boss.post("/console/roster/publish", {"day": str(day)})
    assert answer.status_code == 409
    assert "Not published" in answer.content.decode() and "2 h is the limit" in answer.content.decode()
    assert RosterShift.objects.get().status == "draft"


def test_only_planners(scene: Scene) -> None:
    support = client_of(staff("sue", "support", scene.city.retailer))
    assert support.get("/console/roster").status_code == 403
    assert "console/roster" not in support.get("/console/").content.decode()
    assert support.post("/console/roster/propose", {"day": str(tomorrow(scene))}).status_code == 403


@pytest.mark.parametrize("week", ["", "nonsense", "0001-01-01", "9999-12-31"])
def test_any_week_is_a_page(boss: Client, week: str) -> None:
    assert boss.get(f"/console/roster?week={week}").status_code == 200
    assert boss.post("/console/roster/publish", {"day": week}).status_code in (404, 409)


def test_the_picture_shows_what_is_missing_and_the_need_over_it() -> None:
    made = against([("09:00", 4, 2), ("09:30", 1, 4), ("10:00", 0, 0)])
    first, second, third = made.columns
    assert (first.gap_h, first.h) == (0, 124)
    assert (second.h, second.gap_h) == (31, 93)
    assert second.gap_y + second.gap_h == second.y
    assert (third.h, third.gap_h) == (0, 0)
    assert made.line.startswith("M36 74H46L46 12H56")
    assert against([("09:00", 0, 4)], missing=False).columns[0].gap_h == 0
    assert against([]).columns == []


def test_a_rule_of_pay_is_added_for_later_and_never_changed(scene: Scene) -> None:
    scene.owner.is_staff = scene.owner.is_superuser = True
    scene.owner.save()
    client = client_of(scene.owner)
    form = {"city": str(scene.city.pk), "per_order": 700, "per_km": 90, "guarantee_hour": 0, "bonus_orders": 0}
    for days, added in ((-1, 0), (2, 1)):
        at = clock.now() + timedelta(days=days)
        begins = {"starts_at_0": f"{at:%Y-%m-%d}", "starts_at_1": f"{at:%H:%M:%S}"}
        client.post("/admin/couriers/earningrule/add/", {**form, **begins, "bonus": 0})
        assert EarningRule.objects.count() == added
    row = EarningRule.objects.get()
    path = f"/admin/couriers/earningrule/{row.pk}/change/"
    assert client.post(path, {**form, **begins, "per_order": 1, "bonus": 0}).status_code == 403


def test_the_planner_sees_what_was_wished_and_granted(scene: Scene, boss: Client) -> None:
    day = tomorrow(scene)
    ones = [
        Courier.objects.create(user=User.objects.create(username=f"w{n}"), city=scene.city, name=f"骑手{n}", phone="1")
        for n in range(3)
    ]
    Wish.objects.create(courier=ones[0], kind="want", day=day, from_minute=600, to_minute=1320)
    Wish.objects.create(courier=ones[1], kind="want", day=day, from_minute=60, to_minute=300)
    Wish.objects.create(courier=ones[2], kind="cannot", day=day, from_minute=0, to_minute=1440)
    assert "granted" not in page(boss, day), "nothing was planned yet"
    assert boss.post("/console/roster/propose", {"day": str(day)}).status_code == 302
    text = page(boss, day)
    assert "1 of 2 wishes granted" in text
    assert "wants to work" in text
    assert "Too few couriers" in text
    able = Courier.objects.filter(city=scene.city, active=True).count() - 1
    assert f": {able} can come, " in text
    row = RosterShift.objects.filter(courier=None).order_by("starts_at")[0]
    path = f"/console/roster/shifts/{ids.public('shf', row.pk)}"
    assert "骑手2 (cannot)" in boss.get(path).content.decode()
    refused = boss.post(path, {"what": "give", "courier": ids.public("cou", ones[2].pk)})
    assert refused.status_code == 409
    assert "骑手2 cannot work on" in refused.content.decode()
