"""Callbacks skipped, repeated and shuffled by a seeded generator, against a model of ten lines."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from highstreet.delivery.couriers.tests import support as places
from highstreet.delivery.dispatch import actions as dispatch
from highstreet.delivery.dispatch.models import Delivery
from highstreet.delivery.dispatch.states import MACHINE
from highstreet.kernel.models import OutboxEvent, StateChange
from highstreet.kernel.policy import THE_SYSTEM

from .. import actions, rules
from ..models import Fleet, FleetEvent, FleetOrder
from .support import MEITUAN_SECRETS, WECHAT_SECRETS, owner, tell

pytestmark = pytest.mark.django_db
SEED = 20261126
EACH = 155
# What truly happens at a fleet, from its first word to its last.
STORIES = {
    "wechat": [
        ["101", "102", "201", "202", "301", "302"],
        ["101", "102", "201", "202", "301", "304", "401"],
        ["101", "102", "201", "202", "301", "305", "302"],
        ["101", "102", "201", "202", "303", "401"],
        ["101", "102", "201", "204"],
        ["101", "102", "103"],
        ["101", "501"],
        ["101", "102", "201", "202", "301", "502"],
        ["101", "102", "201"],
    ],
    "meituan": [
        ["0", "20", "30", "50"],
        ["0", "20", "20", "30", "50"],
        ["0", "20", "99"],
        ["0", "99"],
        ["0", "20", "30", "99"],
    ],
}
UNHEARD_OF = "888"


@dataclass(frozen=True)
class Expected:
    """Where our delivery ends up by a sequence, and whether the fleet is done with it."""

    status: str
    over: bool


def model(provider: str, codes: list[str]) -> Expected:
    """The farthest state told; nothing after an end; a cancelled one waits again, or has failed if it was carried."""
    here, over = "waiting", False
    for code in codes:
        known = rules.CODES[provider].get(code)
        if known is None or over:
            continue
        if known.state == "cancelled":
            # What was dropped while it was carried may still come back, or arrive.
            if here in ("picked_up", "failed"):
                here = "failed"
            else:
                over = True
                here = "waiting"
        elif known.state in ("delivered", "returned"):
            here, over = known.state, True
        elif ["waiting", "accepted", "at_store", "picked_up", "failed"].index(known.state) > _place(here):
            here = known.state
    return Expected(here, over)


def _place(state: str) -> int:
    return ["waiting", "accepted", "at_store", "picked_up", "failed"].index(state)


def sequence(rng: random.Random, provider: str) -> list[str]:
    """A true story with words left out, said again, in a wrong order, and one that nobody knows."""
    story = rng.choice(STORIES[provider])
    codes = [code for code in story if rng.random() > 0.25] or [story[-1]]
    for _ in range(rng.randrange(4)):
        codes.append(rng.choice(codes))
    how = rng.random()
    if how < 0.5:
        rng.shuffle(codes)
    elif how < 0.7:
        codes.reverse()
    if rng.random() < 0.15:
        codes.insert(rng.randrange(len(codes) + 1), UNHEARD_OF)
    return codes


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with places.ticking():
        yield


def a_fleet(place: places.Town, provider: str) -> Fleet:
    boss = owner(place.retailer_id)
    secrets = MEITUAN_SECRETS if provider == "meituan" else WECHAT_SECRETS
    made = actions.add_fleet(actor=boss, provider=provider, name=provider, secrets=secrets)
    actions.use_fleet(actor=boss, fleet_id=made, couriers=10, city_id=place.city_id)
    return Fleet.objects.get(pk=made)


def a_delivery(place: places.Town) -> tuple[Delivery, FleetOrder]:
    box = places.fulfilment(place, status="ready")
    made = dispatch.create(
        actor=THE_SYSTEM,
        fulfilment_id=box.pk,
        order_id=box.order_id,
        order_number=box.order_number,
        store_id=box.store_id,
        lat=box.lat,
        lon=box.lon,
        promised_to=box.promised_to,
        ready_by=box.ready_by,
    )
    return Delivery.objects.get(pk=made), FleetOrder.objects.get(delivery_id=made)


def assert_a_path(delivery: Delivery) -> None:
    """Each step is allowed and begins where the one before ended."""
    here = "waiting"
    for step in StateChange.objects.filter(subject=delivery.pk, machine="delivery").order_by("at", "id"):
        assert step.was == here and MACHINE.table[step.was, step.event] == step.now, step.event
        here = step.now
    assert here == delivery.status


def effects(order_id: object) -> dict[str, int]:
    rows = OutboxEvent.objects.filter(payload__order_id=str(order_id), name__startswith="Fulfilment")
    names = list(rows.values_list("name", flat=True))
    return {name: names.count(name) for name in set(names)}


@pytest.mark.parametrize("each", [40, pytest.param(EACH, marks=pytest.mark.long)])
@pytest.mark.parametrize("provider", sorted(STORIES))
def test_any_sequence_ends_where_the_model_says(provider: str, each: int) -> None:
    rng = random.Random(f"{SEED} {provider}")
    place = places.town()
    fleet = a_fleet(place, provider)
    seen: set[str] = set()
    for number in range(each):
        codes = sequence(rng, provider)
        delivery, order = a_delivery(place)
        for at, code in enumerate(codes):
            # A repetition says the same words at the same time in half of the cases, else it is a message of its own.
            stamp = 1_772_636_400 + (codes.index(code) if rng.random() < 0.5 else 60 + at)
            tell(fleet, order.number, code, at=stamp, name="张三", phone="13800001234")
        delivery.refresh_from_db()
        order.refresh_from_db()
        wanted = model(provider, codes)
        assert (delivery.status, order.status in ("done", "lost")) == (wanted.status, wanted.over), (number, codes)
        assert_a_path(delivery)
        assert all(count == 1 for count in effects(delivery.order_id).values()), (codes, effects(delivery.order_id))
        again = FleetOrder.objects.filter(delivery_id=delivery.pk).count()
        assert again == (2 if wanted == Expected("waiting", True) else 1), codes
        seen.add(f"{wanted.status} {wanted.over}")
    assert len(seen) >= 5, "the generator tells too few stories"
    assert not FleetEvent.objects.filter(applied_at=None).exists()


def test_a_rule_that_lets_states_flow_back_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: whatever is told last counts."""
    monkeypatch.setattr(rules, "is_news", lambda known, told: known != told)
    rng = random.Random(SEED)
    place = places.town()
    fleet = a_fleet(place, "wechat")
    wrong = 0
    for _ in range(40):
        codes = sequence(rng, "wechat")
        delivery, order = a_delivery(place)
        for at, code in enumerate(codes):
            tell(fleet, order.number, code, at=1_772_636_400 + at)
        order.refresh_from_db()
        delivery.refresh_from_db()
        wanted = model("wechat", codes)
        wrong += (delivery.status, order.status in ("done", "lost")) != (wanted.status, wanted.over)
        wrong += order.told != wanted.status and not wanted.over
    assert wrong > 0
