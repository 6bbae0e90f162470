"""What the console does: each form refused with its values kept, or done and looked at anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from highstreet.kernel import clock, ids
from highstreet.kernel.models import Trail
from highstreet.kernel.refusal import Refused
from highstreet.people.accounts.models import User
from highstreet.people.accounts.reads import actor_of_user
from highstreet.people.staff import actions as staff
from highstreet.people.staff.models import Employee
from highstreet.supply.catalog import actions as catalog
from highstreet.supply.catalog.models import Listing
from highstreet.supply.catalog.reads import cards
from highstreet.supply.inventory import reads as inventory
from highstreet.supply.organisations.reads import forget
from highstreet.trade.orders.models import OrderLine
from highstreet.trade.payments.models import Alert, Refund
from highstreet.web.console import charts
from highstreet.web.console.pages.promises import interval
from highstreet.web.console.tests.support import Scene, a_scene, an_order, client_of
from highstreet.web.console.tests.support import staff as hired
from highstreet.web.ui.rules import fen, yuan

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Iterator[Scene]:
    yield a_scene()
    forget()


def test_a_refund_needs_units_a_reason_and_the_number(scene: Scene) -> None:
    order = an_order(scene, number="AAA111")
    line = OrderLine.objects.filter(order=order).order_by("position").first()
    assert line is not None
    address = f"/console/orders/{ids.public('ord', order.pk)}/lines/{ids.public('oli', line.pk)}/refund"
    client = client_of(scene.support)
    for form in (
        {},
        {"units": "1", "reason": "damaged", "typed": "AAA112"},
        {"units": "0", "reason": "damaged"},
        {"units": "1.5"},
        {"units": "9" * 19},
        {"units": "-1"},
        {"units": "3", "typed": "AAA111"},
    ):
        answer = client.post(address, form)
        assert answer.status_code == 422
        assert not Refund.objects.exists()
    assert 'value="1"' in client.post(address, {"units": "1"}).content.decode()
    done = client.post(address, {"units": "1", "reason": "damaged", "typed": "aaa111"})
    assert done.status_code == 302
    assert [row.amount for row in Refund.objects.all()] == [500]
    client.post(address, {"units": "1", "reason": "damaged", "typed": "AAA111"})
    again = client.post(address, {"units": "1", "reason": "damaged", "typed": "AAA111"})
    assert again.status_code in (409, 422)


def test_a_cancellation_gives_everything_back(scene: Scene) -> None:
    order = an_order(scene, number="AAA111", status="pending", minutes_ago=2)
    address = f"/console/orders/{ids.public('ord', order.pk)}/cancel"
    client = client_of(scene.support)
    assert client.post(address, {"reason": "customer"}).status_code == 422
    assert client.post(address, {"reason": "x", "typed": "AAA111"}).status_code == 422
    assert client.post(address, {"reason": "customer", "typed": "AAA111"}).status_code == 302
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("cancelled", order.captured)
    again = client.post(address, {"reason": "customer", "typed": "AAA111"})
    assert again.status_code in (409, 422)


def test_prices_are_set_or_said_why_not(scene: Scene) -> None:
    variant, store = scene.variants[0], scene.stores[0]
    address = f"/console/catalogue/{ids.public('var', variant.pk)}/{ids.public('str', store.pk)}"
    client = client_of(scene.owner)
    for form in (
        {"price": ""},
        {"price": "abc"},
        {"price": "0"},
        {"price": "1.005"},
        {"price": "1e9"},
        {"price": "9.90", "was": "5"},
        {"price": "NaN"},
        {"price": "-3"},
    ):
        assert client.post(address, form).status_code == 422, form
    assert client.post(address, {"price": "12.5", "was": "15"}).status_code == 302
    listing = Listing.objects.get(store=store, variant=variant)
    assert (listing.price, listing.was, listing.visible) == (1250, 1500, False)
    assert client_of(scene.support).post(address, {"price": "1"}).status_code == 403


def test_a_flash_sale_begins_and_ends(scene: Scene) -> None:
    """By who may put stock right, up to the units that they may; trailed; the shop shows the same number."""
    store, variant = scene.stores[0], scene.variants[0]
    address = f"/console/stock/{ids.public('str', store.pk)}/{ids.public('var', variant.pk)}"
    owner, support = client_of(scene.owner), client_of(scene.support)
    before = cards(store.pk, [variant.pk])[variant.pk]
    assert "Sell as a flash sale" in owner.get(address).content.decode()
    assert "Sell as a flash sale" not in support.get(address).content.decode()
    assert support.post(address, {"flash": "1"}).status_code == 403
    assert owner.post(address, {"flash": "yes"}).status_code == 200
    assert owner.post(address, {"flash": "1"}).status_code == 302
    level = inventory.levels(store.pk, [variant.pk])[variant.pk]
    assert level.flash and level.free == before.free
    assert cards(store.pk, [variant.pk])[variant.pk] == before
    assert "秒杀" in client_of(scene.owner, "zh-hans").get(address).content.decode()
    deed = Trail.objects.get(action="supply.inventory.set_flash")
    assert (deed.permission, deed.facts["flash"]) == ("stock.adjust", True)
    manager = hired("city", "city_manager", scene.city.retailer)
    staff.set_limit(actor=actor_of_user(scene.owner.pk), role="city_manager", permission="stock.adjust", most=1)
    answer = client_of(manager).post(address, {"flash": "0"})
    assert answer.status_code == 403 and "Your limit is 1 unit" in answer.content.decode()
    assert owner.post(address, {"flash": "0"}).status_code == 302
    assert not inventory.levels(store.pk, [variant.pk])[variant.pk].flash


def test_people_are_hired_moved_dismissed_and_taken_back(scene: Scene) -> None:
    client = client_of(scene.owner)
    assert client.post("/console/people/hire", {"username": "nobody", "name": "N", "role": "owner"}).status_code == 422
    new = User.objects.create(username="new")
    form = {"username": "new", "name": "New", "role": "picker"}
    assert client.post("/console/people/hire", form).status_code == 422
    form["store"] = ids.public("str", scene.stores[0].pk)
    assert client.post("/console/people/hire", form).status_code == 302
    employee = Employee.objects.get(user=new)
    assert (employee.role, employee.store_id) == ("picker", scene.stores[0].pk)
    address = f"/console/people/{ids.public('emp', employee.pk)}"
    assert client.post(address, {"role": "king"}).status_code == 422
    assert client.post(address, {"role": "support"}).status_code == 302
    assert client.post(f"{address}/active", {"active": "0"}).status_code == 302
    employee.refresh_from_db()
    assert (employee.role, employee.active) == ("support", False)
    assert client_of(new).get("/console/").status_code == 403
    assert client.post(f"{address}/active", {"active": "1"}).status_code == 302
    assert client_of(new).get("/console/").status_code == 200


def test_a_place_that_a_role_has_no_use_for_is_refused(scene: Scene) -> None:
    client, store = client_of(scene.owner), ids.public("str", scene.stores[0].pk)
    new, city = User.objects.create(username="new"), ids.public("cty", scene.city.pk)
    form = {"username": "new", "name": "New"}
    for wrong in (
        {"role": "owner", "city": city},
        {"role": "owner", "store": store},
        {"role": "support", "store": store},
        {"role": "support", "city": "cty_nowhere"},
        {"role": "picker", "store": store, "city": city},
    ):
        assert client.post("/console/people/hire", form | wrong).status_code == 422, wrong
    assert not Employee.objects.filter(user=new).exists()
    assert client.post("/console/people/hire", form | {"role": "city_manager", "city": city}).status_code == 302
    employee = Employee.objects.get(user=new)
    assert (employee.role, employee.store_id, employee.city_id) == ("city_manager", None, scene.city.pk)
    assert scene.city.name_en in client.get("/console/people").content.decode()


def test_the_last_owner_stays_and_nobody_is_taken_from_another_house(scene: Scene) -> None:
    client, me = client_of(scene.owner), Employee.objects.get(user=scene.owner)
    address = f"/console/people/{ids.public('emp', me.pk)}"
    assert client.post(f"{address}/active", {"active": "0"}).status_code == 409
    assert client.post(address, {"role": "picker"}).status_code == 409
    other = a_scene("other")
    form = {"username": other.picker.username, "name": "X", "role": "picker"}
    form["store"] = ids.public("str", scene.stores[0].pk)
    assert client.post("/console/people/hire", form).status_code == 409
    theirs = Employee.objects.get(user=other.picker)
    assert theirs.organisation_id == other.city.retailer_id
    me.refresh_from_db()
    assert (me.role, me.active) == ("owner", True)
    with pytest.raises(Refused):
        staff.hire(
            actor=actor_of_user(scene.owner.pk),
            user_id=User.objects.create(username="fresh").pk,
            role="picker",
            organisation_id=me.organisation_id,
            name="F",
            store_id=other.stores[0].pk,
        )
    assert not Employee.objects.filter(user__username="fresh").exists()


def test_prices_of_another_house_are_not_ours(scene: Scene) -> None:
    other = a_scene("other")
    with pytest.raises(Refused):
        catalog.set_listing(
            actor=actor_of_user(scene.owner.pk), store_id=other.stores[0].pk, variant_id=other.variants[0].pk, price=1
        )


def test_alerts_are_closed_once(scene: Scene) -> None:
    alert = Alert.objects.create(
        kind="payment_amount",
        subject="x1",
        organisation=scene.city.retailer,
        facts={"amount": 1},
        at=clock.now(),
    )
    client = client_of(scene.support)
    assert "A payment of another amount" in client.get("/console/alerts").content.decode()
    address = f"/console/alerts/{ids.public('alt', alert.pk)}/close"
    assert client.post(address).status_code == 302
    assert client.post(address).status_code == 404
    assert "Nothing needs a look" in client.get("/console/alerts").content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_audit_runs(scene: Scene) -> None:
    answer = client_of(scene.owner).get("/console/audit?run=1")
    assert answer.status_code == 200
    assert {"I1", "I2", "I4", "I9", "I10"} <= {one.name for one in answer.context["results"]}


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12.90", 1290),
        ("¥3", 300),
        ("0.01", 1),
        ("0", None),
        ("1.234", None),
        ("inf", None),
        ("", None),
        ("100001", None),
        ("12，5", 1250),
    ],
)
def test_yuan_as_typed(text: str, amount: int | None) -> None:
    assert fen(text) == amount
    if amount:
        assert fen(yuan(amount)) == amount


def test_bars_fill_the_scale_and_small_ones_are_seen() -> None:
    chart = charts.stacked([("a", 100, 0), ("b", 1, 1), ("c", 0, 0)])
    assert [bar.kept_h for bar in chart.bars] == [124, 2, 0]
    assert chart.bars[1].broken_h == 2
    assert [charts.top_of(value) for value in (0, 3, 7, 11, 40, 41, 999)] == [2, 4, 10, 20, 40, 100, 1000]
    assert charts.stacked([]).width > 0


def test_the_interval_is_wilsons() -> None:
    # Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662.
    assert interval(81, 263) == "95 %: 25.5–36.6"
    assert interval(0, 0) == ""


def test_every_check_of_the_audit_has_words() -> None:
    from highstreet.kernel import audit
    from highstreet.web.console import words

    assert [check.says for check in audit._checks if check.says not in words.SAYS] == []
