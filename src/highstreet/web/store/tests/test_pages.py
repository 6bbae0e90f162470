"""Every page of the store app, in both languages, for the right people, within its budget of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client

from highstreet.kernel import ids
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.trade.fulfilment import actions
from highstreet.trade.fulfilment import reads as fulfilments

from . import world
from .world import World

pytestmark = pytest.mark.django_db

# What one look at a page may ask of the database, the signed-in user included.
BUDGET = {
    "": 7,
    "/collect": 5,
    "/stock": 7,
    "/stock/{variant}": 8,
    "/figures": 8,
    "/pause": 5,
    "/find?q=zz": 7,
    "/orders/{order}": 8,
    "/orders/{order}/reject": 8,
    "/orders/{order}/print": 8,
    "/orders/{order}/lines/{line}": 9,
}


@dataclass
class Street:
    world: World
    order: UUID
    base: str
    other_base: str
    names: dict[str, str]

    def url(self, pattern: str, base: str = "") -> str:
        return (base or self.base) + pattern.format(**self.names)


@pytest.fixture
def street() -> Street:
    made = world.build()
    order = world.order(made, substitution="ask")
    actions.accept(actor=THE_SYSTEM, fulfilment_id=order)
    line = fulfilments.detail(THE_SYSTEM, order).lines[0]
    names = {
        "order": ids.public("ful", order),
        "line": ids.public("lin", line.id),
        "variant": ids.public("var", line.variant_id),
    }
    return Street(
        made, order, f"/store/{ids.public('str', made.store.pk)}", f"/store/{ids.public('str', made.other.pk)}", names
    )


def look(client: Client, url: str, language: str) -> tuple[int, str]:
    response = client.get(url if "?" in url or url.count("/") > 2 else f"{url}/", headers={"accept-language": language})
    return response.status_code, response.content.decode()


@pytest.mark.parametrize("pattern", BUDGET)
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_page_in_both_languages(street: Street, pattern: str, language: str) -> None:
    client = world.person(street.world, "store_manager", store=street.world.store)
    status, text = look(client, street.url(pattern), language)
    assert status == 200
    assert ("<h1>" in text or "<h1 " in text) and f'lang="{"zh-Hans" if language == "zh-CN" else "en"}"' in text
    assert ("订单" in text) == (language == "zh-CN")
    assert "style=" not in text and "<script>" not in text


@pytest.mark.parametrize("pattern", BUDGET)
def test_page_of_another_store_does_not_exist(street: Street, pattern: str) -> None:
    stranger = world.person(street.world, "store_manager", store=street.world.other)
    assert look(stranger, street.url(pattern), "en")[0] == 404
    if "{order}" in pattern:
        assert look(stranger, street.url(pattern, street.other_base), "en")[0] == 404


@pytest.mark.parametrize(
    "pattern",
    [
        "/orders/{order}/accept",
        "/orders/{order}/scan",
        "/orders/{order}/pack",
        "/orders/{order}/hand-over",
        "/orders/{order}/reject",
        "/orders/{order}/lines/{line}",
        "/orders/{order}/lines/{line}/substitute",
        "/stock/{variant}/adjust",
        "/pause",
    ],
)
def test_form_of_another_store_does_not_exist(street: Street, pattern: str) -> None:
    stranger = world.person(street.world, "store_manager", store=street.world.other)
    for base in (street.base, *([street.other_base] if "{order}" in pattern else [])):
        form = {"reason": "other", "units": "1", "code": "1", "minutes": "15"}
        assert stranger.post(street.url(pattern, base), form).status_code == 404
    assert fulfilments.detail(THE_SYSTEM, street.order).status == "accepted"


@pytest.mark.parametrize("pattern", BUDGET)
def test_query_budget(street: Street, pattern: str, django_assert_max_num_queries: object) -> None:
    client = world.person(street.world, "store_manager", store=street.world.store)
    url = street.url(pattern) or street.base
    client.get(url + ("/" if not pattern else ""))
    with django_assert_max_num_queries(BUDGET[pattern]):  # type: ignore[operator]
        client.get(url + ("/" if not pattern else ""))


def test_queue_asks_the_same_of_ten_times_the_orders(street: Street, django_assert_num_queries: object) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = world.person(street.world, "store_manager", store=street.world.store)
    client.get(f"{street.base}/")
    with CaptureQueriesContext(connection) as few:
        client.get(f"{street.base}/")
    for index in range(10):
        world.order(street.world, due_in=timedelta(minutes=index))
    with CaptureQueriesContext(connection) as many:
        client.get(f"{street.base}/")
    assert len(many) == len(few)


def test_who_may_come_in(street: Street) -> None:
    assert Client().get(f"{street.base}/").status_code == 302
    picker = world.person(street.world, "picker", store=street.world.store)
    assert picker.get(f"{street.base}/").status_code == 200
    assert picker.get(f"{street.base}/figures").status_code == 403
    assert picker.get(f"{street.base}/pause").status_code == 403
    variant = street.url("/stock/{variant}/adjust")
    assert picker.post(variant, {"way": "more", "units": "5", "reason": "found"}).status_code == 403
    support = world.person(street.world, "support")
    assert support.get(f"{street.base}/").status_code == 403


def test_home_goes_to_the_only_store_and_lets_managers_of_all_choose(street: Street) -> None:
    one = world.person(street.world, "picker", store=street.world.store)
    assert one.get("/store/")["Location"] == f"{street.base}/"
    everywhere = world.person(street.world, "owner")
    text = everywhere.get("/store/").content.decode()
    assert street.base in text and street.other_base in text
    assert everywhere.get(f"{street.other_base}/").status_code == 200


@pytest.mark.parametrize("text", ["str_", "str_" + 26 * "z", "ful_" + 26 * "0", "1"])
def test_what_is_no_address_does_not_exist(street: Street, text: str) -> None:
    client = world.person(street.world, "owner")
    assert client.get(f"/store/{text}/").status_code == 404
    assert client.get(f"{street.base}/orders/{text}").status_code == 404
    assert client.get(f"{street.base}/stock/{text}").status_code == 404
