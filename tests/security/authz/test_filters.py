"""A3: whatever is filtered, sorted, paged or searched for, nobody gets more than what is theirs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from highstreet.kernel import clock, ids, paging
from highstreet.trade.orders.models import OrderQuerySet
from tests.conftest import Add

from . import canaries, forms, table
from .callers import CALLERS, Answer
from .calls import Matrix, plots_of
from .routes import Route, every_route, operations

pytestmark = pytest.mark.django_db

SEED = 20261126
# What pages read from their addresses; the API says it in its document.
PAGES: dict[str, tuple[str, ...]] = {
    "/console/": ("part",),
    "/console/orders": ("q", "status", "store", "from", "limit"),
    "/console/jump": ("q",),
    "/console/catalogue": ("q", "category", "from"),
    "/console/stock": ("q", "category", "store", "from"),
    "/console/promises": ("from", "to"),
    "/console/tower": ("city", "store", "show"),
    "/console/tower/board.json": ("city",),
    "/console/tower/orders/{order}": ("part",),
    "/console/peaks": ("city", "day", "store"),
    "/console/replays": ("city",),
    "/console/replays/{replay}": ("part",),
    "/console/ledger": ("from", "q"),
    "/console/ledger/journals": ("from", "q"),
    "/console/ledger/accounts/{account}": ("from",),
    "/console/alerts": ("from", "q"),
    "/console/people": ("q", "from"),
    "/console/integrations": ("from",),
    "/store/{store}/": ("part",),
    "/store/{store}/find": ("q",),
    "/store/{store}/orders/{order}": ("part",),
    "/store/{store}/stock": ("q", "from"),
    "/store/{store}/figures": ("day",),
    "/store/{store}/collect": ("code",),
    "/orders": ("from", "q", "key"),
    "/search": ("q", "from", "group"),
    "/browse": ("group", "from"),
    "/me": ("next",),
    "/o/{ref}": ("part", "key"),
}
# Names that other platforms widen a query by; here they must mean nothing.
WIDER = (
    "organisation",
    "organisation_id",
    "store_id",
    "store__organisation",
    "customer",
    "expand",
    "include",
    "fields",
)
WIDENED = ("sort", "order_by", "ordering", "all", "scope", "user", "admin", "debug", "format", "page_size", "offset")


def listings() -> list[tuple[Route, tuple[str, ...]]]:
    """Every GET with the parameters of its query."""
    found = []
    described = operations()
    for route in every_route():
        if route.method != "GET" or route.admin:
            continue
        names = PAGES.get(route.path, ())
        if route in described:
            known = described[route].get("parameters", ())
            names = tuple(one["name"] for one in known if one["in"] == "query")
        if names:
            found.append((route, names))
    return found


def queries(matrix: Matrix, count: int, seed: int, routes: list[tuple[Route, tuple[str, ...]]]) -> Iterator[Answer]:
    """`count` random queries by random callers whom the table lets in, about their own things, with others' values."""
    chance, known = random.Random(seed), table.read()
    every = [value for plot in matrix.world.plots.values() for value in forms.values(plot).values()]
    every += [text[-4:] for text in every] + [f"1380000{n}{n}77" for n in range(1, 5)]
    every += ["%", "_", "' OR 1=1 --", "*", "-1", "0", "100", "100000", "open", "completed", "milk", "kanari", "true"]
    every += [paging.cursor(clock.now(), ids.new_id()), "2020-01-01", "2099-12-31T00:00:00Z", "part=work", "list"]
    while count:
        route, names = chance.choice(routes)
        plot = chance.choice(plots_of(route))
        may = [who for who in CALLERS if known.get((route.name, plot, who)) in ("200", "302", "422") and who != "root"]
        if not may:
            continue
        count -= 1
        asked = [(name, chance.choice(every)) for name in names if chance.random() < 0.7]
        asked += [(chance.choice(WIDER + WIDENED), chance.choice(every)) for _ in range(chance.randrange(3))]
        address = forms.target(route, matrix.world.plots[plot or "a1"])
        glue = "&" if "?" in address else "?"
        yield matrix.callers[chance.choice(may)].ask(route, f"{address}{glue}{urlencode(asked)}", plot=plot)


@pytest.mark.parametrize("count", [150, pytest.param(2000, marks=[pytest.mark.long, pytest.mark.timeout(900)])])
def test_no_query_finds_what_is_anothers(matrix: Matrix, row: Add, count: int) -> None:
    lists = listings()
    answers = list(queries(matrix, count, SEED, lists))
    seen = canaries.of_world(matrix.world, matrix.callers).sightings(answers)
    broken = [one.asked for one in answers if one.label.startswith("5")]
    found = sum(one.label == "200" for one in answers)
    row(
        "A3",
        f"random queries over {len(lists)} lists",
        n=count,
        accepted=found,
        refused=count - found,
        invariants=f"{len(seen)} of another's",
        seed=SEED,
    )
    assert len(lists) >= 25
    assert found > count // 3
    assert broken == []
    assert seen == [], "\n".join(map(str, seen[:20]))


def test_a_query_that_is_wider_than_its_owner_is_caught(matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: orders are everybody's."""
    monkeypatch.setattr(OrderQuerySet, "visible_to", lambda self, actor: self)
    orders = [one for one in listings() if one[0].path in ("/console/orders", "/console/jump")]
    aviary = canaries.of_world(matrix.world, matrix.callers)
    assert any(aviary.sightings([answer]) for answer in queries(matrix, 300, SEED, orders))
