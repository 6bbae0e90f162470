"""W2: no unsafe request of a browser is taken without the page's token, on any route, by any method."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from highstreet.kernel import ids
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.people.accounts.actions import issue_token
from highstreet.people.accounts.models import User
from highstreet.trade.cart.models import Cart
from highstreet.web.console.tests.support import Scene, client_of
from tests.support.addresses import Address, addresses, one_model

from .conftest import root_client

pytestmark = pytest.mark.django_db
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
KINDS = ("application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x")


def unguarded(client: Client, found: list[Address], *, whole: bool) -> tuple[int, list[str]]:
    """Requests sent, and those that were not turned away for want of the token."""
    sent, open_routes = 0, []
    for address in found:
        for method in UNSAFE if whole else UNSAFE[:1]:
            for kind in KINDS[: 4 if whole else 1] if address.api else KINDS[2:3]:
                sent += 1
                answer = client.generic(method, address.path, b"{}", kind, headers={"Idempotency-Key": str(sent)})
                if not for_want_of_the_token(answer):
                    open_routes.append(f"{method} {address.path} {kind}: {answer.status_code}")
    return sent, open_routes


def for_want_of_the_token(answer: Any) -> bool:
    """And not for want of a permission, which is a 403 too."""
    if answer["Content-Type"] == "application/problem+json":
        return bool(answer.json()["type"] == "csrf")
    return answer.status_code == 403 and any(one.name == "403_csrf.html" for one in answer.templates)


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)])
def test_no_route_takes_a_session_without_the_token(scene: Scene, whole: bool, row: Any) -> None:
    """Of the admin's models the fast run has one; they share their seven routes, and POST stands for the others."""
    found = addresses() if whole else one_model(addresses())
    sent, open_routes = unguarded(root_client(enforce_csrf_checks=True), found, whole=whole)
    assert open_routes == [], "\n".join(open_routes[:30])
    assert len(found) > 170
    row("W2", f"{len(found)} routes × unsafe methods, a session without the token", n=sent, accepted=0, refused=sent)


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)])
def test_the_cart_of_a_browser_is_no_proof_either(scene: Scene, whole: bool, row: Any) -> None:
    """Guests have a cookie too: their cart's, which pays and cancels."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.cookies["cart"] = a_cart(scene).key
    sent, open_routes = unguarded(client, [one for one in addresses() if one.api], whole=whole)
    assert open_routes == [], "\n".join(open_routes[:30])
    row("W2", "the API's routes, a guest's cart cookie without the token", n=sent, accepted=0, refused=sent)


def test_without_the_guard_the_api_takes_cookies(scene: Scene, settings: Any) -> None:
    """The control: the framework's views are exempt from Django's check, so ours is what refuses."""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != "highstreet.web.csrf.ApiCookies"]
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.cookies["cart"] = a_cart(scene).key
    answer = client.post(
        "/api/v1/carts", {"city": scene.city.code}, "application/json", headers={"Idempotency-Key": "a"}
    )
    assert answer.status_code == 201


def test_whoever_cannot_be_sent_by_another_site_needs_no_token(scene: Scene) -> None:
    """A bearer token, a cart's key in its header, nobody at all; and a page of ours with its token."""
    body = ({"city": scene.city.code}, "application/json")
    token = issue_token(actor=THE_SYSTEM, user_id=User.objects.get(username="owner-one").pk)
    cart = a_cart(scene).key
    for number, headers in enumerate([{}, {"Authorization": f"Bearer {token}"}, {"X-Cart-Key": cart}]):
        client = Client(enforce_csrf_checks=True)
        if headers:
            client.cookies["cart"] = cart
        key = {"Idempotency-Key": f"k{number}"}
        assert client.post("/api/v1/carts", *body, headers={**key, **headers}).status_code == 201, headers
    client = Client(enforce_csrf_checks=True)
    client.cookies["cart"] = cart
    client.get("/accounts/login/")
    right = {"X-CSRFToken": client.cookies[django_settings.CSRF_COOKIE_NAME].value, "Idempotency-Key": "k9"}
    assert client.post("/api/v1/carts", *body, headers=right).status_code == 201
    wrong = {**right, "X-CSRFToken": "x" * 32}
    assert client.post("/api/v1/carts", *body, headers=wrong).status_code == 403


def test_the_token_of_another_page_is_not_taken(scene: Scene) -> None:
    """With the right one the same form is worked on."""
    client = client_of(User.objects.get(username="owner-one"))
    client.handler.enforce_csrf_checks = True
    client.get("/console/people/hire")
    right = client.cookies[django_settings.CSRF_COOKIE_NAME].value
    for token, statuses in (("", {403}), ("y" * 64, {403}), (right, {200, 302, 303, 422})):
        answer = client.post("/console/people/hire", {"csrfmiddlewaretoken": token})
        assert answer.status_code in statuses, (token, answer.status_code)


def a_cart(scene: Scene) -> Cart:
    from highstreet.kernel import clock

    return Cart.objects.create(key=ids.random_token(32), city=scene.city, changed_at=clock.now())
