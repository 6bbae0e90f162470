"""A delivery at a fleet from the accepted order to its end, with whole orders behind it."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, transaction

from highstreet.delivery.dispatch import actions as dispatch
from highstreet.delivery.dispatch.models import Delivery
from highstreet.delivery.dispatch.reads import tracking
from highstreet.delivery.dispatch.tests.test_journey import rider
from highstreet.delivery.promise import reads as promises
from highstreet.kernel import outbox
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.kernel.refusal import Refused
from highstreet.trade.fulfilment import actions as fulfilments
from highstreet.trade.fulfilment import reads as bags
from highstreet.trade.fulfilment.models import Fulfilment
from highstreet.trade.fulfilment.ports import Rider
from highstreet.trade.orders.actions import Placed
from highstreet.trade.orders.tests import support as shop
from highstreet.trade.orders.tests.test_paths import points_of

from .. import actions, reads, rules, steps
from ..models import Fleet, FleetAlert, FleetEvent, FleetOrder
from .support import (
    MEITUAN_SECRETS,
    Scripted,
    alerts,
    given,
    hire,
    owed,
    owner,
    path,
    refunded,
    status,
    tell,
    turn,
)


def test_what_a_fleet_brings_is_delivered_and_kept(town: shop.Town, provider: Scripted) -> None:
    fleet = hire(town)
    placed, row, order = given(town)
    assert (row.carrier, row.status, order.status, order.fee) == ("fleet", "waiting", "placed", 700)
    number = order.number
    assert tell(fleet, number, "20", name="张三", phone="13800001234") == "moved"
    assert tell(fleet, number, "30", at=1_772_636_500) == "moved"
    assert tell(fleet, number, "50", at=1_772_636_600) == "moved"
    outbox.drain()
    assert path(row.pk) == ["assigned", "accepted", "picked_up", "delivered"]
    order.refresh_from_db()
    assert (order.status, order.told, order.next_at) == ("done", "delivered", None)
    assert status(placed) == ("completed", "", "delivered")
    found = promises.promise(placed.order_id)
    assert found is not None and found.outcome == "kept"
    row.refresh_from_db()
    assert (row.courier_id, row.pay, row.proof_kind) == (None, 0, "fleet")
    assert (order.charged, owed(fleet)) == (700, 700)
    assert alerts() == set()


def test_states_that_are_skipped_are_walked_through(town: shop.Town, provider: Scripted) -> None:
    fleet = hire(town)
    placed, row, order = given(town)
    tell(fleet, order.number, "50")
    outbox.drain()
    assert path(row.pk) == ["assigned", "accepted", "picked_up", "delivered"]
    assert status(placed)[0] == "completed"


def test_nothing_moves_back_and_nothing_twice(town: shop.Town, provider: Scripted) -> None:
    fleet = hire(town)
    _placed, row, order = given(town)
    assert tell(fleet, order.number, "30", at=1_772_636_500) == "moved"
    assert tell(fleet, order.number, "20", at=1_772_636_400) == "late"
    assert tell(fleet, order.number, "30", at=1_772_636_501) == "repeated"
    assert tell(fleet, order.number, "50", at=1_772_636_600) == "moved"
    assert tell(fleet, order.number, "99", at=1_772_636_700) == "over"
    assert path(row.pk) == ["assigned", "accepted", "picked_up", "delivered"]
    assert FleetEvent.objects.count() == 5, "what comes late is kept all the same"


def test_another_courier_takes_it_over(town: shop.Town, provider: Scripted) -> None:
    """The same state with another courier: whoever was named last, by the fleet's own time."""
    fleet = hire(town)
    placed, row, order = given(town)
    tell(fleet, order.number, "20", at=1_772_636_400, name="张三", phone="13800001234")
    seen = tracking.track(placed.order_id)
    assert seen is not None and (seen.courier_name, seen.courier_phone_tail) == ("张师傅", "1234") and seen.hired
    assert tell(fleet, order.number, "20", at=1_772_636_500, name="李四", phone="13900005678") == "repeated"
    assert tell(fleet, order.number, "20", at=1_772_636_450, name="王五", phone="13700009999") == "repeated"
    seen = tracking.track(placed.order_id)
    assert seen is not None and (seen.courier_name, seen.courier_phone_tail) == ("李师傅", "5678")
    assert path(row.pk) == ["assigned", "accepted"]
    assert bags.riders([row.fulfilment_id]) == {row.fulfilment_id: Rider("李师傅", "5678", False)}


def test_the_dispatcher_does_not_see_it(town: shop.Town, provider: Scripted) -> None:
    hire(town)
    rider(town)
    _, row, _ = given(town)
    assert dispatch.plan(actor=THE_SYSTEM, city_id=town.city) == dispatch.Epoch(0, 0, 0)
    row.refresh_from_db()
    assert (row.status, row.courier_id) == ("waiting", None)


