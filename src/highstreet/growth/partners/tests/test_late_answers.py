"""Answers that come after their time, and events that commit after others with higher numbers."""

from __future__ import annotations

import socket
import time
from datetime import timedelta
from typing import Any

import pytest

from highstreet.growth.partners import actions
from highstreet.growth.partners.actions import sending
from highstreet.growth.partners.actions.sending import Outcome
from highstreet.growth.partners.models import Attempt, Message, Sending
from highstreet.growth.partners.tests.support import Receiver, open_at
from highstreet.growth.partners.tests.test_webhooks import happen, owner, send_all
from highstreet.kernel import outward
from highstreet.kernel.outward import Barred, Outward
from highstreet.trade.orders.events import OrderPaid
from highstreet.web.console.tests.support import Scene, an_order

FAILED, TAKEN = Outcome(500, "", "", 1), Outcome(204, "", "", 1)


@pytest.fixture
def late(scene: Scene, receiver: Receiver) -> Sending:
    """A message that somebody tries."""
    actions.add_endpoint(actor=owner(scene), place=open_at(receiver.url), events=["order.paid"])
    happen(OrderPaid(an_order(scene).pk, 1))
    return Sending.objects.get()


@pytest.mark.parametrize(
    ("meanwhile", "outcome", "status"),
    [
        ({"status": "sent", "claimed_until": None}, FAILED, "sent"),
        ({"status": "failed", "claimed_until": None}, FAILED, "failed"),
        ({"claimed_until": "later"}, FAILED, "waiting"),
        ({"claimed_until": "later"}, TAKEN, "sent"),
        ({}, TAKEN, "sent"),
        ({}, FAILED, "waiting"),
    ],
)
def test_who_outlived_the_claim_decides_nothing_by_failing(
    late: Sending, meanwhile: dict[str, Any], outcome: Outcome, status: str
) -> None:
    until = sending._claim(late.pk)
    assert until is not None
    other = until + timedelta(seconds=30)
    values = {name: other if value == "later" else value for name, value in meanwhile.items()}
    Sending.objects.filter(pk=late.pk).update(**values or {"tries": 1})
    sending._record(late.pk, outcome, until)
    late.refresh_from_db()
    assert late.status == status and Attempt.objects.count() == 1
    assert (late.claimed_until == other) is (values.get("claimed_until") == other and outcome is FAILED)


def test_a_replay_finds_what_committed_late(scene: Scene, receiver: Receiver) -> None:
    made = actions.add_endpoint(actor=owner(scene), place=open_at(receiver.url), events=["order.paid"])
    happen(OrderPaid(an_order(scene).pk, 1), OrderPaid(an_order(scene).pk, 2))
    send_all()
    first, second = Message.objects.order_by("event")
    Sending.objects.filter(message=first).delete()
    assert actions.replay(actor=owner(scene), endpoint_id=made.id, after=second.pk) == 1
    assert Sending.objects.get(message=first).status == "waiting"
    assert Sending.objects.get(message=second).status == "sent"
    Sending.objects.filter(message=first).update(status="sent")
    assert actions.replay(actor=owner(scene), endpoint_id=made.id, after=second.pk) == 0


def test_nobody_waits_for_ever_for_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor for the names of others who do: a hundred that nobody answers for, and then one."""
    lookup = socket.getaddrinfo

    def slow(name: str, *rest: Any, **more: Any) -> Any:
        return time.sleep(2) if name == "slow.example" else lookup(name, *rest, **more)

    monkeypatch.setattr(outward, "LOOKUP_SECONDS", 0.01)
    monkeypatch.setattr("socket.getaddrinfo", slow)
    for _ in range(100):
        with pytest.raises(Barred, match="unknown_host"):
            Outward().addresses("https://slow.example/")
    monkeypatch.setattr(outward, "LOOKUP_SECONDS", 1.0)
    assert Outward().addresses("https://93.184.216.34/")[1] == ["93.184.216.34"]
