"""The matrix: every caller at every route with every plot's things, in one process and one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.test import override_settings

from highstreet.kernel import clock
from highstreet.supply.organisations.reads import forget
from highstreet.trade.orders.tests.support import running_from

from . import forms
from .callers import CALLERS, Answer, Caller, everybody, undone
from .plots import PLOTS
from .routes import Route
from .world import World, build

# Addresses that are the same to all but a few kinds of caller are asked as one of each kind: the admin's, by hundreds,
# and the document, which takes long to make.
FEW = ("guest", "anna", "picker_a", "owner_a", "key_a", "root")
DOCUMENT = "/api/v1/openapi.json"
# The callers and plots of the fast variant: one of each kind, and from the other organisation one who may much; who
# has work at few addresses only is asked there.
FAST_CALLERS = frozenset({"guest", "anna", "picker_a", "support_a", "owner_b", "key_a1"})
FAST_AT = {"rider_a1": ("/courier/", "/api/v1/courier", "/api/v1/deliveries/"), "owner_f": ("/console/",)}
FAST_PLOTS = frozenset({"", "a1", "b"})
Cell = tuple[str, str, str]
SETTINGS = {
    # Guesses of passwords are hashed as well; the slow hash is for attackers, not for tests.
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    # The library's limits count a minute's requests of all callers together.
    "ACCOUNT_RATE_LIMITS": False,
    "STREAM_URL": "https://streams.example",
}


@dataclass
class Matrix:
    world: World
    callers: dict[str, Caller]


@contextmanager
def prepared() -> Iterator[Matrix]:
    """Everybody, and everybody's things, in a transaction that is undone. Refusals, by the thousand, are not logged.

    It is noon where the stores are: late in the evening nothing can be promised any more.
    """
    noon = clock.now().replace(hour=4, minute=0)
    logging.disable(logging.CRITICAL)
    try:
        with override_settings(**SETTINGS), running_from(noon), undone():
            world = build()
            yield Matrix(world, everybody(world))
    finally:
        logging.disable(logging.NOTSET)
        forget()


def plots_of(route: Route) -> tuple[str, ...]:
    return PLOTS if forms.concerns(route) else ("",)


def callers_of(route: Route) -> tuple[str, ...]:
    return FEW if route.admin or route.path == DOCUMENT else CALLERS


def fast(route: Route, plot: str, caller: str) -> bool:
    """Whether a cell is of the fast variant: no writes without a body, and of the admin one page a model."""
    if route.admin:
        return route.method == "GET" and caller in ("guest", "owner_a") and route.path.endswith("/change/")
    if route.method == "POST" and not route.api and route.name not in forms.BODIES:
        return False
    if caller == "guest" and plot == "b":
        return False
    there = caller in FAST_CALLERS or route.path.startswith(FAST_AT.get(caller, ("nowhere",)))
    return there and plot in FAST_PLOTS


def everything(route: Route, plot: str, caller: str) -> bool:
    return True


def ask(
    matrix: Matrix, routes: Iterable[Route], wanted: Callable[[Route, str, str], bool] = everything
) -> list[Answer]:
    """Ask the wanted cells."""
    asked = []
    for route in routes:
        for plot in plots_of(route):
            things = matrix.world.plots[plot or "a1"]
            address, sent = forms.target(route, things), forms.body(route, things)
            for name in callers_of(route):
                if wanted(route, plot, name):
                    asked.append(matrix.callers[name].ask(route, address, sent, plot=plot))
    return asked


def cells(answers: Iterable[Answer]) -> dict[Cell, str]:
    """(route, plot, caller) -> label."""
    return {(one.route.name, one.plot, one.caller): one.label for one in answers}
