"""Whole orders through the sandbox over real HTTP, on a fast clock: in time, and with every fault there is.

The platform's own server takes the callbacks; its jobs are run here, in turns, as a worker would.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from highstreet.delivery.dispatch.models import Delivery
from highstreet.delivery.dispatch.states import MACHINE
from highstreet.delivery.fleets import actions, rules
from highstreet.delivery.fleets.models import FleetAlert, FleetEvent, FleetOrder
from highstreet.delivery.fleets.tests.support import MEITUAN_SECRETS, WECHAT_SECRETS, owner, path, turn
from highstreet.delivery.promise import reads as promise_reads
from highstreet.delivery.promise.actions import Promises
from highstreet.kernel import clock, ids, outbox
from highstreet.kernel.models import StateChange
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.supply.organisations import reads as organisations
from highstreet.trade.fulfilment import actions as fulfilments
from highstreet.trade.orders import ports
from highstreet.trade.orders.actions import Placed
from highstreet.trade.orders.tests import support as shop

from .running import Running, free_port

pytestmark = pytest.mark.django_db(transaction=True)
SPEED = 600.0
STORES = {"meituan": 0, "wechat": 1}


@dataclass
class Street:
    """The town, its two fleets at a running sandbox, and who listens for callbacks."""

    town: shop.Town
    sandbox: Running
    fleets: dict[str, Any]


@pytest.fixture
def street(live_server: Any, tmp_path: Path, settings: Any) -> Iterator[Street]:
    settings.DEV = True
    before = clock._rate
    clock.follow(clock.Rate(clock.wall(), shop.NOON.timestamp(), SPEED))
    town = shop.build()
    organisations.forget()
    promise_reads.forget()
    ports.promises.fill(Promises())
    boss, port = owner(town.retailer), free_port()
    accounts, fleets = {}, {}
    for name, secrets in (("meituan", MEITUAN_SECRETS), ("wechat", WECHAT_SECRETS)):
        root = f"http://127.0.0.1:{port}" + ("/api" if name == "meituan" else "")
        fleet = actions.add_fleet(actor=boss, provider=name, name=name, secrets=secrets, base_url=root)
        actions.use_fleet(actor=boss, fleet_id=fleet, couriers=200, store_id=town.stores[STORES[name]], shop_no="no-1")
        address = f"{live_server.url}/api/v1/fleets/{ids.public('flt', fleet)}/notify"
        accounts[name] = {**secrets, "notify_url": address}
        fleets[name] = fleet
    organisations.forget()
    sandbox = Running(port, tmp_path, accounts)
    yield Street(town, sandbox, fleets)
    sandbox.stop()
    outbox.drain()
    shop.clean_audit()
    clock.follow(before)
    organisations.forget()


def placed_at(street: Street, fleet: str) -> Placed:
    """An order paid, picked and packed in the store that uses this fleet, and given to it."""
    placed = street.town.order(1, store=street.town.stores[STORES[fleet]])
    shop.pay(placed)
    box = shop.package(placed)
    fulfilments.accept(actor=THE_SYSTEM, fulfilment_id=box.id)
    fulfilments.start_picking(actor=THE_SYSTEM, fulfilment_id=box.id)
    for line in shop.package(placed).lines:
        for _ in range(line.left):
            fulfilments.scan(actor=THE_SYSTEM, fulfilment_id=box.id, code=line.barcode)
    fulfilments.pack(actor=THE_SYSTEM, fulfilment_id=box.id)
    outbox.drain()
    return placed


def until(true: Callable[[], bool], seconds: float) -> None:
    """Workers' turns until it is so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        turn()
        time.sleep(0.05)


def ended(placed: Placed) -> bool:
    return shop.view(placed).status in ("completed", "cancelled")


def assert_a_path(delivery: Delivery) -> None:
    here = "waiting"
    for step in StateChange.objects.filter(subject=delivery.pk, machine="delivery").order_by("at", "id"):
        assert step.was == here and MACHINE.table[step.was, step.event] == step.now
        here = step.now


