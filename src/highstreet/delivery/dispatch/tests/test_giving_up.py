"""What no courier takes, and what is not brought back, ends; whoever does it in that moment is first or too late."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from highstreet.delivery.couriers import actions as courier_actions
from highstreet.delivery.promise import reads as promise_reads
from highstreet.delivery.promise.actions import Promises
from highstreet.kernel import clock, outbox
from highstreet.kernel.models import Journal, StateChange
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.supply.organisations import reads as organisations
from highstreet.trade.fulfilment import actions as fulfilments
from highstreet.trade.orders import actions as order_actions
from highstreet.trade.orders import ports
from highstreet.trade.orders import reads as orders
from highstreet.trade.orders.actions import Placed
from highstreet.trade.orders.tests import support
from highstreet.trade.orders.tests.test_paths import points_of

from .. import actions, jobs
from ..models import Delivery
from ..rules import ends
from .test_journey import PHOTO, held, on_the_way, outcome, rider
from .test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def town(transactional_db: None) -> Iterator[support.Town]:
    """The orders' town with the real promise."""
    before = ports.promises() if ports.promises.filled else None
    with support.running_from(support.NOON):
        made = support.build()
        organisations.forget()
        promise_reads.forget()
        ports.promises.fill(Promises())
        yield made
    if before is not None:
        ports.promises.fill(before)


def taken_by_nobody(town: support.Town, *, packed: bool = True) -> tuple[Placed, Delivery]:
    rider(town)
    placed = town.paid(2, 1)
    if packed:
        support.pick(town, placed)
    else:
        fulfilments.accept(actor=town.worker(), fulfilment_id=support.package(placed).id)
        outbox.drain()
    row = Delivery.objects.get(order_id=placed.order_id)
    assert row.status == "waiting"
    return placed, row


def offered(town: support.Town, courier: Actor) -> None:
    """The courier is there again, and asked."""
    courier_actions.report_position(actor=courier, lat=town.lat, lon=town.lon)
    assert actions.plan(actor=THE_SYSTEM, city_id=town.city).assigned == 1


def after(row: Delivery, minutes: float) -> float:
    """Minutes from now until so many after the promise."""
    return (row.promised_to - clock.now()) / timedelta(minutes=1) + minutes


def sweep() -> None:
    jobs.sweep(0)
    outbox.drain()


def ended(placed: Placed) -> tuple[str, str]:
    """(status, why) of the order; all of its money is on its way back if it was cancelled."""
    order = orders.order(THE_SYSTEM, placed.order_id)
    assert order.refunded == (order.captured if order.status == "cancelled" else 0)
    return order.status, order.end_reason


def test_what_no_courier_takes_is_cancelled_refunded_and_made_good(town: support.Town) -> None:
    placed, row = taken_by_nobody(town)
    with support.later(after(row, 59)):
        sweep()
        assert ended(placed) == ("confirmed", "")
    with support.later(after(row, 61)):
        sweep()
        sweep()
        assert ended(placed) == ("cancelled", "no_courier")
        row.refresh_from_db()
        assert (row.status, support.package(placed).status, outcome(placed)[0]) == ("cancelled", "cancelled", "void")
        assert ([town.level(variant).free for variant in (0, 1)], held()) == ([20, 20], 0)
        customer = orders.order(THE_SYSTEM, placed.order_id).customer_id
        assert points_of(customer) == organisations.terms(town.retailer).late_credit > 0
        support.clean_audit()


def test_what_is_never_packed_is_not_a_couriers(town: support.Town) -> None:
    placed, row = taken_by_nobody(town, packed=False)
    with support.later(after(row, 61)):
        sweep()
        assert ended(placed) == ("confirmed", "")
        support.pick(town, placed)
    with support.later(after(row, 120)):
        sweep()
        assert ended(placed) == ("confirmed", ""), "packed an hour late, it waits for an hour"
    with support.later(after(row, 122)):
        sweep()
        assert ended(placed) == ("cancelled", "no_courier")


def test_a_store_gives_nothing_to_nobody_we_know(town: support.Town) -> None:
    """Nor somebody else's bag; and what it gives is the courier's at once, whoever lets go of it in that moment."""
    placed, row = taken_by_nobody(town)
    box = support.package(placed).id
    with pytest.raises(Refused, match="nobodys_yet"):
        fulfilments.hand_over(actor=town.worker(), fulfilment_id=box)
    assert support.package(placed).status == "ready"
    with pytest.raises(Refused, match="not_found"):
        fulfilments.hand_over(actor=replace(town.worker(), store_ids=frozenset()), fulfilment_id=box)
    offered(town, rider(town))
    with pytest.raises(Refused, match="other_order"):
        fulfilments.hand_over(actor=town.worker(), fulfilment_id=box, code="ABCDEF")
    row.refresh_from_db()
    assert row.status == "assigned"
    fulfilments.hand_over(actor=town.worker(), fulfilment_id=box)
    row.refresh_from_db()
    assert (row.status, support.package(placed).status) == ("picked_up", "handed_over")
    fulfilments.hand_over(actor=town.worker(), fulfilment_id=box)
    support.clean_audit()


