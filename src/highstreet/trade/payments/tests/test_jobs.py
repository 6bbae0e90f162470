"""The jobs, run by a real worker of the queue."""

from __future__ import annotations

import pytest

from highstreet.kernel.policy import THE_SYSTEM
from highstreet.kernel.tests.worker import work
from highstreet.trade.payments import actions, jobs
from highstreet.trade.payments.models import Refund
from highstreet.trade.payments.sandbox.crypto import SandboxKeys

from . import support
from .support import Provider, Told, assert_clean


@pytest.mark.django_db(transaction=True)
def test_a_worker_applies_sends_and_closes(provider: Provider, told: Told, keys: SandboxKeys) -> None:
    intent, unpaid = support.an_intent(), support.an_intent()
    provider.refund_state = "succeeded"
    support.receive(*support.notice(keys, intent))
    work()
    assert told.captures == [(intent.payable, 2590)]
    actions.refund(actor=THE_SYSTEM, payable=intent.payable, amount=90, reason="short", key="k")
    actions.close(actor=THE_SYSTEM, intent_id=unpaid.pk)
    work()
    assert told.refunds == [(intent.payable, 90)]
    assert Refund.objects.get().status == "succeeded"
    unpaid.refresh_from_db()
    assert unpaid.status == "closed"
    assert_clean()


@pytest.mark.django_db(transaction=True)
def test_the_sweep_runs_with_nothing_to_do(provider: Provider) -> None:
    jobs.sweep(timestamp=0)
    assert provider.calls_made == []
