"""An organisation's accounts with fleets, and where they are used."""

from __future__ import annotations

from functools import partial

import pytest

from highstreet.kernel import ids, outbox
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.supply.organisations import reads as organisations
from highstreet.trade.orders.tests import support as shop

from .. import actions, reads
from ..models import FleetUse
from ..sealing import unseal
from .support import MEITUAN_SECRETS, WECHAT_SECRETS, Scripted, given, hire, meituan_callback, owner, tell


def test_accounts_are_their_organisations(town: shop.Town) -> None:
    fleet = hire(town, provider="wechat")
    boss, stranger = owner(town.retailer), owner(ids.new_id())
    assert unseal(fleet.secrets) == WECHAT_SECRETS and WECHAT_SECRETS["shop_secret"] not in fleet.secrets
    assert [one.id for one in reads.fleets(boss)] == [fleet.pk] and reads.fleets(stranger) == []
    use = FleetUse.objects.get()
    for act in (
        lambda: actions.change_fleet(actor=stranger, fleet_id=fleet.pk, name="mine"),
        lambda: actions.remove_fleet(actor=stranger, fleet_id=fleet.pk),
        lambda: actions.use_fleet(actor=stranger, fleet_id=fleet.pk, couriers=1, city_id=town.city),
        lambda: actions.end_use(actor=stranger, use_id=use.pk),
        lambda: reads.fleet(stranger, fleet.pk),
    ):
        with pytest.raises(Refused, match="not_found"):
            act()
    nobody = Actor(kind="staff", user_id=ids.new_id(), organisation_id=town.retailer, store_ids=None)
    with pytest.raises(Refused, match="forbidden"):
        actions.end_use(actor=nobody, use_id=use.pk)


def test_what_an_account_needs(town: shop.Town, settings: object) -> None:
    boss = owner(town.retailer)
    add = partial(actions.add_fleet, actor=boss, name="x")
    with pytest.raises(Refused, match="unknown_fleet"):
        add(provider="pigeons", secrets={})
    with pytest.raises(Refused, match="secret_missing") as refused:
        add(provider="meituan", secrets={"appkey": "x"})
    assert refused.value.facts["fields"] == "secret, service_code"
    with pytest.raises(Refused, match="invalid"):
        add(provider="wechat", secrets={**WECHAT_SECRETS, "aes_key": "short"})
    with pytest.raises(Refused, match="fleet_barred"):
        add(provider="meituan", secrets=MEITUAN_SECRETS, base_url="http://10.0.0.1/api")
    fleet = hire(town)
    with pytest.raises(Refused, match="fleet_taken"):
        actions.use_fleet(actor=boss, fleet_id=fleet.pk, couriers=1, store_id=town.stores[0])
    with pytest.raises(Refused, match="invalid"):
        actions.use_fleet(actor=boss, fleet_id=fleet.pk, couriers=0, store_id=town.stores[1])
    actions.change_fleet(actor=boss, fleet_id=fleet.pk, secrets={"secret": "new", "appkey": ""})
    fleet.refresh_from_db()
    assert unseal(fleet.secrets) == {**MEITUAN_SECRETS, "secret": "new"}


def test_a_fleet_is_not_removed_while_it_has_work(town: shop.Town, provider: Scripted) -> None:
    fleet = hire(town)
    _, _, order = given(town)
    boss = owner(town.retailer)
    with pytest.raises(Refused, match="fleet_busy"):
        actions.remove_fleet(actor=boss, fleet_id=fleet.pk)
    tell(fleet, order.number, "50")
    outbox.drain()
    actions.remove_fleet(actor=boss, fleet_id=fleet.pk)
    fleet.refresh_from_db()
    assert fleet.secrets == "" and reads.fleets(boss) == [] and reads.use_of(town.stores[0], town.city) is None
    with pytest.raises(Refused, match="fleet_not_believed"):
        actions.receive_callback(actor=THE_SYSTEM, fleet_id=fleet.pk, called=meituan_callback(order.number, "50"))


def test_only_the_stores_that_use_it(town: shop.Town, provider: Scripted) -> None:
    fleet = hire(town, store=1)
    for number, store in enumerate(town.stores):
        used = reads.use_of(store, town.city)
        assert (used is not None) == (number == 1)
    boss = owner(town.retailer)
    actions.use_fleet(actor=boss, fleet_id=fleet.pk, city_id=town.city, couriers=5)
    assert all(reads.use_of(store, town.city) for store in town.stores)
    own = reads.use_of(town.stores[1], town.city)
    assert own is not None and own.store_id == town.stores[1], "a store's own comes before its city's"
    actions.change_fleet(actor=boss, fleet_id=fleet.pk, active=False)
    assert reads.use_of(town.stores[1], town.city) is None


def test_a_city_without_couriers_promises_by_its_fleets(town: shop.Town, provider: Scripted) -> None:
    with pytest.raises(Refused, match="no_capacity"):
        town.order(1)
    hire(town, couriers=2)
    organisations.forget()
    assert reads.couriers_in(town.city) == {town.stores[0]: 2}
    town.order(1)
