"""A1, A4, A5 and G6: who gets what of whose, at every route; and that no answer has what its caller may not read.

The expected table is expected.tsv, in git. These tests compare and never write it (docs/authorisation.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.urls import reverse

from highstreet.kernel import policy
from highstreet.kernel.privacy import Person
from highstreet.people.customers.models import Customer
from highstreet.trade.orders.admin import OrderAdmin
from highstreet.trade.orders.models import Order, OrderQuerySet
from highstreet.trade.orders.reads.keys import OrderKeys
from highstreet.trade.payments.models import Alert, AlertQuerySet
from tests.conftest import Add

from . import calls, canaries, forms, table, write_table
from .callers import Answer, undone
from .calls import Matrix
from .routes import Route, every_route
from .table import STRANGERS

pytestmark = pytest.mark.django_db

# What a GET may write: when a key was last used, whose session it is, and that a code was guessed.
KEPT = {"kernel_guess", "partners_apikey", "django_session", "accounts_user", "axes_accesslog"}
# Secondary pages: paper, files, histories, previews, parts of pages, things to look up.
SECONDARY = (
    "print",
    "history",
    "download",
    "export",
    "preview",
    ".json",
    ".svg",
    "find",
    "jump",
    "figures",
    "sendings",
)
# A guest's copy is of what this browser itself holds, signed; without its cookies, of nothing.
OWN_COPY = "GET /me/data/export"
PUBLIC_FILES = ("/api/v1/openapi.json", "/place/map.svg")


@pytest.fixture(
    scope="module",
    params=["fast", pytest.param("all", marks=[pytest.mark.long, pytest.mark.timeout(3600)])],
)
def asked(request: pytest.FixtureRequest, matrix: Matrix, django_db_blocker: Any) -> Iterator[list[Answer]]:
    """The matrix's answers: one caller of each kind, or everybody."""
    with django_db_blocker.unblock():
        yield calls.ask(matrix, every_route(), calls.fast if request.param == "fast" else calls.everything)


@pytest.fixture(scope="module")
def sighted(asked: list[Answer], matrix: Matrix, django_db_blocker: Any) -> list[canaries.Sighting]:
    """What the answers have that their callers may not read; looked for once."""
    with django_db_blocker.unblock():
        return canaries.of_world(matrix.world, matrix.callers).sightings(asked)


def named(*names: str) -> list[Route]:
    found = [route for route in every_route() if route.name in names]
    assert len(found) == len(names)
    return found


def test_every_route_is_in_the_table() -> None:
    routes, known = every_route(), table.read()
    assert table.missing(routes, known) == []
    assert table.gone(routes, known) == []


def test_a_route_that_is_not_in_the_table_is_told_what_to_do() -> None:
    """The negative control."""
    new = Route("/store/{store}/new-page", "GET")
    problems = table.missing([new], table.read())
    assert len(problems) == 4 and "authz.write_table missing" in problems[0]
    with pytest.raises(forms.Unknown, match="PARAMETERS"):
        forms.target(Route("/console/{thing}/x", "GET"), _no_plot())


def test_the_command_writes_what_is_missing_and_nothing_else(
    matrix: Matrix, tmp_path: Path, django_db_blocker: Any
) -> None:
    known, short = table.read(), tmp_path / "expected.tsv"
    kept = {cell: label for cell, label in known.items() if cell[0] != "GET /api/v1/partners/keys"}
    table.write(kept | {("GET /api/v1/gone", "", "guest"): "200"}, short)
    with django_db_blocker.unblock():
        write_table.missing_lines(matrix, short)
    assert len(kept) < len(known) and short.read_text() == table.FILE.read_text()


def _no_plot() -> Any:
    class Nothing:
        values: dict[str, str] = {}
        marks: dict[str, str] = {}

    return Nothing()


def test_the_table_lets_no_stranger_in() -> None:
    assert table.strangers_let_in(every_route(), table.read()) == []


def test_a_stranger_in_the_table_is_seen() -> None:
    """The negative control: one wrong cell, as a careless regeneration would write it."""
    wrong = table.read()
    wrong["GET /console/orders/{order}", "b", "support_a"] = "200"
    assert len(table.strangers_let_in(every_route(), wrong)) == 1


def test_everybody_gets_what_the_table_says(asked: list[Answer], row: Add) -> None:
    found = calls.cells(asked)
    wrong = table.mismatches(found, table.read())
    let_in = sum(one.in_ for one in asked)
    row(
        "A1",
        f"{len({one.route for one in asked})} routes × callers × things",
        n=len(asked),
        accepted=let_in,
        refused=len(asked) - let_in,
        invariants=f"{len(wrong)} mismatches",
    )
    assert wrong == [], "\n".join([*wrong[:60], f"If that is meant, {table.HOW}"])


