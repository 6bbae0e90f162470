"""G3: saying no takes as many clicks as saying yes, counts from the next request on, and is never forgotten."""

from __future__ import annotations

import re

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from highstreet.kernel import privacy
from highstreet.kernel.privacy import Person, persons
from highstreet.people.customers import reads
from highstreet.people.customers.models import Address, Consent
from highstreet.people.customers.rules import PURPOSES
from highstreet.trade.orders.tests.support import Town
from highstreet.web.shop.tests import support as pages
from tests.conftest import Add

from .life import Life, begin, live

pytestmark = pytest.mark.django_db
FORM = re.compile(r'<form[^>]*action="/me/data/consent">.*?name="purpose" value="(\w+)".*?value="([01])"', re.S)


def switches(client: Client) -> dict[str, str]:
    """Purpose -> what its one button would say."""
    return dict(FORM.findall(pages.page(client, "/me/data")))


def press(client: Client, purpose: str) -> None:
    """One click: the page's own form."""
    answer = client.post("/me/data/consent", {"purpose": purpose, "given": switches(client)[purpose]})
    assert answer.status_code == 303


def rows_about(life: Life) -> dict[str, int]:
    """How many rows there are about a person, by table."""
    person = Person((life.actor.customer_id,) if life.actor.customer_id else (), (life.user,))
    found, counts = persons.scopes(person), {}
    for name, table in privacy.tables().items():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {name} t WHERE {table.rows}", found)  # noqa: S608
            counts[name] = int(cursor.fetchone()[0])
    return counts


def browse(client: Client) -> str:
    html = pages.page(client, "/")
    for url in ("/browse", "/c/fresh", "/search?q=fruit", "/orders", "/place", "/me", "/cart"):
        pages.page(client, url)
    return html


def test_a_no_counts_from_the_next_request(town: Town, client: Client, row: Add) -> None:
    client.cookies["lang"] = "en"
    life = begin(town, client)
    live(life)
    address = Address.objects.get(customer__user_id=life.user)
    before = browse(client)
    assert "/reorder" in before and address.text in before
    clicks = {}
    for purpose in PURPOSES:
        for _ in range(2):
            said = switches(client)[purpose]
            press(client, purpose)
            clicks[purpose, said] = 1
            assert switches(client)[purpose] != said
    assert set(clicks.values()) == {1} and len(clicks) == 2 * len(PURPOSES)
    press(client, "personalisation")
    known = rows_about(life)
    after = browse(client)
    assert "/reorder" not in after and address.text not in after
    assert not reads.consented(life.actor, "personalisation")
    assert rows_about(life) == known
    pages.add(client, town.variants[0])
    assert 'value="13977712345"' not in pages.page(client, "/checkout")
    again = life.place()
    assert Address.objects.get().used_at == address.used_at and again.address == address.text
    press(client, "personalisation")
    assert "/reorder" in browse(client)
    row("G3", "withdraw, browse 8 pages", n=8, accepted=0, refused=0, notes="clicks: 1 to give, 1 to withdraw; 0 rows")


def test_a_guest_is_asked_the_same_and_keeps_the_answer(town: Town, guest: Client) -> None:
    pages.order(guest, town.variants[0], address="Public Market")
    assert "/reorder" in pages.page(guest, "/")
    press(guest, "personalisation")
    assert "/reorder" not in pages.page(guest, "/") and guest.cookies["contact"].value == ""
    pages.add(guest, town.variants[0])
    assert 'value="13800001234"' not in pages.page(guest, "/checkout")
    said = Consent.objects.get()
    assert (said.purpose, said.given, said.channel, said.wording) == ("personalisation", False, "page", 1)
    press(guest, "personalisation")
    assert "/reorder" in pages.page(guest, "/")
    assert Consent.objects.filter(subject=said.subject).count() == 2


def test_nothing_but_the_own_things_is_on_before_a_yes(town: Town, guest: Client) -> None:
    assert switches(guest) == {"personalisation": "0", "marketing": "1", "analytics": "1"}
    assert guest.post("/me/data/consent", {"purpose": "mind reading", "given": "1"}).status_code == 404


def test_the_log_is_only_added_to(town: Town, client: Client) -> None:
    begin(town, client)
    press(client, "marketing")
    for change in ("UPDATE customers_consent SET given = false", "DELETE FROM customers_consent"):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