def test_a_window_that_was_chosen_is_asked_for_shortly_before_it(town: shop.Town, provider: Scripted) -> None:
    hire(town)
    placed = town.paid(2, 1)
    Fulfilment.objects.filter(order_id=placed.order_id).update(
        not_before=shop.NOON + timedelta(hours=5), promised_to=shop.NOON + timedelta(hours=6)
    )
    shop.pick(town, placed)
    order = FleetOrder.objects.get(order_id=placed.order_id)
    turn()
    assert provider.count("create") == 0
    with shop.later(4 * 60 + 39):
        turn()
        assert provider.count("create") == 0
    with shop.later(4 * 60 + 41):
        turn()
        assert provider.count("create") == 1
    with shop.later(4 * 60 + 50):
        turn()
        # The wait for somebody to take it began then, not when it was ordered.
        order.refresh_from_db()
        assert (order.status, alerts()) == ("placed", set())


def test_a_bag_that_is_not_packed_cannot_be_gone(
    town: shop.Town, provider: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = hire(town)
    placed, row, order = given(town, packed=False)
    assert tell(fleet, order.number, "30") == "behind"
    row.refresh_from_db()
    assert row.status == "waiting" and path(row.pk) == []
    assert tell(fleet, order.number, "50", at=1_772_636_500) == "behind"
    turn()
    assert alerts() == set()
    said: list[str] = []
    monkeypatch.setattr(steps, "log", SimpleNamespace(warning=lambda event, **facts: said.append(event)))
    with shop.later(6):
        for _ in range(3):
            turn()
        assert alerts() == {"not_packed"}
        assert said == ["fleets.alert"], "an open alert is said once"
        shop.pick(town, placed)
        turn()
    assert path(row.pk) == ["assigned", "accepted", "picked_up", "delivered"]
    assert status(placed)[0] == "completed"


def test_a_fleet_that_cancels_is_asked_anew_then_our_own_couriers(town: shop.Town, provider: Scripted) -> None:
    fleet = hire(town)
    _placed, row, order = given(town)
    for attempt in range(1, rules.ATTEMPTS + 1):
        order = FleetOrder.objects.get(delivery_id=row.pk, attempt=attempt)
        with shop.later(2 * attempt):
            turn()
            assert tell(fleet, order.number, "20", name="张三") == "moved"
            if attempt == rules.ATTEMPTS:
                rider(town)
            assert tell(fleet, order.number, "99", at=1_772_636_500) == "lost"
    with shop.later(2 * rules.ATTEMPTS + 1):
        outbox.drain()
        row.refresh_from_db()
        assert (row.carrier, row.status) == ("own", "waiting")
        assert path(row.pk) == ["assigned", "accepted", "waiting"] * rules.ATTEMPTS
        assert alerts() == {"own_couriers"}
        assert dispatch.plan(actor=THE_SYSTEM, city_id=town.city).assigned == 1
    assert provider.count("create") == rules.ATTEMPTS


def test_without_anybody_the_order_ends_and_is_refunded(town: shop.Town, provider: Scripted) -> None:
    hire(town)
    provider.says_no = "70"
    placed = town.paid(2, 1)
    shop.pick(town, placed)
    for minutes in range(1, 8):
        with shop.later(minutes):
            turn()
    assert status(placed) == ("cancelled", "no_courier", "cancelled")
    assert refunded(placed)
    customer = shop.view(placed).customer_id
    assert town.balance("promise_compensation") == 0 and points_of(customer) == 500, "the credit is on top of the price"
    assert FleetOrder.objects.filter(status="lost").count() == rules.ATTEMPTS
    assert alerts() == {"nobody_brings"}


def test_the_database_lets_no_courier_of_ours_have_it(town: shop.Town, provider: Scripted) -> None:
    hire(town)
    ana = rider(town)
    _, row, _ = given(town)
    with pytest.raises(IntegrityError, match="delivery_courier_or_fleet"), transaction.atomic():
        Delivery.objects.filter(pk=row.pk).update(courier_id=ana.courier_id, status="assigned")


def test_nobody_home_comes_back_and_is_refunded(town: shop.Town) -> None:
    fleet = hire(town, provider="wechat")
    placed = town.paid(2, 1)
    shop.pick(town, placed)
    order = FleetOrder.objects.get()
    for code, at in (("102", 1), ("201", 2), ("202", 3), ("301", 4), ("304", 5)):
        tell(fleet, order.number, code, at=1_772_636_400 + at)
    row = Delivery.objects.get(order_id=placed.order_id)
    assert (row.status, row.incident) == ("failed", "nobody_home")
    assert tell(fleet, order.number, "401", at=1_772_636_410) == "moved"
    outbox.drain()
    assert path(row.pk) == ["assigned", "accepted", "at_store", "picked_up", "failed", "returned"]
    assert status(placed)[:2] == ("cancelled", "returned") and refunded(placed)
    assert town.level(0).on_hand == 20, "the goods are on the shelf again"


def dropped(town: shop.Town, provider: Scripted) -> tuple[Placed, FleetOrder]:
    fleet = hire(town)
    placed, _, order = given(town)
    tell(fleet, order.number, "30")
    assert tell(fleet, order.number, "99", at=1_772_636_500) == "dropped"
    outbox.drain()
    assert alerts() == {"bag_out"} and status(placed) == ("confirmed", "", "failed")
    return placed, order


def test_a_bag_that_is_dropped_is_found_by_staff(town: shop.Town, provider: Scripted) -> None:
    placed, _order = dropped(town, provider)
    (seen,) = reads.alerts(owner(town.retailer))
    assert seen.bag_out
    actions.bag_found(actor=owner(town.retailer), alert_id=seen.id)
    outbox.drain()
    assert status(placed) == ("cancelled", "returned", "returned") and refunded(placed)
    assert town.level(0).on_hand == 20 and alerts() == set()
    with pytest.raises(Refused, match="not_found"):
        actions.bag_lost(actor=owner(town.retailer), alert_id=seen.id)


def test_a_bag_that_nobody_finds_is_written_off(town: shop.Town, provider: Scripted) -> None:
    placed, order = dropped(town, provider)
    with shop.later(119):
        turn()
        assert status(placed)[0] == "confirmed"
    with shop.later(121):
        turn()
    order.refresh_from_db()
    assert order.status == "done" and status(placed)[0] == "cancelled" and refunded(placed)
    assert town.level(0).on_hand == 18, "what nobody has seen is on no shelf"
    assert alerts() == {"bag_out", "written_off"}


def test_what_was_dropped_may_still_arrive(town: shop.Town, provider: Scripted) -> None:
    placed, order = dropped(town, provider)
    assert tell(order.fleet, order.number, "50", at=1_772_636_600) == "moved"
    outbox.drain()
    assert status(placed)[0] == "completed"


def test_a_bag_that_never_arrives_is_lost_after_hours(town: shop.Town, provider: Scripted) -> None:
    fleet = hire(town)
    placed, _, order = given(town)
    tell(fleet, order.number, "30")
    provider.known[order.number] = "30"
    for hours in (1, 2, 3, 4, 5, 6):
        with shop.later(60 * hours):
            turn()
    assert status(placed)[0] == "cancelled" and refunded(placed)
    assert alerts() == {"bag_out", "written_off"}


def test_codes_and_orders_that_nobody_knows_are_alerts(town: shop.Town, provider: Scripted) -> None:
    fleet = hire(town)
    _, row, order = given(town)
    assert tell(fleet, order.number, "77") == "code unknown"
    assert tell(fleet, "flo_not_ours", "20") == "unknown"
    assert alerts() == {"code_unknown", "order_unknown"} and path(row.pk) == []
    assert tell(fleet, order.number, "77", at=1_772_636_999) == "code unknown"
    assert FleetAlert.objects.count() == 2, "an open alert is not opened again"


def test_another_fleets_word_counts_for_nothing(town: shop.Town, provider: Scripted) -> None:
    """A genuine callback of one account about another's order."""
    hire(town)
    _, row, order = given(town)
    boss = owner(town.retailer)
    other = actions.add_fleet(actor=boss, provider="meituan", name="other", secrets=MEITUAN_SECRETS)
    assert tell(Fleet.objects.get(pk=other), order.number, "50") == "unknown"
    assert path(row.pk) == []


def test_the_store_hands_it_over_before_the_fleet_says_so(town: shop.Town, provider: Scripted) -> None:
    """The bag is out whatever the fleet tells: when it then cancels, nobody else can be sent to the store for it."""
    fleet = hire(town)
    placed, row, order = given(town)
    fulfilments.hand_over(actor=town.worker(), fulfilment_id=shop.package(placed).id)
    outbox.drain()
    row.refresh_from_db()
    assert row.status == "waiting"
    assert tell(fleet, order.number, "99") == "dropped"
    outbox.drain()
    assert status(placed)[2] == "failed" and alerts() == {"bag_out"}
    actions.bag_found(actor=owner(town.retailer), alert_id=FleetAlert.objects.get().pk)
    outbox.drain()
    assert refunded(placed)


def test_where_a_fleet_brings_nothing_is_paid_at_the_door(town: shop.Town, provider: Scripted) -> None:
    fleet = hire(town)
    with pytest.raises(Refused, match="no_cash_at_door"):
        town.order(1, method="at_door")
    Fleet.objects.filter(pk=fleet.pk).update(active=False)
    assert town.order(1, method="at_door").status == "confirmed"