def test_no_answer_is_a_fault(asked: list[Answer]) -> None:
    """503 is an answer where no payment provider is configured; nothing else from 500 on is."""
    broken = [f"{one.caller} {one.asked[:160]}: {one.label}" for one in asked if one.label.startswith("5")]
    assert [text for text in broken if not text.endswith(": 503")] == []


def test_looking_changes_nothing(asked: list[Answer], row: Add) -> None:
    """No GET writes: what it did would be done by a link in a mail, with the reader's session."""
    looked = [one for one in asked if one.route.method == "GET"]
    wrote = sorted({f"{one.route.name}: {table}" for one in looked for table in one.wrote - KEPT})
    row("A1", "GET changes nothing", n=len(looked), accepted=0, refused=len(looked), invariants=f"{len(wrote)} wrote")
    assert wrote == []


def test_a_get_that_writes_is_seen(matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control."""
    monkeypatch.setattr("highstreet.web.console.pages.books.payment_reads.alerts", lambda actor: _close_all())
    answers = calls.ask(matrix, named("GET /console/alerts"), calls.fast)
    assert any("payments_alert" in one.wrote for one in answers)


def _close_all() -> list[Any]:
    Alert.objects.update(kind="seen")
    return []


def test_a_loosened_route_is_caught(matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: no route asks for its permission any more, or orders are everybody's."""
    routes = named("GET /console/ledger", "GET /console/people", "GET /console/orders/{order}", "GET /api/v1/orders")
    with monkeypatch.context() as loose:
        loose.setattr(policy, "require", lambda actor, permission: None)
        assert table.mismatches(calls.cells(calls.ask(matrix, routes, calls.fast)), table.read())
    with monkeypatch.context() as loose:
        loose.setattr(OrderQuerySet, "visible_to", lambda self, actor: self)
        answers = calls.ask(matrix, routes, calls.fast)
    wrong = table.mismatches(calls.cells(answers), table.read())
    assert any(line.startswith("support_a at GET /console/orders/{order} with b's: 200") for line in wrong), wrong
    assert canaries.of_world(matrix.world, matrix.callers).sightings(answers)


def test_nobody_reads_what_is_anothers(
    asked: list[Answer], sighted: list[canaries.Sighting], matrix: Matrix, row: Add
) -> None:
    """G6: the marks of one city, organisation, store or customer are in no answer to another's."""
    aviary = canaries.of_world(matrix.world, matrix.callers)
    marks = [text for text, bird in aviary.birds.items() if not bird.secret]
    seen = [one for one in sighted if not one.canary.secret]
    row("G6", f"{len(marks)} marks in every answer", n=len(asked), accepted=len(seen), refused=len(asked))
    assert seen == [], "\n".join(sorted({str(one) for one in seen})[:40])


def test_an_alert_of_another_city_would_be_seen(matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control, and the leak that there was: alerts of all organisations in everybody's list."""
    monkeypatch.setattr(AlertQuerySet, "visible_to", lambda self, actor: self)
    answers = calls.ask(matrix, named("GET /console/alerts"), calls.fast)
    seen = canaries.of_world(matrix.world, matrix.callers).sightings(answers)
    assert {("owner_b", "a1's trade"), ("support_a", "b's trade")} <= {(s.answer.caller, s.canary.what) for s in seen}


def in_the_admin(matrix: Matrix, models: Iterable[type[Model]]) -> list[Answer]:
    """The superuser at the list of every model and at the first record of each."""
    found = []
    for model in models:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        addresses = [reverse(f"{name}_changelist")]
        addresses += [reverse(f"{name}_change", args=[one.pk]) for one in model._default_manager.all()[:1]]
        found += [matrix.callers["root"].ask(Route(address, "GET"), address) for address in addresses]
    return found


def test_secrets_are_in_no_answer(
    asked: list[Answer], sighted: list[canaries.Sighting], matrix: Matrix, row: Add
) -> None:
    """A5: what opens something stands in no answer of the matrix, nor in the admin."""
    aviary = canaries.of_world(matrix.world, matrix.callers)
    managed = in_the_admin(matrix, admin.site._registry)
    answers = [*asked, *managed]
    seen = [one for one in [*sighted, *aviary.sightings(managed)] if one.canary.secret]
    secrets = sum(bird.secret for bird in aviary.birds.values())
    row(
        "A5",
        f"{secrets} secrets in every answer and the admin",
        n=len(answers),
        accepted=len(seen),
        refused=len(answers),
    )
    assert seen == [], "\n".join(sorted({str(one) for one in seen})[:40])


def test_a_secret_in_the_admin_would_be_seen(matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the guest's key of an order, shown to the superuser."""
    monkeypatch.setattr(OrderAdmin, "exclude", ())
    seen = canaries.of_world(matrix.world, matrix.callers).sightings(in_the_admin(matrix, [Order]))
    assert any("secret key-" in one.canary.what for one in seen)


def test_secondary_pages_are_closed_to_strangers(matrix: Matrix, row: Add) -> None:
    """A4: paper, files, histories, parts: without a session, with another's, and with a key."""
    routes = [
        route
        for route in every_route()
        if route.method == "GET"
        and route.path not in PUBLIC_FILES
        and route.name != OWN_COPY
        and any(word in route.path.removeprefix("/api/v1") for word in SECONDARY)
    ]

    def stranger(route: Route, plot: str, caller: str) -> bool:
        return plot in calls.FAST_PLOTS and (
            caller in ("guest", "anna", "rider_b") or caller in STRANGERS.get(plot, ())
        )

    answers = calls.ask(matrix, routes, stranger)
    # Who asks the console what is his own stands beside who asks for another's: only the latter is a stranger.
    let_in = [one for one in answers if one.in_ and (one.plot or one.caller in ("guest", "anna", "rider_b"))]
    row(
        "A4",
        f"{len(routes)} downloads, prints, histories and parts by strangers",
        n=len(answers),
        accepted=len(let_in),
        refused=len(answers) - len(let_in),
    )
    assert len(routes) >= 50
    assert [f"{one.caller} {one.asked[:120]}: {one.label}" for one in let_in] == []


def test_a_copy_is_of_ones_own_things_only(matrix: Matrix, row: Add) -> None:
    """A4: the copy of everything, which everybody may ask for, has the asker's own in it and nothing of another's."""
    copies = calls.ask(matrix, named(OWN_COPY))
    seen = canaries.of_world(matrix.world, matrix.callers).sightings(copies)
    row("A4", "copies of one's own data", n=len(copies), accepted=len(seen), refused=len(copies) - len(seen))
    assert {one.caller for one in copies if "kanari-a1-home" in one.text} == {"anna"}
    assert [one.caller for one in copies if one.caller in ("guest", "key_a") and "kanari" in one.text] == []
    assert seen == []


def test_a_copy_of_anothers_things_is_caught(matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: everybody's copy is of one customer."""
    user = matrix.world.users["anna"]
    anna = Person((Customer.objects.get(user=user).pk,), (user.pk,))
    monkeypatch.setattr("highstreet.web.shop.pages.data.reads.person_of", lambda *who: anna)
    seen = canaries.of_world(matrix.world, matrix.callers).sightings(calls.ask(matrix, named(OWN_COPY)))
    assert {"guest", "ben", "owner_b"} <= {one.answer.caller for one in seen}


SERVED = ("POST /api/v1/privacy/exports", "POST /api/v1/privacy/erasures")


def of_who_bought_elsewhere(matrix: Matrix) -> list[Answer]:
    """A's support asked for the customer of `a1`, who has bought at B as well, and for the one of `a2`, who has not."""
    anna = Customer.objects.get(user=matrix.world.users["anna"])
    with undone():
        Order.objects.filter(number=matrix.world.plots["b"].marks["number-done"]).update(customer=anna)
        return calls.ask(matrix, named(*SERVED), lambda route, plot, who: plot in ("a1", "a2") and who == "support_a")


def test_support_serves_nobody_who_bought_elsewhere(matrix: Matrix) -> None:
    """G6: a copy or an erasure by one retailer's support would be of another's orders as well."""
    answers = of_who_bought_elsewhere(matrix)
    refused = {(one.route.name, one.plot) for one in answers if "bought_elsewhere" in one.text}
    assert refused == {(name, "a1") for name in SERVED}
    assert [one.label for one in answers if one.route.name == SERVED[0]] == ["409", "200"]
    assert not canaries.of_world(matrix.world, matrix.callers).sightings(answers)


def test_a_copy_of_another_retailers_orders_is_caught(matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control, and the leak that there was."""
    monkeypatch.setattr(OrderKeys, "all_seen", lambda self, actor, customer: True)
    seen = canaries.of_world(matrix.world, matrix.callers).sightings(of_who_bought_elsewhere(matrix))
    assert any(one.canary.what == "b's address-done" for one in seen)


def test_an_open_print_page_is_caught(matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the pick list on paper, without asking whose it is."""
    from highstreet.supply.stores import reads as stores
    from highstreet.trade.fulfilment.models import FulfilmentQuerySet

    monkeypatch.setattr(FulfilmentQuerySet, "visible_to", lambda self, actor: self)
    monkeypatch.setattr(stores, "must_work_at", lambda actor, store_id: stores.store(store_id))
    answers = calls.ask(matrix, named("GET /store/{store}/orders/{order}/print"), calls.fast)
    assert any(one.in_ and one.caller == "picker_a" and one.plot == "b" for one in answers)
