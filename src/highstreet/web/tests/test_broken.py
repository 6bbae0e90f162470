"""A database that is away is nobody's mistake: 503 with Retry-After. Everything else that breaks is a 500."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from highstreet.kernel import ids
from highstreet.supply.organisations import reads as organisations
from highstreet.trade.cart.rules import KEY_LENGTH

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """A page that still knows which cities there are does not ask the database."""
    organisations.forget()


def raising(error: Exception) -> Any:
    def execute(*_: Any) -> Any:
        raise error

    return execute


CART = f"/api/v1/carts/{ids.random_token(KEY_LENGTH)}"
PRODUCT = f"/api/v1/products/{ids.public('prd', ids.new_id())}?lat=-30.03&lon=-51.22"


@pytest.mark.parametrize("path", [CART, PRODUCT, "/"], ids=["cart", "product", "home"])
def test_without_a_database(path: str) -> None:
    http = Client(raise_request_exception=False)
    with connection.execute_wrapper(raising(OperationalError("the server closed the connection"))):
        answer = http.get(path)
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    if path.startswith("/api/"):
        assert answer.json()["type"] == "busy"


def test_what_else_breaks_is_a_mistake_of_ours() -> None:
    with connection.execute_wrapper(raising(ZeroDivisionError())):
        assert Client(raise_request_exception=False).get("/").status_code == 500
