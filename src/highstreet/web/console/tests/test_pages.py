"""Every page of the console: in both languages, for whom it is, within its number of queries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from highstreet.delivery.couriers.models import Shift
from highstreet.delivery.promise.models import Promise
from highstreet.kernel import ids
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.models import Journal, Posting
from highstreet.people.accounts.models import User
from highstreet.people.staff.models import Employee
from highstreet.supply.catalog.models import Listing, Variant
from highstreet.supply.organisations.reads import forget
from highstreet.trade.fulfilment.models import PickupCode
from highstreet.trade.orders.models import Order, OrderLine, Quote
from highstreet.web.console.tests.support import Scene, a_scene, an_order, client_of, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = a_scene()
    an_order(made, number="AAA111")
    an_order(made, number="BBB222", late_minutes=12, phone="13800007777")
    an_order(made, number="CCC333", status="picking", minutes_ago=50)
    an_order(made, number="DDD444", status="ready", mode="pickup", store=1, minutes_ago=5)
    an_order(made, number="EEE555", status="pending", minutes_ago=5, cancelled=True)
    yield made
    forget()


def addresses(scene: Scene) -> dict[str, str]:
    """Every page a GET draws."""
    order = Order.objects.get(number="AAA111", city=scene.city)
    line = OrderLine.objects.filter(order=order).first()
    employee = Employee.objects.get(user=scene.support)
    posting = Posting.objects.filter(owner=scene.city.retailer_id).first()
    journal = Journal.objects.filter(cause=order.pk).first()
    assert line and posting and journal
    account = AccountRef(posting.owner, posting.code, posting.currency)
    number, store = ids.public("ord", order.pk), ids.public("str", scene.stores[0].pk)
    variant = ids.public("var", scene.variants[0].pk)
    return {
        "overview": "/console/",
        "roads": "/console/board/roads.json",
        "points": "/console/board/points.json",
        "orders": "/console/orders",
        "order": f"/console/orders/{number}",
        "cancel": f"/console/orders/{number}/cancel",
        "refund": f"/console/orders/{number}/lines/{ids.public('oli', line.pk)}/refund",
        "catalogue": "/console/catalogue",
        "product": f"/console/catalogue/{variant}",
        "listing": f"/console/catalogue/{variant}/{store}",
        "stock": "/console/stock",
        "level": f"/console/stock/{store}/{variant}",
        "promises": "/console/promises",
        "ledger": "/console/ledger",
        "journals": "/console/ledger/journals",
        "journal": f"/console/ledger/journals/{ids.public('jou', journal.pk)}",
        "account": f"/console/ledger/accounts/{ids.public('acc', account.id)}",
        "audit": "/console/audit",
        "alerts": "/console/alerts",
        "integrations": "/console/integrations",
        "make_key": "/console/integrations/keys/new",
        "add_hook": "/console/integrations/webhooks/new",
        "people": "/console/people",
        "hire": "/console/people/hire",
        "member": f"/console/people/{ids.public('emp', employee.pk)}",
    }


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_page_opens_for_the_owner_in_both_languages(scene: Scene, language: str) -> None:
    client = client_of(scene.owner, language)
    for name, address in addresses(scene).items():
        answer = client.get(address)
        assert answer.status_code == 200, name
        assert answer.headers["Content-Language"] == language
        text = answer.content.decode()
        assert "style=" not in text and "<script>" not in text and "onclick" not in text, name


def test_a_picker_is_refused_and_a_stranger_signs_in(scene: Scene) -> None:
    picker, stranger = client_of(scene.picker), client_of(None)
    for name, address in addresses(scene).items():
        assert picker.get(address).status_code == 403, name
        answer = stranger.get(address)
        assert answer.status_code == 302 and answer.headers["Location"].startswith("/accounts/login/"), name


def test_support_sees_no_ledger_no_audit_no_people(scene: Scene) -> None:
    client = client_of(scene.support)
    shut = {"listing", "ledger", "journals", "journal", "account", "audit", "people", "hire", "member"}
    shut |= {"integrations", "make_key", "add_hook"}
    for name, address in addresses(scene).items():
        assert client.get(address).status_code == (403 if name in shut else 200), name
    assert "/console/ledger" not in client.get("/console/").content.decode()


def test_what_is_another_organisations_is_not_there(scene: Scene) -> None:
    other = a_scene("two")
    an_order(other, number="AAA111X")
    client = client_of(other.owner)
    named = {"order", "cancel", "refund", "product", "listing", "level", "journal", "account", "member"}
    for name, address in addresses(scene).items():
        if name in named:
            assert client.get(address).status_code == 404, name
            assert client.post(address, {"role": "owner"}).status_code in (404, 405), name
    assert client.get("/console/orders?q=BBB222").context["hits"] == []
    assert client.get(f"/console/orders?store={ids.public('str', scene.stores[0].pk)}").status_code == 404
    assert client.get("/console/orders/nonsense").status_code == 404


@pytest.mark.parametrize(("language", "words"), [("en", "Chosen by the shopper"), ("zh-hans", "顾客选的时段")])
def test_a_time_that_was_chosen_is_told_with_when_the_store_begins(scene: Scene, language: str, words: str) -> None:
    order = Order.objects.get(number="AAA111", city=scene.city)
    address, client = f"/console/orders/{ids.public('ord', order.pk)}", client_of(scene.owner, language)
    assert words not in client.get(address).content.decode()
    Promise.objects.filter(order_id=order.pk).update(begins_at=order.placed_at)
    text, zone = client.get(address).content.decode(), scene.city.time_zone
    start, end = (at.astimezone(ZoneInfo(zone)) for at in (order.promised_from, order.promised_to))
    assert words in text and f"{start:%H:%M}–{end:%H:%M}" in text


def test_the_list_tells_the_window_that_was_chosen(scene: Scene) -> None:
    order = Order.objects.get(number="AAA111", city=scene.city)
    client = client_of(scene.owner)
    zone = ZoneInfo(scene.city.time_zone)
    start, end = (f"{at.astimezone(zone):%H:%M}" for at in (order.promised_from, order.promised_to))
    (hit,) = client.get("/console/orders?q=AAA111").context["hits"]
    assert hit.promised.endswith(end) and "–" not in hit.promised
    Quote.objects.filter(pk=order.quote_id).update(promise={"slot": order.promised_from.isoformat()})
    answer = client.get("/console/orders?q=AAA111")
    (hit,) = answer.context["hits"]
    assert hit.promised.endswith(f"{start}–{end}") and f"{start}–{end}" in answer.content.decode()


@pytest.mark.parametrize(("language", "words"), [("en", "The store begins"), ("zh-hans", "门店开始拣货")])
def test_an_order_that_waited_for_its_courier_tells_when_its_store_was_to_begin(
    scene: Scene, language: str, words: str
) -> None:
    order = Order.objects.get(number="AAA111", city=scene.city)
    address, client = f"/console/orders/{ids.public('ord', order.pk)}", client_of(scene.owner, language)
    assert words not in client.get(address).content.decode()
    Promise.objects.filter(order_id=order.pk).update(basis={"start_at": order.placed_at.isoformat()})
    assert words in client.get(address).content.decode()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["The whole city", "No courier is on shift", "0 couriers"]),
        ("zh-hans", ["全城", "没有骑手在班", "0 名骑手"]),
    ],
)
def test_what_can_still_be_promised_is_told_to_who_plans_the_city(
    scene: Scene, language: str, words: list[str]
) -> None:
    Shift.objects.filter(courier__city=scene.city).delete()
    text = client_of(scene.owner, language).get("/console/promises").content.decode()
    assert [word for word in words if word not in text] == []
    of_one_store = staff("support-apart", "support", scene.stores[0].organisation, scene.stores[0])
    assert words[0] not in client_of(of_one_store, language).get("/console/promises").content.decode()


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


# Session, user and badges cost about six of each.
BUDGETS = {
    "overview": 20,
    "points": 16,
    "orders": 12,
    "order": 30,
    "catalogue": 14,
    "product": 14,
    "stock": 14,
    "level": 14,
    "promises": 16,
    "ledger": 12,
    "journals": 12,
    "journal": 16,
    "account": 14,
    "alerts": 10,
    "integrations": 12,
    "people": 12,
}


def test_queries_stay_within_budget_and_do_not_grow(scene: Scene) -> None:
    client = client_of(scene.owner)
    pages = {name: address for name, address in addresses(scene).items() if name in BUDGETS}
    for address in pages.values():
        client.get(address)
    first = {name: queries(client, address) for name, address in pages.items()}
    over = {name: count for name, count in first.items() if count > BUDGETS[name]}
    assert over == {}
    for number in range(12):
        an_order(scene, status="delivered" if number % 2 else "ready", late_minutes=5 if number % 3 else None)
    grown = {name: queries(client, address) for name, address in pages.items()}
    assert grown == first


def test_search_by_number_phone_and_code(scene: Scene) -> None:
    client = client_of(scene.owner)
    by = {"bbb222": "BBB222", "7777": "BBB222"}
    for typed, number in by.items():
        order = Order.objects.get(number=number)
        assert client.get(f"/console/jump?q={typed}").headers["Location"].endswith(ids.public("ord", order.pk))
    waiting = Order.objects.get(number="DDD444")
    code = PickupCode.objects.get(fulfilment__order_id=waiting.pk).code
    assert client.get(f"/console/jump?q={code}").headers["Location"].endswith(ids.public("ord", waiting.pk))
    assert client.get("/console/jump?q=1234").headers["Location"] == "/console/orders?q=1234"
    text = client.get("/console/orders?status=open").content.decode()
    assert "CCC333" in text and "DDD444" in text and "AAA111" not in text
    for odd in ("%00", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "x" * 500, "%"):
        assert client.get("/console/orders", {"q": odd}).status_code == 200
        assert client.get("/console/orders", {"from": odd}).status_code == 422


def walked(client: Client, address: str, rows: str) -> list[list[Any]]:
    """The rows of every page of a list, from the first to the last."""
    pages = []
    while address:
        answer = client.get(address)
        pages.append(list(answer.context[rows]))
        address = answer.context["next"]
    return pages


def test_pages_of_orders_neither_skip_nor_repeat(scene: Scene) -> None:
    for _ in range(40):
        an_order(scene, mode="pickup", status="ready")
    seen = [hit.row.number for one in walked(client_of(scene.owner), "/console/orders", "hits") for hit in one]
    assert len(seen) == len(set(seen)) == 45


def test_pages_of_people_neither_skip_nor_repeat(scene: Scene) -> None:
    """A hundred more than a page has, of whom a third has left and many share a name."""
    client, everybody = client_of(scene.owner), Employee.objects.filter(organisation=scene.city.retailer)
    for number in range(200):
        user = User.objects.create(username=f"hand{number}")
        Employee.objects.create(
            user=user, organisation=scene.city.retailer, role="support", name=f"Kim {number % 7}", active=number % 3 > 0
        )
    pages = walked(client, "/console/people", "rows")
    seen = [row.view.id for one in pages for row in one]
    assert [len(one) for one in pages][:2] == [100, 100] and len(seen) == len(set(seen)) == everybody.count()
    states = [row.view.active for one in pages for row in one]
    assert states == sorted(states, reverse=True)
    called = {row.view.username for one in walked(client, "/console/people?q=HAND19", "rows") for row in one}
    assert called == {"hand19", *(f"hand19{digit}" for digit in range(10))}
    assert "Nobody called" in client.get("/console/people?q=%25").content.decode()
    for address in ("/console/people", "/console/stock", "/console/catalogue"):
        assert client.get(address, {"from": "nonsense"}).status_code == 422


def test_pages_of_stock_neither_skip_nor_repeat(scene: Scene) -> None:
    client, old = client_of(scene.owner), scene.variants[0]
    for number in range(70):
        variant = Variant.objects.create(product=old.product, sku=f"more-{number}", barcode=f"{number}")
        Listing.objects.create(store=scene.stores[0], variant=variant, price=100)
    pages = walked(client, "/console/stock", "rows")
    seen = [row[0].id for one in pages for row in one]
    assert len(pages) > 2 and len(seen) == len(set(seen))
    assert set(seen) == set(Listing.objects.filter(store=scene.stores[0]).values_list("variant_id", flat=True))


def test_the_order_page_tells_everything(scene: Scene) -> None:
    order = Order.objects.get(number="BBB222")
    text = client_of(scene.owner).get(f"/console/orders/{ids.public('ord', order.pk)}").content.decode()
    for words in (
        "Broken",
        "Made good with",
        "Rider one-0",
        "Rider one-1",
        "chosen",
        "Payment came in",
        "Order completed",
        "Courier capacity taken at",
        "Ordered",
        "Late by",
    ):
        assert words in text, words


def test_overview_counts_and_puts_the_late_first(scene: Scene) -> None:
    answer = client_of(scene.owner).get("/console/")
    assert [one.number for one in answer.context["work"]] == ["CCC333", "DDD444"]
    assert answer.context["work"][0].risk == "late"
    points = client_of(scene.owner).get("/console/board/points.json").json()["points"]
    assert {point["kind"] for point in points} == {"store", "courier", "order"}