def test_an_offer_that_is_not_taken_does_not_begin_the_wait_anew_and_one_that_is_does(town: support.Town) -> None:
    courier = rider(town)
    placed = town.paid(1)
    support.pick(town, placed)
    row = Delivery.objects.get(order_id=placed.order_id)
    with support.later(after(row, 30)):
        offered(town, courier)
        actions.accept(actor=courier, delivery_id=row.pk)
        actions.incident(actor=courier, delivery_id=row.pk, kind="cannot_go_on")
    with support.later(after(row, 80)):
        offered(town, courier)
        actions.decline(actor=courier, delivery_id=row.pk)
        sweep()
        assert ended(placed) == ("confirmed", ""), "it was somebody's until half an hour after its promise"
    with support.later(after(row, 91)):
        sweep()
        assert ended(placed) == ("cancelled", "no_courier")


def test_what_is_not_brought_back_is_lost_after_two_hours(town: support.Town) -> None:
    courier = rider(town)
    placed, row = on_the_way(town, courier)
    actions.incident(actor=courier, delivery_id=row.pk, kind="nobody_home")
    outbox.drain()
    with support.later(119):
        sweep()
        row.refresh_from_db()
        assert row.status == "failed"
    with support.later(121):
        sweep()
        row.refresh_from_db()
        assert (row.status, row.incident, row.pay) == ("returned", "nobody_home", 0)
        assert ended(placed) == ("cancelled", "returned")
        assert (town.level(0).on_hand, held()) == (18, 0)
        with pytest.raises(Refused, match="wrong_state"):
            actions.deliver(actor=courier, delivery_id=row.pk, proof_kind="photo", proof=PHOTO)
        courier_actions.end_shift(actor=courier)
        support.clean_audit()


def many_waiting(town: support.Town, riders: int = 4) -> list[Delivery]:
    for number in range(riders):
        rider(town, f"Ana {number}")
    for _ in range(6):
        support.pick(town, town.paid(1))
    return list(Delivery.objects.filter(status="waiting").order_by("pk"))


def given_and_cancelled(town: support.Town, ending: Callable[[], object]) -> set[UUID]:
    """While what waits is given to couriers, `ending` comes by twice: what was given, and its order cancelled."""
    rows = many_waiting(town)
    assert len(rows) == 6
    at_once([*[lambda: actions.plan(actor=THE_SYSTEM, city_id=town.city)] * 2, *[ending] * 2])
    given = set(StateChange.objects.filter(event="assign").values_list("subject", flat=True))
    over = {row.pk for row in rows if orders.order(THE_SYSTEM, row.order_id).status == "cancelled"}
    assert given | over
    return given & over


def test_what_is_given_in_that_moment_is_a_couriers_or_has_ended(
    town: support.Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ends, "GIVE_UP_LATE", timedelta(hours=-3))
    assert given_and_cancelled(town, lambda: actions.give_up_stuck(actor=THE_SYSTEM)) == set()
    outbox.drain()
    support.clean_audit()


def test_an_end_without_the_lock_takes_orders_from_couriers(town: support.Town) -> None:
    """The negative control: what waited a moment ago is cancelled."""

    def careless() -> None:
        waiting = list(Delivery.objects.filter(status="waiting").values_list("order_id", flat=True))
        time.sleep(1.0)
        for order_id in waiting:
            with suppress(Refused):
                order_actions.let_down(actor=THE_SYSTEM, order_id=order_id, reason="no_courier")

    assert given_and_cancelled(town, careless) != set()


def paid_for_nothing(town: support.Town, ending: Callable[[], object]) -> list[Delivery]:
    """While couriers give back what failed, `ending` comes by twice: rides that were paid and do not say so."""
    mine = []
    for number in range(4):
        courier = rider(town, f"Ana {number}")
        _, row = on_the_way(town, courier)
        actions.incident(actor=courier, delivery_id=row.pk, kind="nobody_home")
        mine.append(partial(actions.give_back, actor=courier, delivery_id=row.pk))
    at_once([*mine, *[ending] * 2])
    assert set(Delivery.objects.values_list("status", flat=True)) == {"returned"}
    return [row for row in Delivery.objects.filter(pay=0) if Journal.objects.filter(cause=row.pk).exists()]


def test_what_is_brought_back_in_that_moment_is_paid_or_lost(
    town: support.Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ends, "BACK_WITHIN", timedelta(hours=-1))
    assert paid_for_nothing(town, lambda: actions.give_up_stuck(actor=THE_SYSTEM)) == []
    outbox.drain()
    support.clean_audit()


def test_an_end_that_only_looks_forgets_who_was_paid(town: support.Town) -> None:
    """The negative control: what had failed a moment ago is written off."""

    def careless() -> None:
        failed = list(Delivery.objects.filter(status="failed").values_list("pk", flat=True))
        time.sleep(1.0)
        Delivery.objects.filter(pk__in=failed).update(status="returned", pay=0)

    assert paid_for_nothing(town, careless) != []
