"""What happened to an order, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from highstreet.delivery.dispatch.states import MACHINE as DELIVERY
from highstreet.kernel import ids
from highstreet.kernel.models import StateChange
from highstreet.kernel.states import Machine
from highstreet.supply.organisations.reads import forget
from highstreet.trade.fulfilment.states import MACHINE as FULFILMENT
from highstreet.trade.orders import states as order
from highstreet.trade.orders.models import Order
from highstreet.trade.payments import states as payment
from highstreet.trade.payments.models import PaymentIntent
from highstreet.web.console.pages.dossier import TOLD
from highstreet.web.console.tests.support import Scene, a_scene, an_order, change, client_of


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = a_scene()
    an_order(made, number="AAA111")
    yield made
    forget()


@pytest.mark.parametrize(
    "machine",
    [order.ORDER, order.PAYMENT, payment.PAYMENT, payment.REFUND, FULFILMENT, DELIVERY],
    ids=lambda machine: machine.name,
)
def test_every_state_has_words(machine: Machine) -> None:
    assert machine.states() <= set(TOLD[machine.name])


@pytest.mark.django_db
@pytest.mark.parametrize("online", [True, False])
def test_what_was_paid_is_told_once(scene: Scene, online: bool) -> None:
    row = Order.objects.get(number="AAA111")
    StateChange.objects.filter(machine__in=[order.PAYMENT.name, payment.PAYMENT.name]).delete()
    change(order.PAYMENT.name, row.pk, "unpaid", "paid", row.placed_at + timedelta(seconds=61))
    if online:
        intent = PaymentIntent.objects.get(payable=row.pk)
        change(payment.PAYMENT.name, intent.pk, "created", "captured", row.placed_at + timedelta(seconds=60))
    page = client_of(scene.owner).get(f"/console/orders/{ids.public('ord', row.pk)}")
    assert [step.title for step in page.context["dossier"].steps].count("Paid") == 1
