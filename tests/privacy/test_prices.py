"""G4: the same basket at the same time from the same store costs everybody the same."""

from __future__ import annotations

import random
from datetime import timedelta
from uuid import UUID

import pytest

from highstreet.kernel import clock, ids
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.people.accounts import actions as accounts
from highstreet.people.accounts.reads import actor_of_user
from highstreet.people.customers import actions as customers
from highstreet.people.customers.models import Customer
from highstreet.people.customers.rules import PURPOSES
from highstreet.trade.orders import actions as orders
from highstreet.trade.orders.reads import QuoteView
from highstreet.trade.orders.tests import support as shop
from highstreet.trade.orders.tests.support import Town
from tests.conftest import Add

SEED = 20261126
FEW, PROFILES = 40, 200


def profile(user: UUID, chance: random.Random) -> Actor:
    """Somebody: old or new, with much or nothing bought, near or far, in either language, agreeing or not."""
    actor = actor_of_user(user, language=chance.choice(["zh-hans", "en"]))
    if chance.random() < 0.7:
        since = clock.now() - timedelta(days=chance.randrange(900))
        phone = f"13{chance.randrange(10**9):09d}"
        Customer.objects.create(id=ids.new_id(), user_id=user, phone=phone, name="n", created_at=since)
        actor = actor_of_user(user, language=actor.language)
    for purpose in PURPOSES:
        if chance.random() < 0.5:
            customers.consent(actor=actor, purpose=purpose, given=chance.random() < 0.5, channel="page")
    return actor_of_user(user, language=actor.language)


def price(quote: QuoteView) -> tuple[object, ...]:
    lines = tuple((line.variant_id, line.quantity, line.unit_price) for line in quote.lines)
    return (quote.store.id, lines, quote.goods_total, quote.delivery_fee, quote.total)


@pytest.mark.django_db
@pytest.mark.parametrize("count", [FEW, pytest.param(PROFILES, marks=pytest.mark.long)])
def test_profiles_see_one_price(town: Town, row: Add, count: int) -> None:
    chance = random.Random(SEED)
    with clock.frozen(shop.NOON + timedelta(minutes=5)):
        names = [f"who{number}" for number in range(count)]
        users = accounts.create_users(actor=THE_SYSTEM, usernames=names, password="x")
        actors = [profile(user, chance) for user in users.values()]
        for actor in chance.sample([one for one in actors if one.customer_id], 5):
            key = town.cart(1, actor=actor)
            bought = town.quote(key, actor=actor, store=town.stores[0])
            orders.checkout(actor=actor, quote_id=bought.id, cart_key=key, phone=shop.PHONE)
        seen = set()
        for actor in actors:
            key = town.cart(1, 2, 0, 1, actor=actor)
            seen.add(price(town.quote(key, actor=actor, store=town.stores[0])))
    kinds = len({(actor.customer_id is None, actor.consents, actor.language) for actor in actors})
    row(
        "G4",
        f"same basket, {kinds} kinds of people",
        n=count,
        accepted=count,
        refused=0,
        seed=SEED,
        notes=f"{len(seen)} price",
    )
    assert len(seen) == 1 and kinds > count // 3
