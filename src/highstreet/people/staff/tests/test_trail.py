"""The audit trail: every deed has its row, in the deed's own transaction; rows stay; and it can be searched."""

from __future__ import annotations

import json

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext

from highstreet.growth.partners.actions import make_key
from highstreet.growth.partners.reads import KeyBearer
from highstreet.kernel import ids
from highstreet.kernel.models import Trail
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.people.accounts.reads import actor_of_user
from highstreet.people.staff.models import Employee
from highstreet.supply.inventory import actions as inventory
from highstreet.trade.orders import actions as orders
from highstreet.web.console.tests.support import Scene, a_scene, an_order, client_of, staff

pytestmark = pytest.mark.django_db
CANARY = "canary-7f3a"


def deeds() -> QuerySet[Trail]:
    """The rows of what was done after the scene was set."""
    return Trail.objects.exclude(action="supply.inventory.receive")


def adjust(actor: Actor, scene: Scene, delta: int = 3, reason: str = "count") -> None:
    where = {"store_id": scene.stores[0].pk, "variant_id": scene.variants[0].pk}
    inventory.adjust(actor=actor, **where, delta=delta, reason=reason)


def test_a_deed_says_who_what_and_to_what() -> None:
    scene = a_scene()
    actor = actor_of_user(scene.owner.pk)
    adjust(actor, scene, reason=f"other: {CANARY}")
    row = deeds().get()
    assert (row.actor, row.action, row.permission) == (actor.name, "supply.inventory.adjust", "stock.adjust")
    assert row.organisation_id == scene.city.retailer_id
    assert set(row.subjects) == {scene.stores[0].pk, scene.variants[0].pk}
    assert row.facts["delta"] == 3
    # No free text: it could hold somebody's data, and nothing here can be erased.
    assert CANARY not in json.dumps(row.facts)


def test_a_page_gives_its_request_id() -> None:
    scene = a_scene()
    employee = Employee.objects.get(user=scene.support)
    answer = client_of(scene.owner).post(f"/console/people/{ids.public('emp', employee.pk)}", {"role": "city_manager"})
    row = Trail.objects.get(action="people.staff.set_role")
    assert row.request and row.request == answer["X-Request-Id"]
    assert row.facts["role"] == "city_manager" and employee.pk in row.subjects


def test_what_is_undone_leaves_no_row_and_refusals_none() -> None:
    scene = a_scene()
    actor = actor_of_user(scene.owner.pk)
    with pytest.raises(Refused):
        adjust(actor, scene, -(10**6))
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        adjust(actor, scene)
        raise ZeroDivisionError
    assert not deeds().exists()


def test_rows_cannot_be_changed_or_removed() -> None:
    scene = a_scene()
    adjust(actor_of_user(scene.owner.pk), scene)
    for change in (
        lambda: Trail.objects.update(actor="somebody else"),
        lambda: Trail.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
    assert deeds().count() == 1


def test_keys_and_the_platform_are_written_down_and_shoppers_are_not() -> None:
    scene = a_scene()
    made = make_key(actor=actor_of_user(scene.owner.pk), name="stock", scopes=["stock.adjust", "stock.read"])
    key = KeyBearer().actor_of(made.token, language="en")
    assert key is not None
    adjust(key, scene)
    order = an_order(scene)
    orders.compensate(actor=THE_SYSTEM, order_id=order.pk, amount=100, reason="late")
    kinds = dict(deeds().values_list("action", "actor"))
    assert kinds == {
        "growth.partners.make_key": f"staff:{scene.owner.pk}",
        "supply.inventory.adjust": f"partner:{made.id}",
        "trade.orders.compensate": "system",
    }
    assert made.id in Trail.objects.get(action="growth.partners.make_key").subjects
    open_one = an_order(scene, status="pending")
    with CaptureQueriesContext(connection) as queries:
        orders.cancel(actor=Actor(order_keys=frozenset({open_one.key})), order_id=open_one.pk)
    assert not [query for query in queries if "kernel_trail" in query["sql"]]


def test_it_is_searched_by_person_object_permission_and_day() -> None:
    scene, other = a_scene(), a_scene("two")
    adjust(actor_of_user(scene.owner.pk), scene)
    order = an_order(scene)
    orders.compensate(actor=actor_of_user(scene.support.pk), order_id=order.pk, amount=100, reason="late")
    orders.compensate(actor=THE_SYSTEM, order_id=order.pk, amount=100, reason="missing")
    adjust(actor_of_user(other.owner.pk), other)
    browser = client_of(scene.owner)

    def found(**search: str) -> list[str]:
        rows = browser.get("/console/trail", search).context["rows"]
        return [row.view.action.rpartition(".")[2] for row in rows]

    assert found() == ["compensate", "adjust"]
    assert found(who=ids.public("usr", scene.support.pk)) == ["compensate"]
    assert found(may="stock.adjust") == ["adjust"]
    # Of one's own order also what Highstreet itself did; of another's nothing.
    assert found(object=ids.public("ord", order.pk)) == ["compensate", "compensate"]
    assert found(object=ids.public("ord", an_order(other).pk)) == []
    assert found(day="2020-01-01") == []
    assert browser.get("/console/trail", {"object": "nonsense"}).status_code == 422
    assert browser.get("/console/trail", {"day": "31.12."}).status_code == 422
    assert client_of(scene.support).get("/console/trail").status_code == 403
    assert Client().get("/console/trail").status_code == 302


def test_every_deed_has_words() -> None:
    """An action that is trailed and has no words would be shown by its name in code."""
    from tests.contracts.test_house import actions as all_actions

    from highstreet.kernel.trail import UNTRAILED
    from highstreet.web.console.deeds import DEEDS

    named = {
        f"{name.removeprefix('highstreet.').partition('.actions')[0]}.{name.rpartition('.')[2]}"
        for name, value in all_actions()
        if getattr(value, "__policy__", "") not in ("public", "system", *UNTRAILED) and "__wrapped__" in vars(value)
    }
    assert sorted(named - set(DEEDS)) == []


def test_who_answers_for_some_stores_sees_the_deeds_and_names_of_those_who_work_there() -> None:
    scene = a_scene()
    elsewhere = Employee.objects.get(user=scene.support)
    adjust(actor_of_user(scene.owner.pk), scene, reason="count")
    manager = staff("city", "city_manager", scene.city.retailer)
    Employee.objects.filter(user=manager).update(city=scene.city)
    page = client_of(manager).get("/console/trail").content.decode()
    assert elsewhere.name not in page
    assert "/console/trail" in page and "supply" not in page
    owners = client_of(scene.owner).get("/console/trail").content.decode()
    assert elsewhere.name in owners
