"""Every state × every event of both machines (D2)."""

from __future__ import annotations

import pytest
from django.db import models

from highstreet.kernel import clock
from highstreet.kernel.models import StateChange
from highstreet.kernel.refusal import Refused
from highstreet.kernel.states import Machine, move
from highstreet.trade.payments.models import Refund
from highstreet.trade.payments.states import PAYMENT, REFUND

from . import support


@pytest.mark.django_db
@pytest.mark.parametrize("machine", [PAYMENT, REFUND], ids=lambda machine: machine.name)
def test_every_state_and_every_event(machine: Machine) -> None:
    intent = support.an_intent()
    row: models.Model = intent
    if machine is REFUND:
        row = Refund.objects.create(
            intent=intent, key="k", out_refund_no="n", amount=1, reason="r", created_at=clock.now()
        )
    events = sorted({event for _, event in machine.table})
    for state in sorted(machine.states()):
        for event in events:
            type(row)._default_manager.filter(pk=row.pk).update(status=state)
            row.refresh_from_db()
            before = StateChange.objects.count()
            target = machine.table.get((state, event))
            if target is None:
                with pytest.raises(Refused):
                    move(machine, row, event, actor="test")
            else:
                assert move(machine, row, event, actor="test") == target
            row.refresh_from_db()
            assert row.status == (target or state)  # type: ignore[attr-defined]
            assert StateChange.objects.count() == before + (target is not None)


def test_the_ends() -> None:
    assert PAYMENT.finals() == {"captured"}
    assert REFUND.finals() == {"succeeded"}
