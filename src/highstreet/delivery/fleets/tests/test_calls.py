"""Our calls to a fleet: lost, repeated, refused, not answered; and asking after silence."""

from __future__ import annotations

import pytest
from django.db import transaction

from highstreet.kernel import audit, failpoints, ids, ledger, outbox
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.trade.fulfilment import actions as fulfilments
from highstreet.trade.orders import actions as orders
from highstreet.trade.orders.tests import support as shop

from .. import actions, reads
from ..models import FleetOrder
from ..steps import PAYABLE
from .support import Scripted, alerts, given, hire, owed, owner, path, status, tell, turn

OWED = "each fleet is owed what its orders say, once"


def test_lost_answers_make_one_order(town: shop.Town, provider: Scripted) -> None:
    hire(town)
    provider.lost_answers = 2
    placed = town.paid(1)
    shop.pick(town, placed)
    for minutes in (0, 1, 2):
        with shop.later(minutes):
            turn()
    order = FleetOrder.objects.get()
    assert (order.status, order.tries) == ("placed", 0)
    assert provider.count("create") == 3 and len(provider.known) == 1


def test_a_worker_that_dies_after_the_fleet_said_yes(
    town: shop.Town, provider: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is lost with the worker: its claim ends, and the same number is asked for again."""
    hire(town)
    placed = town.paid(1)
    shop.pick(town, placed)
    order = FleetOrder.objects.get()
    with monkeypatch.context() as dying:
        dying.setattr(failpoints, "reach", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            actions.call(actor=THE_SYSTEM, order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "asked" and actions.call(actor=THE_SYSTEM, order_id=order.pk) == "not due"
    with shop.later(2):
        turn()
    order.refresh_from_db()
    assert (order.status, provider.count("create"), len(provider.known)) == ("placed", 2, 1)


def test_an_unreachable_fleet_is_given_up_without_two_couriers(town: shop.Town, provider: Scripted) -> None:
    """Nobody knows whether it was created: it is called off before somebody else is asked."""
    hire(town)
    provider.lost_answers = 99
    placed = town.paid(1)
    shop.pick(town, placed)
    for minutes in range(12):
        with shop.later(minutes):
            turn()
    first = FleetOrder.objects.get(attempt=1)
    assert (first.status, first.reason, provider.known[first.number]) == ("stopped", "unreachable", "99")
    assert "given_up" in alerts() and FleetOrder.objects.filter(attempt=2).exists()


def test_silence_is_asked_about(town: shop.Town, provider: Scripted) -> None:
    """All callbacks are lost; what happened is found by asking."""
    hire(town)
    placed, row, order = given(town)
    for minutes, code in ((1, "20"), (4, "20"), (8, "30"), (12, "50")):
        provider.known[order.number] = code
        with shop.later(minutes):
            turn()
    assert path(row.pk) == ["assigned", "accepted", "picked_up", "delivered"]
    assert status(placed)[0] == "completed"
    assert provider.count("query") == 3, "one a silence, not one a sweep"


def test_a_fleet_that_forgot_it_is_asked_anew(town: shop.Town, provider: Scripted) -> None:
    hire(town)
    _, row, order = given(town)
    provider.known.clear()
    with shop.later(4):
        turn()
    order.refresh_from_db()
    assert (order.status, order.reason) == ("lost", "unknown there")
    assert FleetOrder.objects.filter(delivery_id=row.pk, attempt=2, status="asked").exists()


def test_nobody_takes_it(town: shop.Town, provider: Scripted) -> None:
    hire(town)
    _, _row, order = given(town)
    for minutes in (4, 8, 12, 16, 17):
        with shop.later(minutes):
            turn()
    order.refresh_from_db()
    assert (order.status, order.reason, provider.known[order.number]) == ("stopped", "untaken", "99")
    assert alerts() == {"given_up"} and FleetOrder.objects.filter(attempt=2).exists()


def test_a_cancelled_order_is_called_off_at_the_fleet(town: shop.Town, provider: Scripted) -> None:
    hire(town)
    placed, _row, order = given(town, packed=False)
    orders.cancel(actor=Actor(order_keys=frozenset({placed.key})), order_id=placed.order_id)
    outbox.drain()
    provider.down = True
    turn()
    provider.down = False
    with shop.later(1):
        turn()
    order.refresh_from_db()
    assert (order.status, provider.known[order.number]) == ("stopped", "99")
    assert FleetOrder.objects.count() == 1 and alerts() == set()


def test_what_a_fleet_charges_is_owed_once(town: shop.Town, provider: Scripted) -> None:
    """Called off at a cost, brought however often it says so, taken back for nothing."""
    fleet = hire(town)
    provider.deducts = 200
    called_off, _row, order = given(town, packed=False)
    orders.cancel(actor=Actor(order_keys=frozenset({called_off.key})), order_id=called_off.order_id)
    outbox.drain()
    turn()
    order.refresh_from_db()
    assert (order.status, order.fee, order.charged, owed(fleet)) == ("stopped", 700, 200, 200)
    _brought, _row, order = given(town)
    for _ in range(3):
        tell(fleet, order.number, "50")
    order.refresh_from_db()
    assert (order.status, order.charged, owed(fleet)) == ("done", 700, 900)
    _refused, _row, order = given(town)
    tell(fleet, order.number, "99")
    assert (FleetOrder.objects.get(pk=order.pk).charged, owed(fleet)) == (0, 900)
    found = reads.bills(owner(town.retailer), fleet.pk)
    assert [(one.brought, one.called_off, one.amount) for one in found] == [(1, 1, 900)]


@pytest.mark.parametrize("wrong", ["kept and not booked", "booked and not kept"])
def test_the_audit_sees_a_charge_on_one_side_only(town: shop.Town, provider: Scripted, wrong: str) -> None:
    fleet = hire(town)
    _brought, _row, order = given(town)
    tell(fleet, order.number, "50")
    outbox.drain()
    with transaction.atomic():
        if wrong == "kept and not booked":
            FleetOrder.objects.filter(pk=order.pk).update(charged=701)
        else:
            lines = [(AccountRef(town.retailer, "fleet_fees", "CNY"), 1), (AccountRef(fleet.pk, PAYABLE, "CNY"), -1)]
            ledger.post(key="fleet:again:fee", kind="fleet_fee", cause=order.delivery_id, actor=THE_SYSTEM, lines=lines)
        assert [found.says for found in audit.run() if found.broken] == [OWED]
        transaction.set_rollback(True)


def test_a_callback_before_the_answer_is_charged_too(
    town: shop.Town, provider: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it costs is in the answer; the bag was faster."""
    fleet = hire(town)
    placed = town.paid(1)
    shop.pick(town, placed)
    order = FleetOrder.objects.get()

    def meanwhile(name: str, _step: str) -> None:
        if name == "fleets.call":
            tell(fleet, order.number, "50")

    with monkeypatch.context() as fast:
        fast.setattr(failpoints, "reach", meanwhile)
        actions.call(actor=THE_SYSTEM, order_id=order.pk)
    order.refresh_from_db()
    assert (order.status, order.fee, order.charged, owed(fleet)) == ("done", 700, 700, 700)


def test_cancelled_before_the_fleet_was_asked(town: shop.Town, provider: Scripted) -> None:
    hire(town)
    placed = town.paid(1)
    fulfilments.accept(actor=town.worker(), fulfilment_id=shop.package(placed).id)
    outbox.drain()
    orders.cancel(actor=Actor(order_keys=frozenset({placed.key})), order_id=placed.order_id)
    outbox.drain()
    turn()
    assert FleetOrder.objects.get().status == "stopped"
    assert provider.count("create") == provider.count("cancel") == 0


def test_a_fleet_that_comes_all_the_same_is_an_alert(town: shop.Town, provider: Scripted) -> None:
    fleet = hire(town)
    placed, _row, order = given(town, packed=False)
    orders.cancel(actor=Actor(order_keys=frozenset({placed.key})), order_id=placed.order_id)
    outbox.drain()
    provider.keeps, provider.known[order.number] = True, "20"
    turn()
    order.refresh_from_db()
    assert order.status == "stopped" and alerts() == {"not_called_off"}
    assert tell(fleet, order.number, "30") == "over"
    assert alerts() == {"not_called_off", "came_after_all"}
    assert status(placed)[0] == "cancelled"


def test_a_call_is_never_made_inside_a_transaction(town: shop.Town) -> None:
    assert actions.call.__policy__ == "system"  # type: ignore[attr-defined]
    with transaction.atomic(), pytest.raises(RuntimeError, match="not inside a transaction"):
        actions.call(actor=THE_SYSTEM, order_id=ids.new_id())
