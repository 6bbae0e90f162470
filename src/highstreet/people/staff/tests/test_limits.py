"""The catalogue, limits and scopes: who may do what up to how much, and what the refusal says."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from highstreet.growth.partners.actions import make_key
from highstreet.growth.partners.models import ApiKey
from highstreet.growth.partners.reads import KeyBearer
from highstreet.kernel.policy import THE_SYSTEM, Actor, within
from highstreet.kernel.refusal import Refused
from highstreet.people.accounts.reads import actor_of_user
from highstreet.people.staff import actions
from highstreet.people.staff.models import Employee
from highstreet.people.staff.policy import BY_CODE, CATALOGUE, LIMITED, ROLES, limits_of
from highstreet.supply.catalog.actions import set_listing
from highstreet.supply.catalog.models import Listing
from highstreet.supply.inventory import actions as inventory
from highstreet.trade.orders import actions as orders
from highstreet.trade.orders.models import OrderLine
from highstreet.web.console.tests.support import Scene, a_scene, an_order, client_of, staff

pytestmark = pytest.mark.django_db


def refused(work: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as caught, translation.override("en"):
        work()
    with translation.override("en"):
        return caught.value.reason.code, caught.value.words


def test_the_catalogue_is_one_table_that_agrees_with_itself() -> None:
    assert len(BY_CODE) == len(CATALOGUE)
    for row in CATALOGUE:
        assert set(row.roles) <= set(ROLES) and set(row.most) <= set(row.roles), row.code
        assert bool(row.most) <= bool(row.unit), row.code
        assert "owner" not in row.most, "owners have no limits"
    assert limits_of("support", {"orders.refund": None, "stock.adjust": 5}) == {"orders.cancel_any": 50_000}


def test_a_refund_over_the_limit_says_the_limit_and_who_may() -> None:
    scene = a_scene()
    actions.set_limit(actor=owner(scene), role="support", permission="orders.refund", most=900)
    line = line_of(scene)
    support = actor_of_user(scene.support.pk)
    code, words = refused(lambda: orders.refund_units(actor=support, order_line_id=line.pk, units=2, reason="late"))
    assert (code, words) == ("over_limit", "Your limit is ¥9.00. Who may do more: City manager, Owner.")
    line.refresh_from_db()
    assert line.refunded == 0


def test_small_steps_on_one_order_add_up() -> None:
    scene = a_scene()
    actions.set_limit(actor=owner(scene), role="support", permission="orders.refund", most=900)
    order = an_order(scene)
    support = actor_of_user(scene.support.pk)
    for reason in ("late", "damaged", "missing"):
        orders.compensate(actor=support, order_id=order.pk, amount=300, reason=reason)
    code, _ = refused(lambda: orders.compensate(actor=support, order_id=order.pk, amount=1, reason="quality"))
    assert code == "over_limit"
    # Another order is another matter, and the owner has no limit.
    orders.compensate(actor=support, order_id=an_order(scene).pk, amount=900, reason="late")
    orders.compensate(actor=owner(scene), order_id=order.pk, amount=2000, reason="quality")


def test_cancelling_gives_back_no_more_than_one_may() -> None:
    scene = a_scene()
    actions.set_limit(actor=owner(scene), role="support", permission="orders.cancel_any", most=100)
    order = an_order(scene, status="accepted")
    support = actor_of_user(scene.support.pk)
    assert refused(lambda: orders.cancel(actor=support, order_id=order.pk, reason="late"))[0] == "over_limit"


def test_stock_is_put_right_up_to_so_many_units_a_day() -> None:
    scene = a_scene()
    manager = staff("manager", "store_manager", scene.city.retailer, scene.stores[0])
    actions.set_limit(actor=owner(scene), role="store_manager", permission="stock.adjust", most=10)
    actor = actor_of_user(manager.pk)

    def adjust(delta: int) -> int:
        where = {"store_id": scene.stores[0].pk, "variant_id": scene.variants[0].pk}
        return inventory.adjust(actor=actor, **where, delta=delta, reason="count")

    adjust(6)
    code, words = refused(lambda: adjust(-5))
    assert (code, words) == ("over_limit", "Your limit is 10 units. Who may do more: City manager, Owner.")
    adjust(-4)
    assert refused(lambda: adjust(1))[0] == "over_limit"


def test_a_key_has_limits_and_never_more_than_its_maker() -> None:
    scene = a_scene()
    boss = owner(scene)
    made = make_key(actor=boss, name="prices", scopes=["catalog.manage"], limits={"catalog.manage": 10})
    key = KeyBearer().actor_of(made.token, language="en")
    assert key is not None and key.limits == {"catalog.manage": 10}
    where: dict[str, Any] = {"store_id": scene.stores[0].pk, "variant_id": scene.variants[0].pk}
    price = Listing.objects.get(**where).price
    set_listing(actor=key, **where, price=price + price // 10)
    code, words = refused(lambda: set_listing(actor=key, **where, price=price * 2))
    assert (code, words) == ("over_limit", "Your limit is 10 %. Who may do more: Owner.")
    limited = Actor(
        kind="staff",
        user_id=scene.owner.pk,
        organisation_id=scene.city.retailer_id,
        store_ids=None,
        permissions=ROLES["owner"],
        limits={"orders.refund": 500},
    )
    assert refused(lambda: make_key(actor=limited, name="x", scopes=["orders.refund"], limits={"orders.refund": 501}))[
        0
    ] == ("over_limit")
    inherited = make_key(actor=limited, name="x", scopes=["orders.refund"])
    assert ApiKey.objects.get(pk=inherited.id).limits == {"orders.refund": 500}
    assert (
        refused(lambda: make_key(actor=boss, name="x", scopes=["stock.read"], limits={"stock.read": 1}))[0] == "invalid"
    )


def test_a_city_is_the_scope_of_all_its_stores() -> None:
    scene, other = a_scene(), a_scene("two")
    user = staff("city", "city_manager", scene.city.retailer)
    Employee.objects.filter(user=user).update(city=scene.city)
    with CaptureQueriesContext(connection) as queries:
        actor = actor_of_user(user.pk)
    assert len(queries) == 1
    assert actor.store_ids == frozenset(store.pk for store in scene.stores)
    assert not actor.at_store(other.stores[0].pk)
    job: dict[str, Any] = {
        "user_id": user.pk,
        "organisation_id": scene.city.retailer_id,
        "role": "city_manager",
        "name": "C",
    }
    assert refused(lambda: actions.hire(actor=owner(scene), **job, city_id=other.city.pk))[0] == "not_found"
    actions.hire(actor=owner(scene), **job, city_id=scene.city.pk)


def test_limits_are_the_owners_to_set_and_count_at_once() -> None:
    scene = a_scene()
    boss, support = client_of(scene.owner), client_of(scene.support)
    assert support.get("/console/permissions").status_code == 403
    page = boss.get("/console/permissions").content.decode()
    assert all(str(row.says) for row in CATALOGUE) and "up to ¥200.00" in page
    path = "/console/permissions/support/orders.refund"
    assert boss.post(path, {"most": "12.34"}).status_code == 302
    assert actor_of_user(scene.support.pk).limits["orders.refund"] == 1234
    assert boss.post(path, {"most": "lots"}).status_code == 422
    assert boss.post(path, {"most": ""}).status_code == 302
    assert "orders.refund" not in actor_of_user(scene.support.pk).limits
    for wrong in ("owner/orders.refund", "picker/orders.refund", "support/stock.read", "support/nothing"):
        assert boss.post(f"/console/permissions/{wrong}", {"most": "1"}).status_code == 404
    assert refused(lambda: actions.set_limit(actor=owner(scene), role="owner", permission="orders.refund", most=1))[
        0
    ] == ("owners_have_no_limit")


def test_the_system_has_no_limits_and_units_are_known() -> None:
    within(THE_SYSTEM, "orders.refund", 10**12)
    assert set(LIMITED.values()) == {"fen", "units", "percent"}


def owner(scene: Scene) -> Actor:
    return actor_of_user(scene.owner.pk)


def line_of(scene: Scene) -> OrderLine:
    return OrderLine.objects.filter(order=an_order(scene)).order_by("position")[0]
