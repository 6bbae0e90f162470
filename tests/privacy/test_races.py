"""G2 under a race: who is being forgotten cannot order at the same moment and stay known."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from uuid import UUID

import pytest

from highstreet.kernel.policy import NOBODY, Actor
from highstreet.people.accounts.models import User
from highstreet.people.accounts.reads import actor_of_user
from highstreet.people.customers import actions as customers
from highstreet.people.customers.actions import ordering
from highstreet.people.customers.models import Customer
from highstreet.trade.orders import actions as orders
from highstreet.trade.orders.models import Order
from highstreet.trade.orders.tests.support import PHONE, Town, clean_audit
from highstreet.trade.orders.tests.test_races import at_once
from highstreet.trade.orders.tests.test_races import town as town
from tests.conftest import Add

pytestmark = pytest.mark.django_db(transaction=True)
N = 8
# Who came second is told why; whoever was erased has no quote and no account any more.
OUTCOMES = {"done order_open", "done still_working", "done not_signed_in", "done not_found"}


@dataclass
class Racer:
    """Somebody with a quote in hand."""

    town: Town
    actor: Actor
    key: str
    quote: UUID

    def buy(self) -> None:
        orders.checkout(actor=self.actor, quote_id=self.quote, cart_key=self.key, phone=PHONE)

    def erase(self) -> None:
        customers.erase_me(actor=self.actor, confirm="ERASE")

    @property
    def known(self) -> bool:
        return User.objects.filter(pk=self.actor.user_id or "").exists()

    @property
    def ordered(self) -> bool:
        return Order.objects.filter(customer_id=self.actor.customer_id or "", phone=PHONE).exists()


def racer(town: Town, number: int, *, own_cart: bool) -> Racer:
    """With a cart of their own, or one that they filled before they signed in: an erasure does not know that one."""
    name = f"racer{number}"
    user = User.objects.create(username=name).pk
    customers.of_phone(actor=actor_of_user(user), phone=PHONE)
    actor = actor_of_user(user)
    shopper = actor if own_cart else NOBODY
    key = town.cart(1, actor=shopper)
    return Racer(town, actor, key, town.quote(key, actor=shopper, store=town.stores[0]).id)


def test_a_checkout_and_an_erasure_at_once(town: Town, row: Add) -> None:
    found = []
    for number in range(N):
        one = racer(town, number, own_cart=number % 2 == 0)
        found.append((" ".join(sorted(at_once(one.buy, one.erase))), one.known, one.ordered))
    erased = sum(not known for _, known, _ in found)
    row("G2", "checkout against erasure", n=N, accepted=erased, refused=N - erased, invariants="hold")
    assert all(known == ordered for _, known, ordered in found), found
    assert {outcomes for outcomes, _, _ in found} <= OUTCOMES, found
    clean_audit()


def test_without_the_lock_an_erased_person_orders(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the customer is read without a lock, and the erasure comes between."""
    one, looked, erased = racer(town, 0, own_cart=False), threading.Event(), threading.Event()

    def unguarded(user_id: UUID) -> tuple[UUID, str] | None:
        found = Customer.objects.filter(user_id=user_id).values_list("pk", "phone").first()
        looked.set()
        erased.wait(5)
        return found

    def erase() -> None:
        assert looked.wait(10)
        try:
            one.erase()
        finally:
            erased.set()

    monkeypatch.setattr(ordering, "_customer_of", unguarded)
    outcomes = at_once(one.buy, erase)
    assert (one.known, one.ordered) == (False, True), outcomes
