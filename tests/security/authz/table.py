"""The expected table: one line a route and plot, one column a caller, the status that each gets.

It is read by people: `git diff` of it is the review of a change in who may do what. An empty cell is not asked.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from .callers import CALLERS, OUT
from .calls import Cell, callers_of, plots_of
from .forms import concerns
from .routes import Route

FILE = Path(__file__).parent / "expected.tsv"
HEAD = ("route", "things of", *CALLERS)
HOW = (
    "write its line with `.venv/bin/python -m tests.security.authz.write_table missing`, "
    "read the diff of tests/security/authz/expected.tsv as a reviewer, and commit it (docs/authorisation.md)"
)


def read(file: Path = FILE) -> dict[Cell, str]:
    with file.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text, delimiter="\t"))
    return {
        (row["route"], row["things of"].strip("-"), caller): row[caller]
        for row in rows
        for caller in CALLERS
        if row[caller]
    }


def write(cells: dict[Cell, str], file: Path = FILE) -> None:
    lines = sorted({cell[:2] for cell in cells}, key=lambda line: (line[0].partition(" ")[::-1], line[1]))
    with file.open("w", encoding="utf-8", newline="") as text:
        out = csv.writer(text, delimiter="\t", lineterminator="\n")
        out.writerow(HEAD)
        for route, plot in lines:
            out.writerow([route, plot or "-", *(cells.get((route, plot, caller), "") for caller in CALLERS)])


def missing(routes: Iterable[Route], known: dict[Cell, str]) -> list[str]:
    """Routes and plots without a full line in the table."""
    return [
        f"{route.name} [{plot or '-'}] is not in the table: {HOW}"
        for route in routes
        for plot in plots_of(route)
        if not all((route.name, plot, caller) in known for caller in callers_of(route))
    ]


def gone(routes: Iterable[Route], known: dict[Cell, str]) -> list[str]:
    """Lines of routes that are there no more."""
    there = {(route.name, plot) for route in routes for plot in plots_of(route)}
    return sorted({f"{line[0]} [{line[1]}]" for line in known if line[:2] not in there})


def mismatches(answered: dict[Cell, str], known: dict[Cell, str]) -> list[str]:
    """Where an answer is not the table's."""
    return [
        f"{caller} at {route} with {plot or 'nobody'}'s: {label}, the table says {known.get((route, plot, caller))}"
        for (route, plot, caller), label in sorted(answered.items())
        if known.get((route, plot, caller)) != label
    ]


# Who belongs to none of the owners of a plot: whoever is let in to what names its things is a leak, unless the route
# is everybody's (`OPEN`: shelves, products, cities), or what is sent along is itself the proof (a cart's key).
STRANGERS: dict[str, frozenset[str]] = {
    "a1": frozenset({"ben", "bea", "rider_b", "picker_b", "manager_b", "support_b", "ally_b", "owner_b", "key_b"}),
    "a2": frozenset({"anna", "bea", "rider_b", "picker_a", "picker_b", "owner_b", "owner_f", "key_a1", "key_b"}),
    "f": frozenset(
        {"anna", "ben", "bea", "rider_b", "picker_a", "manager_a", "picker_b", "owner_b", "key_a1", "key_b"}
    ),
    "b": frozenset({"anna", "ben", "rider_a1", "picker_a", "manager_a", "support_a", "ally_a", "owner_a", "owner_f"}),
}
OPEN = (
    "/api/v1/cities/",
    "/api/v1/stores/",
    "/api/v1/products/",
    "/api/v1/carts",
    "/api/v1/quotes",
    "POST /api/v1/orders",
    "POST /api/v1/checkout",
    "/p/",
    "/place",
    "/cart/lines",
    "/console/catalogue/",
    # 422 by name for a store that is not among the choices.
    "POST /console/people/hire",
    "/console/ledger/accounts/",
)


def strangers_let_in(routes: Iterable[Route], known: dict[Cell, str]) -> list[str]:
    """The cells of the table that let somebody in who has nothing to do with the things: a review that never tires."""
    found = []
    for route in routes:
        if not concerns(route) or any(route.path.startswith(one) or route.name == one for one in OPEN):
            continue
        for plot, strangers in STRANGERS.items():
            found += [
                f"{caller} is let in at {route.name} with {plot}'s things: {known[route.name, plot, caller]}"
                for caller in sorted(strangers)
                if lets_in(route, known.get((route.name, plot, caller), "404"))
            ]
    return found


def lets_in(route: Route, label: str) -> bool:
    """A GET that only leads elsewhere tells nothing, writes nothing, and where it leads is a line of its own."""
    return label not in OUT and not (route.method == "GET" and label in ("302", "303"))
