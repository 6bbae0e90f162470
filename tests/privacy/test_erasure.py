"""G2: whoever asks to be forgotten is forgotten everywhere; the books still balance; open things are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection, transaction
from django.test import Client

from highstreet.kernel import outbox, privacy
from highstreet.kernel.privacy import Person
from highstreet.kernel.privacy import register as rooms
from highstreet.kernel.refusal import Refused
from highstreet.people.accounts.models import User
from highstreet.people.customers import actions as customers
from highstreet.people.customers.models import Erasure
from highstreet.trade.orders.models import Order
from highstreet.trade.orders.tests import support as shop
from highstreet.trade.orders.tests.support import Town
from tests.conftest import Add

from . import canaries
from .life import TYPED, Life, begin, live

pytestmark = pytest.mark.django_db


def lived(town: Town, client: Client) -> tuple[Life, Person]:
    life = begin(town, client)
    live(life)
    actor = life.actor
    assert actor.customer_id is not None
    return life, Person((actor.customer_id,), (life.user,))


def tries(username: str) -> None:
    """Refused sign-ins, as the login's library writes them."""
    with connection.cursor() as cursor:
        for table, more in (
            ("axes_accessattempt", ", get_data, post_data, failures_since_start"),
            ("axes_accessfailurelog", ", locked_out"),
        ):
            values = ", '', 'bird=ᛰᛰᛰᛰ', 1" if "get_data" in more else ", false"
            cursor.execute(
                f"INSERT INTO {table} (username, ip_address, user_agent, http_accept, path_info, attempt_time{more}) "  # noqa: S608
                f"VALUES (%s, '203.0.113.77', 'Canary Browser', '', '/', now(){values})",
                [username],
            )


def test_50_canaries_are_gone_from_everywhere(town: Town, client: Client, row: Add) -> None:
    life, person = lived(town, client)
    planted = canaries.plant(person, privacy.tables())
    tries(User.objects.get(pk=life.user).username)
    columns = {(one.table, one.column) for one in planted}
    before = canaries.everything()
    assert canaries.found_in(before, planted) == sorted({f"{table}.{column}" for table, column in columns})
    assert "203.0.113.77" in before and "o-canary-payer" in before
    sums = _facts()
    touched = customers.erase_me(actor=life.actor, confirm="erase")
    dump = canaries.everything()
    left = canaries.found_in(dump, planted)
    also = [word for word in (*TYPED.values(), "203.0.113.77", "Canary Browser", "o-canary-payer") if word in dump]
    row(
        "G2",
        f"erase: {len(columns)} personal columns, {len(planted)} canaries",
        n=touched,
        accepted=len(planted) - len(left),
        refused=len(left),
        invariants="audit clean, books unchanged",
    )
    assert (left, also) == ([], [])
    assert len(columns) >= 50
    assert _facts() == sums
    assert not User.objects.filter(pk=life.user).exists()
    assert str(life.user) not in "".join(line for line in dump.splitlines() if line.startswith("session"))
    shop.clean_audit()
    assert Erasure.objects.get().rows == touched
    assert client.get("/orders").content.count(b"<article") == 0
    assert life.api.get("/api/v1/me/consents", headers=life.headers).status_code == 401


@pytest.mark.parametrize(
    ("table", "column"),
    [("orders_order", "note"), pytest.param("fulfilment_fulfilment", "address", marks=pytest.mark.long)],
)
def test_a_column_dropped_from_the_register_is_found(town: Town, client: Client, table: str, column: str) -> None:
    """The negative control."""
    life, person = lived(town, client)
    planted = canaries.plant(person, privacy.tables())
    whole = rooms._tables[table]
    kept = {name: value for name, value in whole.blank.items() if name != column}
    try:
        rooms._tables[table] = replace(whole, blank=kept)
        customers.erase_me(actor=life.actor, confirm="ERASE")
    finally:
        rooms._tables[table] = whole
    assert canaries.found_in(canaries.everything(), planted) == [f"{table}.{column}"]


def test_what_is_open_is_refused_in_words_and_nothing_is_touched(town: Town, client: Client) -> None:
    life = begin(town, client)
    order = life.place()
    outbox.drain()
    before = canaries.everything()
    for confirm, code in (("ERASE", "order_open"), ("yes", "not_confirmed"), ("", "not_confirmed")):
        with pytest.raises(Refused) as refused, transaction.atomic():
            customers.erase_me(actor=life.actor, confirm=confirm)
        assert refused.value.reason.code == code and refused.value.words
    assert canaries.everything() == before
    Order.objects.filter(pk=order.pk).update(status="cancelled")
    with pytest.raises(Refused) as refused, transaction.atomic():
        customers.erase_me(actor=life.actor, confirm="ERASE")
    assert refused.value.reason.code == "money_on_its_way"


def test_whoever_runs_the_platform_stays_until_another_ends_that(town: Town, client: Client) -> None:
    life = begin(town, client)
    user = User.objects.filter(pk=life.user)
    user.update(is_superuser=True)
    with pytest.raises(Refused) as refused, transaction.atomic():
        customers.erase_me(actor=life.actor, confirm="ERASE")
    assert refused.value.reason.code == "runs_platform" and user.exists()
    user.update(is_superuser=False)
    customers.erase_me(actor=life.actor, confirm="ERASE")
    assert not user.exists()


def _facts() -> list[object]:
    """What has to stay: the books to the fen, orders and stars counted."""
    facts: list[object] = []
    with connection.cursor() as cursor:
        for query in (
            "SELECT owner, code, sum(amount), count(*) FROM kernel_posting GROUP BY 1, 2 ORDER BY 1, 2",
            "SELECT status, count(*), sum(total), sum(refunded) FROM orders_order GROUP BY 1 ORDER BY 1",
            "SELECT variant_id, sum(quantity) FROM orders_orderline GROUP BY 1 ORDER BY 1",
            "SELECT store_id, avg(stars), count(*) FROM reviews_review GROUP BY 1",
            "SELECT outcome, count(*) FROM promise_promise GROUP BY 1 ORDER BY 1",
        ):
            cursor.execute(query)
            facts.append(cursor.fetchall())
    return facts
