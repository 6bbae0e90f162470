"""Many couriers, many offers, everybody taps at once and three times."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from highstreet.delivery.couriers.tests import support
from highstreet.delivery.dispatch import actions
from highstreet.delivery.dispatch.actions import planning
from highstreet.delivery.dispatch.models import Delivery
from highstreet.delivery.dispatch.states import LIVE
from highstreet.kernel import clock
from highstreet.kernel.policy import THE_SYSTEM, Actor
from tests.conftest import Add
from tests.support import crowd

SEED = 20261126
CAPACITY = 3
RETRIES = 3
LATER = timedelta(minutes=60)


@pytest.fixture
def place(transactional_db: None) -> Iterator[support.Town]:
    yield support.town()


def offered(place: support.Town, count: int) -> None:
    """`count` packed orders that wait for a courier."""
    now = clock.now()
    for number in range(count):
        row = support.fulfilment(place, 200 + 5 * number, at=now, status="ready", minutes=90)
        actions.create(
            actor=THE_SYSTEM,
            fulfilment_id=row.pk,
            order_id=row.order_id,
            order_number=row.order_number,
            store_id=row.store_id,
            lat=row.lat,
            lon=row.lon,
            promised_to=row.promised_to,
            ready_by=row.ready_by,
        )
        actions.mark_ready(actor=THE_SYSTEM, fulfilment_id=row.pk, at=now)


def plan(place: support.Town) -> Callable[[], Any]:
    return lambda: actions.plan(actor=THE_SYSTEM, city_id=place.city_id)


def too_many(riders: list[Actor]) -> dict[UUID, int]:
    """Couriers with more than their bag holds."""
    live = Counter(Delivery.objects.filter(status__in=LIVE).values_list("courier_id", flat=True))
    mine = {rider.courier_id for rider in riders}
    return {one: count for one, count in live.items() if one is not None and one in mine and count > CAPACITY}


def carry(rider: Actor, delivery: UUID) -> None:
    actions.pick_up(actor=rider, delivery_id=delivery)
    actions.deliver(actor=rider, delivery_id=delivery, proof_kind="code", proof="4711")


def a_round(place: support.Town, riders: list[Actor], dice: random.Random, strangers: int) -> Counter[str]:
    """Two dispatchers give, then everybody accepts own offers three times and some of others' at once."""
    crowd.at_once([plan(place)] * 2)
    mine = dict(Delivery.objects.filter(status="assigned").values_list("pk", "courier_id"))
    by_id = {rider.courier_id: rider for rider in riders}
    taps = [partial(actions.accept, actor=by_id[owner], delivery_id=one) for one, owner in mine.items()] * RETRIES
    foreign = [
        partial(actions.accept, actor=rider, delivery_id=one)
        for one, owner in mine.items()
        for rider in dice.sample([rider for rider in riders if rider.courier_id != owner], strangers)
    ]
    works: list[Callable[[], Any]] = [*taps, *foreign, plan(place)]
    dice.shuffle(works)
    results = crowd.at_once(works, hands=40)
    assert results["not_found"] == len(foreign), results
    assert crowd.errors(results) == {}
    assert too_many(riders) == {}
    assert dict(Delivery.objects.filter(pk__in=mine).values_list("pk", "courier_id")) == mine
    done = [
        partial(carry, by_id[owner], one)
        for one, owner in Delivery.objects.filter(status="accepted").values_list("pk", "courier_id")
    ]
    results += crowd.at_once(done, hands=40)
    return results


@pytest.mark.parametrize(
    ("couriers", "offers", "strangers"), [(8, 24, 2), pytest.param(40, 400, 6, marks=pytest.mark.long)]
)
def test_all_accept_at_once(place: support.Town, row: Add, couriers: int, offers: int, strangers: int) -> None:
    riders = [support.courier(place, 20 * number, capacity=CAPACITY) for number in range(couriers)]
    offered(place, offers)
    dice, total = random.Random(SEED), Counter[str]()
    for _ in range(4 * offers // couriers):
        if Delivery.objects.filter(status="delivered").count() == offers:
            break
        total += a_round(place, riders, dice, strangers)
    delivered = Delivery.objects.filter(status="delivered")
    paid = support.broken()
    row(
        "S6",
        f"{couriers} couriers, {offers} offers, each accepted {RETRIES} times and by {strangers} strangers at once",
        n=sum(total.values()),
        accepted=delivered.count(),
        refused=total["not_found"],
        invariants=crowd.invariants(),
        seed=SEED,
        notes=f"over capacity 0, {offers} jobs with one courier each",
    )
    assert delivered.count() == offers
    assert paid == []


def test_giving_without_looking_fills_a_bag_twice(place: support.Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: two dispatchers, no lock on the couriers and no seat that is once."""
    riders = [support.courier(place, 20 * number, capacity=CAPACITY) for number in range(4)]
    offered(place, 24)
    monkeypatch.setattr(planning, "_give", _give_without_looking)
    with crowd.without_index("delivery_seat_once"):
        crowd.at_once([plan(place)] * 4)
        over = too_many(riders)
        Delivery.objects.all().delete()
    assert over


def _give_without_looking(actor: Actor, seen: Any, decided: Any, policy: str, now: Any) -> int:
    given = 0
    for number, row in enumerate(seen.waiting):
        courier = seen.couriers[number % len(seen.couriers)]
        given += planning._assign(
            actor, row, {"courier_id": courier.id, "seat": number % CAPACITY, "sequence": number, "eta": now}
        )
    return given
