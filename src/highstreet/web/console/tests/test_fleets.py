"""The fleets' pages: accounts kept and never shown, stores that use them, callbacks and alerts, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from highstreet.delivery.dispatch.models import Delivery
from highstreet.delivery.fleets import actions
from highstreet.delivery.fleets.models import Fleet, FleetAlert, FleetEvent, FleetOrder, FleetUse
from highstreet.delivery.fleets.sealing import unseal
from highstreet.delivery.fleets.tests.support import MEITUAN_SECRETS, WECHAT_SECRETS, meituan_callback, tell
from highstreet.kernel import clock, ids
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.people.accounts.reads import actor_of_user
from highstreet.supply.organisations.reads import forget
from highstreet.trade.orders.models import Order
from highstreet.web.console.tests.support import Scene, a_scene, an_order, client_of

pytestmark = pytest.mark.django_db
HOME = "/console/fleets"


@pytest.fixture
def scene() -> Iterator[Scene]:
    yield a_scene()
    forget()


def added(scene: Scene) -> str:
    """A Meituan account made in the console. Its code."""
    form = {"provider": "meituan", "name": "Rain fleet", **MEITUAN_SECRETS}
    answer = client_of(scene.owner).post(f"{HOME}/new?provider=meituan", form)
    code = ids.public("flt", Fleet.objects.latest("created_at").pk)
    assert (answer.status_code, answer["Location"]) == (302, f"{HOME}/{code}")
    return code


def a_fleet(scene: Scene) -> Fleet:
    added(scene)
    return Fleet.objects.get()


def at_the_fleet(scene: Scene, fleet: Fleet) -> tuple[Order, FleetOrder]:
    """An order whose delivery a fleet has."""
    order = an_order(scene, status="ready")
    row = Delivery.objects.get(order_id=order.pk)
    Delivery.objects.filter(pk=row.pk).update(carrier="fleet", courier=None, status="waiting")
    now = clock.now()
    made = FleetOrder.objects.create(
        fleet=fleet,
        delivery_id=row.pk,
        order_id=order.pk,
        order_number=order.number,
        store_id=row.store_id,
        attempt=3,
        number=ids.public("flo", ids.new_id()),
        since=now,
        heard_at=now,
        created_at=now,
        promised_to=row.promised_to,
    )
    return order, made


def test_an_account_is_kept_and_its_secrets_are_never_shown(scene: Scene) -> None:
    client = client_of(scene.owner)
    empty = client.get(HOME).content.decode()
    assert "No fleets yet" in empty
    choice = client.get(f"{HOME}/new").content.decode()
    assert "WeChat instant delivery" in choice and "Meituan delivery" in choice
    form = client.get(f"{HOME}/new?provider=wechat").content.decode()
    assert all(f'name="{field}"' in form for field in WECHAT_SECRETS)
    code = added(scene)
    fleet = Fleet.objects.get()
    assert unseal(fleet.secrets) == MEITUAN_SECRETS
    for page in (client.get(HOME), client.get(f"{HOME}/{code}")):
        text = page.content.decode()
        assert "Rain fleet" in text and MEITUAN_SECRETS["secret"] not in text and MEITUAN_SECRETS["appkey"] not in text
    assert f"/api/v1/fleets/{code}/notify" in client.get(f"{HOME}/{code}").content.decode()


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"provider": "meituan", **MEITUAN_SECRETS}, 422),
        ({"provider": "meituan", "name": "x", "appkey": "a"}, 422),
        ({"provider": "pigeons", "name": "x"}, 422),
        ({"provider": "wechat", "name": "x", **WECHAT_SECRETS, "aes_key": "short"}, 422),
        ({"provider": "meituan", "name": "x", **MEITUAN_SECRETS, "base_url": "http://10.0.0.1"}, 422),
    ],
)
def test_what_is_missing_is_said_in_the_form(scene: Scene, form: dict[str, str], status: int) -> None:
    answer = client_of(scene.owner).post(f"{HOME}/new?provider={form['provider']}", form)
    assert answer.status_code == status and not Fleet.objects.exists()


def test_where_it_brings(scene: Scene) -> None:
    client, code = client_of(scene.owner), added(scene)
    store, city = ids.public("str", scene.stores[0].pk), ids.public("cty", scene.city.pk)
    for where, words in ((store, "Shop"), (city, "All stores in")):
        client.post(f"{HOME}/{code}/use", {"where": where, "couriers": "4", "shop_no": "77"})
        assert words in client.get(f"{HOME}/{code}").content.decode()
    assert FleetUse.objects.filter(ended_at=None).count() == 2
    again = client.post(f"{HOME}/{code}/use", {"where": city, "couriers": "4"})
    assert again.status_code == 409 and "Another fleet brings these deliveries" in again.content.decode()
    assert client.post(f"{HOME}/{code}/use", {"where": store, "couriers": "many"}).status_code == 422
    use = ids.public("flu", FleetUse.objects.filter(store=None).get().pk)
    client.post(f"{HOME}/{code}/{use}")
    assert FleetUse.objects.filter(ended_at=None).count() == 1
    for what, active in (("off", False), ("on", True)):
        client.post(f"{HOME}/{code}/{what}")
        assert Fleet.objects.get().active is active
    client.post(f"{HOME}/{code}", {"name": "Sun fleet", "secret": "new"})
    fleet = Fleet.objects.get()
    assert fleet.name == "Sun fleet" and unseal(fleet.secrets) == {**MEITUAN_SECRETS, "secret": "new"}
    client.post(f"{HOME}/{code}/remove")
    assert Fleet.objects.get().removed_at is not None and client.get(f"{HOME}/{code}").status_code == 404


def test_what_it_told_and_what_must_be_looked_at(scene: Scene) -> None:
    fleet = a_fleet(scene)
    order, going = at_the_fleet(scene, fleet)
    tell(fleet, going.number, "20", name="张三", phone="13800001234")
    tell(fleet, going.number, "77", at=1_772_636_500)
    client = client_of(scene.owner)
    text = client.get(HOME).content.decode()
    assert "A courier took it" in text and "the delivery got on" in text and order.number in text
    assert "The fleet said a code that we do not know" in text
    dossier = client.get(f"/console/orders/{ids.public('ord', order.pk)}").content.decode()
    assert "Rain fleet · 张三 · 13800001234" in dossier
    alert = ids.public("fla", FleetAlert.objects.get().pk)
    client.post(f"{HOME}/alerts/{alert}/close")
    assert not FleetAlert.objects.filter(closed_at=None).exists()


@pytest.mark.parametrize(("what", "state"), [("found", "returned"), ("lost", "returned")])
def test_a_bag_that_is_out_has_two_buttons(scene: Scene, what: str, state: str) -> None:
    fleet = a_fleet(scene)
    order, going = at_the_fleet(scene, fleet)
    tell(fleet, going.number, "30")
    tell(fleet, going.number, "99", at=1_772_636_500)
    client = client_of(scene.owner)
    assert "The bag is back" in client.get(HOME).content.decode()
    alert = ids.public("fla", FleetAlert.objects.get(kind="bag_out").pk)
    assert client.post(f"{HOME}/alerts/{alert}/{what}").status_code == 302
    assert Delivery.objects.get(order_id=order.pk).status == state
    assert client.post(f"{HOME}/alerts/{alert}/{what}").status_code == 404, "once"


def test_it_is_for_those_who_may_and_for_their_own(scene: Scene) -> None:
    code = added(scene)
    for user in (scene.support, scene.picker):
        for path in ("", "/new", f"/{code}"):
            assert client_of(user).get(f"{HOME}{path}").status_code == 403
    stranger = client_of(a_scene("two").owner)
    assert "Rain fleet" not in stranger.get(HOME).content.decode()
    for answer in (stranger.get(f"{HOME}/{code}"), stranger.post(f"{HOME}/{code}/off")):
        assert answer.status_code == 404
    assert 'href="/console/fleets"' not in client_of(scene.support).get("/console/").content.decode()


def test_it_speaks_chinese(scene: Scene) -> None:
    code = added(scene)
    client = client_of(scene.owner, "zh-hans")
    for path in ("", "/new", "/new?provider=wechat", f"/{code}"):
        text = client.get(f"{HOME}{path}").content.decode()
        assert "运力" in text


def test_as_many_questions_for_many_callbacks(scene: Scene, django_assert_max_num_queries: Any) -> None:
    fleet = a_fleet(scene)
    _, going = at_the_fleet(scene, fleet)
    client = client_of(scene.owner)

    def asked() -> int:
        client.get(HOME)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            client.get(HOME)
        return len(seen)

    tell(fleet, going.number, "20")
    few = asked()
    for number in range(15):
        called = meituan_callback(going.number, "20", at=1_772_636_500 + number)
        actions.receive_callback(actor=THE_SYSTEM, fleet_id=fleet.pk, called=called)
    assert FleetEvent.objects.count() == 16 and asked() == few
    assert actor_of_user(scene.owner.pk).may("fleets.manage")
