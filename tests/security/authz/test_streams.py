"""G6 for the event streams: no page and no answer hands out a token for topics that are another's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pytest

from highstreet.delivery.couriers.models import Courier
from highstreet.kernel import streams
from highstreet.people.customers.models import Customer
from highstreet.trade.orders.models import Order
from highstreet.web.console.pages.frame import Scope
from tests.conftest import Add

from . import calls
from .callers import Answer
from .calls import Matrix
from .canaries import AT
from .routes import Route, every_route
from .world import CUSTOMERS, RIDERS, World

pytestmark = pytest.mark.django_db

# A long token is compressed, which a dot at its beginning says.
TOKEN = re.compile(r"/events\?token=([\w:.-]+)")
# Pages with live parts, and the API's own way to a token.
LIVE = (
    "/console/",
    "/console/orders/{order}",
    "/store/{store}/",
    "/store/{store}/orders/{order}",
    "/courier/",
    "/o/{ref}",
    "/o/{ref}/pay",
    "/api/v1/streams",
)
LISTENERS = {"anna", "rider_a1", "picker_a", "support_a", "owner_a", "owner_b", "owner_f", "root"}
WHOLE_CITY = ("support", "ally", "owner")


def may_hear(world: World) -> dict[str, frozenset[str]]:
    """Each topic with who may follow it. A city's has every store's orders and every courier's way through it."""
    found: dict[str, frozenset[str]] = {}
    for plot in world.plots.values():
        customer = Customer.objects.get(user=world.users[CUSTOMERS[plot.name]])
        staff = {name for name, at in AT.items() if plot.name in at}
        rider = Courier.objects.get(user=world.users[RIDERS[plot.name]])
        found |= {
            f"order:{order}": frozenset({CUSTOMERS[plot.name], *staff})
            for order in Order.objects.filter(customer=customer).values_list("pk", flat=True)
        }
        found[f"store:{plot.store.pk}"] = frozenset(staff)
        found[f"courier:{rider.pk}"] = frozenset({RIDERS[plot.name]})
        found[f"customer:{customer.pk}"] = frozenset({CUSTOMERS[plot.name]})
        letter = "b" if plot.name == "b" else "a"
        found[f"city:{plot.scene.city.pk}"] = frozenset(f"{title}_{letter}" for title in WHOLE_CITY)
    return found


def told(answers: Iterable[Answer]) -> Iterator[tuple[Answer, str]]:
    for answer in answers:
        for token in TOKEN.findall(answer.text):
            for topic in streams.topics_of(token):
                yield answer, topic


def overheard(matrix: Matrix, found: list[tuple[Answer, str]]) -> list[str]:
    allowed = may_hear(matrix.world)
    return [
        f"{answer.caller} may follow {topic} by {answer.asked[:100]}"
        for answer, topic in found
        if answer.caller not in allowed.get(topic, frozenset())
    ]


def ask(matrix: Matrix, live: tuple[str, ...] = LIVE) -> list[Answer]:
    routes = [Route(path, "GET") for path in live]
    assert set(routes) <= set(every_route())
    return calls.ask(matrix, routes, lambda route, plot, caller: plot in ("", "a1", "b") and caller in LISTENERS)


def test_no_token_is_for_anothers_topics(matrix: Matrix, row: Add) -> None:
    answers = ask(matrix)
    found = list(told(answers))
    wrong = overheard(matrix, found)
    row("G6", "topics of the streams' tokens", n=len(found), accepted=len(wrong), refused=len(answers))
    assert {topic.partition(":")[0] for _answer, topic in found} >= {"order", "store", "courier", "city", "customer"}
    assert wrong == []


def test_the_citys_topic_for_a_franchisee_is_caught(matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control, and the leak that there was: a franchisee's overview followed the whole city."""
    monkeypatch.setattr(Scope, "topics", property(lambda scope: [f"city:{scope.city.id}"]))
    assert any(line.startswith("owner_f") for line in overheard(matrix, list(told(ask(matrix, LIVE[:1])))))
