"""Every state × every event: what the table does not name is refused and changes nothing (D2)."""

from __future__ import annotations

import pytest

from highstreet.kernel.models import StateChange
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import WRONG_STATE
from highstreet.kernel.states import move
from highstreet.trade.fulfilment import states
from highstreet.trade.fulfilment.models import Fulfilment
from highstreet.trade.fulfilment.states import MACHINE

from . import support

EVENTS = sorted({event for _, event in MACHINE.table})
GLOSSARY = {
    "pending",
    "accepted",
    "rejected",
    "picking",
    "packed",
    "ready",
    "handed_over",
    "in_transit",
    "delivered",
    "failed",
    "returning",
    "returned",
    "cancelled",
}


def test_the_states_are_the_glossarys() -> None:
    assert MACHINE.states() == GLOSSARY
    assert MACHINE.finals() == set(states.ENDED)
    assert set(states.OPEN) | set(states.WITH_COURIER) | set(states.ENDED) == GLOSSARY
    assert set(MACHINE.stamps) <= GLOSSARY


def test_every_state_is_reachable_and_none_flows_back() -> None:
    order = ["pending", "accepted", "picking", "packed", "ready", "handed_over", "in_transit"]
    reached, frontier = {MACHINE.start}, [MACHINE.start]
    while frontier:
        state = frontier.pop()
        for (source, _), target in MACHINE.table.items():
            if source == state and target not in reached:
                reached.add(target)
                frontier.append(target)
            if source in order and target in order:
                assert order.index(target) > order.index(source)
    assert reached == GLOSSARY


@pytest.mark.django_db
def test_every_state_and_every_event() -> None:
    place = support.shop()
    row = support.order(place)
    tried = 0
    for state in sorted(GLOSSARY):
        for event in EVENTS:
            Fulfilment.objects.filter(pk=row.pk).update(status=state)
            row.refresh_from_db()
            before = StateChange.objects.count()
            target = MACHINE.table.get((state, event))
            if target is None:
                with pytest.raises(Refused) as refused:
                    move(MACHINE, row, event, actor="test")
                assert refused.value.reason is WRONG_STATE
            else:
                assert move(MACHINE, row, event, actor="test") == target
            row.refresh_from_db()
            assert row.status == (target or state)
            assert StateChange.objects.count() == before + (target is not None)
            tried += 1
    assert tried == len(GLOSSARY) * len(EVENTS)
