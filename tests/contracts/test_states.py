"""D2: every machine of the platform, every state, every event: what its table does not name changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.db import models, transaction

import highstreet
from highstreet.delivery.couriers.models import Courier, RosterShift
from highstreet.delivery.couriers.tests import support as delivery
from highstreet.delivery.dispatch import actions as dispatch
from highstreet.delivery.dispatch.models import Delivery
from highstreet.delivery.fleets import actions as fleets
from highstreet.delivery.fleets.models import FleetOrder
from highstreet.delivery.fleets.tests.support import MEITUAN_SECRETS, owner
from highstreet.kernel import clock, ids, states
from highstreet.kernel.models import StateChange
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import WRONG_STATE
from highstreet.kernel.states import Machine
from highstreet.trade.orders.models import Order
from highstreet.trade.payments.models import PaymentIntent, Refund
from tests.conftest import Add
from tests.support import crowd

SOURCE = Path(highstreet.__file__).parent
UNHEARD_OF = "explode"
# Machines whose rows belong to a courier, and the states in which they belong to none.
COURIERS = ("delivery", "roster_shift")
NOBODYS = ("waiting", "draft", "open", "withdrawn")


def machines() -> dict[str, Machine]:
    """Every `Machine` of every `states` room, by its name."""
    found: dict[str, Machine] = {}
    for path in sorted(SOURCE.rglob("states.py")):
        name = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
        for value in vars(import_module(name)).values():
            if isinstance(value, Machine):
                assert found.setdefault(value.name, value) is value, f"two machines are called {value.name}"
    return found


@pytest.fixture
def rows(db: None) -> Iterator[dict[str, models.Model]]:
    """A row in each machine. One that is not here fails the test below: make its row, too."""
    with crowd.town() as town:
        placed = town.paid(2)
        intent = PaymentIntent.objects.get(pk=placed.intent_id)
        refund = Refund.objects.create(
            intent=intent, key="one", out_refund_no="one", amount=1, reason="test", created_at=clock.now()
        )
        order = Order.objects.get(pk=placed.order_id)
        place = delivery.town()
        rider = delivery.courier(place, 40)
        box = delivery.fulfilment(place)
        carried = dispatch.create(
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
        boss = owner(place.retailer_id)
        fleet = fleets.add_fleet(actor=boss, provider="meituan", name="fleet", secrets=MEITUAN_SECRETS)
        hired = FleetOrder.objects.create(
            fleet_id=fleet,
            delivery_id=carried,
            order_id=box.order_id,
            order_number=box.order_number,
            store_id=box.store_id,
            attempt=1,
            number="one",
            since=clock.now(),
            heard_at=clock.now(),
            created_at=clock.now(),
            promised_to=box.promised_to,
        )
        # Assigned to somebody, as most states of a delivery must be; "waiting" is without.
        Delivery.objects.filter(pk=carried).update(status="assigned", courier_id=rider.courier_id)
        yield {
            "order": order,
            "order_payment": order,
            "payment": intent,
            "refund": refund,
            "fulfilment": box,
            "delivery": Delivery.objects.get(pk=carried),
            "fleet_order": hired,
            "roster_shift": RosterShift.objects.create(
                city_id=place.city_id, starts_at=clock.now(), ends_at=clock.now() + timedelta(hours=4)
            ),
        }


def rider(state: str | None) -> Any:
    """Whoever has a delivery or a shift in this state: nobody while it waits."""
    return None if state in NOBODYS else Courier.objects.values_list("pk", flat=True)[0]


def put(machine: Machine, row: models.Model, state: str) -> None:
    changes: dict[str, Any] = {machine.column: state}
    if machine.name in COURIERS:
        changes["courier_id"] = rider(state)
    type(row)._default_manager.filter(pk=row.pk).update(**changes)


def picture(row: models.Model) -> dict[str, Any]:
    return type(row)._default_manager.filter(pk=row.pk).values().get()


def every(machine: Machine, row: models.Model, move: Callable[..., str]) -> tuple[int, int, list[str]]:
    """Fire every event of `machine` (and one unheard of) at `row` in every state. (moved, refused, what was wrong)."""
    moved, refused, wrong = 0, 0, []
    events = sorted({event for _, event in machine.table} | {UNHEARD_OF})
    for state in sorted(machine.states()):
        for event in events:
            target = machine.table.get((state, event))
            try:
                with transaction.atomic():
                    put(machine, row, state)
                    row.refresh_from_db()
                    before, history = picture(row), StateChange.objects.count()
                    extra = {"courier_id": rider(target)} if machine.name in COURIERS else {}
                    outcome = fired(move, machine, row, event, extra)
                    after = picture(row)
                    if target is None:
                        refused += 1
                        fine = outcome == "refused" and after == before and StateChange.objects.count() == history
                    else:
                        moved += 1
                        fine = outcome == after[machine.column] == target and StateChange.objects.count() == history + 1
                    if not fine:
                        wrong.append(f"{machine.name}: {event} in {state} -> {outcome}")
                    transaction.set_rollback(True)
            except Exception as error:
                wrong.append(f"{machine.name}: {event} in {state}: {error}")
    return moved, refused, wrong


def fired(move: Callable[..., str], machine: Machine, row: models.Model, event: str, extra: dict[str, Any]) -> str:
    try:
        with transaction.atomic():
            return move(machine, row, event, actor="test", **extra)
    except Refused as no:
        return "refused" if no.reason is WRONG_STATE else no.reason.code


def test_every_state_and_every_event(rows: dict[str, models.Model], row: Add) -> None:
    known = machines()
    assert set(known) == set(rows), "a machine without a row here, or a row without its machine"
    moved, refused = 0, 0
    wrong: list[str] = []
    for name, machine in known.items():
        done = every(machine, rows[name], states.move)
        moved, refused, wrong = moved + done[0], refused + done[1], wrong + done[2]
    row(
        "D2",
        f"every state × every event of {len(known)} machines",
        n=moved + refused,
        accepted=moved,
        refused=refused,
        invariants="unchanged where refused",
        seed="-",
    )
    assert wrong == []


def test_a_move_that_does_not_look_is_found_out(rows: dict[str, models.Model]) -> None:
    """The negative control: the state is written without being compared."""

    def careless(machine: Machine, row: models.Model, event: str, *, actor: str, **columns: Any) -> str:
        target = next((now for (_, name), now in machine.table.items() if name == event), "")
        if not target:
            raise Refused(WRONG_STATE, state="")
        type(row)._default_manager.filter(pk=row.pk).update(**{machine.column: target}, **columns)
        StateChange.objects.create(
            id=ids.new_id(),
            machine=machine.name,
            subject=row.pk,
            event=event,
            was="",
            now=target,
            actor=actor,
            at=clock.now(),
        )
        return target

    assert every(machines()["payment"], rows["payment"], careless)[2]


def test_tables_make_sense() -> None:
    """Every state can be reached from the start, and names fit their columns."""
    for machine in machines().values():
        reached, edge = {machine.start}, {machine.start}
        while edge:
            edge = {now for (was, _), now in machine.table.items() if was in edge} - reached
            reached |= edge
        assert reached == machine.states(), f"{machine.name}: {machine.states() - reached} cannot be reached"
        assert set(machine.stamps) <= machine.states()