@pytest.mark.parametrize("fleet", sorted(STORES))
def test_a_whole_order(street: Street, fleet: str) -> None:
    placed = placed_at(street, fleet)
    until(lambda: ended(placed), 30)
    delivery = Delivery.objects.get(order_id=placed.order_id)
    steps = path(delivery.pk)
    # A tenth of a second lies between the store and the bag: told after it, the stop at the store is passed over.
    reached = FleetEvent.objects.filter(code=rules.word("wechat", "at_store")).values_list("outcome", flat=True)
    assert len(reached) == (fleet == "wechat")
    stops = ["at_store"] if reached and reached[0] != "late" else []
    assert steps == ["assigned", "accepted", *stops, "picked_up", "delivered"]
    assert shop.view(placed).status == "completed"
    order = FleetOrder.objects.get(delivery_id=delivery.pk)
    assert (order.status, order.told, order.fee, order.attempt) == ("done", "delivered", 720, 1)
    assert order.provider_id and order.courier_name and not FleetAlert.objects.exists()
    promise = promise_reads.promise(placed.order_id)
    assert promise is not None and promise.outcome in ("kept", "broken")
    assert {one["status"] for one in street.sandbox.seen()["callbacks"]} == {200}


# Each fault, and how its order may end.
FAULTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "none": ({}, {"completed"}),
    "repeated": ({"repeat": 3}, {"completed"}),
    "shuffled": ({"shuffle": True}, {"completed"}),
    "shuffled and repeated": ({"shuffle": True, "repeat": 2}, {"completed"}),
    "skipped": ({"skip": True}, {"completed"}),
    "silent": ({"silent": True}, {"completed"}),
    "first callbacks lost": ({"lose": 3}, {"completed"}),
    "answer lost": ({"lost_answer": True}, {"completed"}),
    "cancelled before anybody took it": ({"cancel_at": "waiting"}, {"cancelled"}),
    "cancelled by its courier": ({"cancel_at": "at_store"}, {"cancelled"}),
    "cancelled on the way": ({"cancel_at": "picked_up"}, {"cancelled"}),
    "nobody home": ({"nobody_home": True}, {"cancelled"}),
    "nobody home, in silence": ({"nobody_home": True, "silent": True}, {"cancelled"}),
    "refused": ({"refuse": True}, {"cancelled"}),
    "forgotten": ({"forget": True, "silent": True}, {"cancelled"}),
    "never taken": ({"stuck_at": "waiting"}, {"cancelled"}),
    "vanished with the bag": ({"stuck_at": "picked_up", "silent": True}, {"cancelled"}),
}


def faulty(street: Street, fleet: str, switches: dict[str, Any]) -> Placed:
    """An order whose first try meets the fault, and every later one too."""
    street.sandbox.faults(**switches)
    placed = placed_at(street, fleet)
    until(lambda: FleetOrder.objects.get(order_id=placed.order_id, attempt=1).status != "asked", 20)
    return placed


# One of each kind; the long run has them all, in both dialects.
SOME = ("shuffled and repeated", "skipped", "first callbacks lost", "cancelled by its courier", "refused")


@pytest.mark.parametrize(
    ("fleet", "faults"),
    [
        pytest.param("meituan", SOME, id="some"),
        pytest.param("meituan", tuple(FAULTS), id="meituan", marks=pytest.mark.long),
        pytest.param("wechat", tuple(FAULTS), id="wechat", marks=pytest.mark.long),
    ],
)
def test_every_fault_ends_and_nothing_is_stuck(street: Street, fleet: str, faults: tuple[str, ...]) -> None:
    """Delivered, or refunded in full: by the end of the evening nobody waits."""
    made: dict[str, Placed] = {}
    for name in faults:
        switches, _ = FAULTS[name]
        made[name] = faulty(street, fleet, switches)
        if "refuse" in switches or "cancel_at" in switches or "forget" in switches:
            # All tries of this one meet the fault before the next is switched on.
            until(partial(_settled, made[name]), 30)
    until(lambda: all(ended(placed) for placed in made.values()), 150)
    for name, placed in made.items():
        shop.settle_refunds(placed)
        order = shop.view(placed)
        assert order.status in FAULTS[name][1], (name, order.status, order.end_reason)
        if order.status == "cancelled":
            assert order.captured > 0 and order.refunded == order.captured, name
        assert_a_path(Delivery.objects.get(order_id=placed.order_id))
    live = FleetOrder.objects.exclude(status__in=["done", "lost", "stopped"])
    assert list(live.values_list("order_number", "status")) == []


def _settled(placed: Placed) -> bool:
    return ended(placed) or Delivery.objects.get(order_id=placed.order_id).status in ("picked_up", "at_door", "failed")
