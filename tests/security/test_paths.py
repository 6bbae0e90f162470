"""W5: fifty ways to climb out of a folder, on static files and in every parameter of every path."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from highstreet.web.console.tests.support import Scene, an_order, client_of
from tests.conftest import Add
from tests.support.addresses import addresses, one_model
from tests.support.stack import Stack

from .conftest import root_client

UPS = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "..\\", "....//", "..;/", "%252e%252e%252f", "..%c0%af")
GOALS = ("etc/passwd", "settings.py", "proc/self/environ", ".env", "var/secret")
CLIMBS = [up * 8 + goal for up in UPS for goal in GOALS]
MORE = ("/etc/passwd", "//etc/passwd", "file:///etc/passwd", "C:%5cWindows%5cwin.ini", "%00", "x%00.js", ".git/config")
LEAKS = (b"root:", b"SECRET_KEY", b"DJANGO_SETTINGS", b"HIGHSTREET_", b"[core]")


def asked(connection: http.client.HTTPConnection, path: str) -> tuple[int, bytes]:
    """As it stands: no client of ours straightens the path first."""
    connection.putrequest("GET", path, skip_accept_encoding=True)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.read()


@pytest.fixture(scope="module")
def connection() -> Iterator[http.client.HTTPConnection]:
    with Stack(["web"]) as stack:
        made = http.client.HTTPConnection(urlsplit(stack.url).netloc, timeout=30)
        yield made
        made.close()


def test_no_file_outside_is_served(connection: http.client.HTTPConnection, row: Add) -> None:
    """On a running server, byte for byte. Redirects are of admin's own (a missing slash), into the site."""
    roots = ("/static/", "/static/ui/", "/static/ui/../", "/media/", "/", "/i18n/", "/store/", "/api/v1/")
    wrong, sent = [], 0
    for root in roots:
        for climb in (*CLIMBS, *MORE):
            sent += 1
            status, body = asked(connection, f"{root}{climb}".replace(" ", "%20"))
            if status not in (400, 404, 422) or any(leak in body for leak in LEAKS):
                wrong.append(f"{root}{climb}: {status} {body[:60]!r}")
    assert wrong == [], "\n".join(wrong[:30])
    assert asked(connection, "/static/ui/app.js")[0] == 200
    row("W5", "paths out of the static and other folders, on a running server", n=sent, accepted=0, refused=sent)


@pytest.mark.django_db
@pytest.mark.parametrize("each", [1, pytest.param(len(CLIMBS), marks=pytest.mark.long)])
def test_no_parameter_of_a_path_climbs(scene: Scene, each: int, row: Add) -> None:
    """Every parameter of the URLconf; the fast run tries some of the forms on each, all of them over all."""
    an_order(scene)
    owner, root, guest = client_of(scene.owner), root_client(), Client()
    for client in (owner, guest):
        client.raise_request_exception = False
    wrong, sent = [], 0
    known: dict[str, Any] = {"code": "dairy", "store": "one-0"}
    places = [(address, name) for address in one_model(addresses(known)) for name in address.names]
    for number, (address, name) in enumerate(places):
        client = root if address.path.startswith("/admin/") else guest if address.api else owner
        for step in range(each):
            climb = CLIMBS[(number * 7 + step * 11) % len(CLIMBS)]
            sent += 1
            answer = client.get(address.at(name, climb))
            body = b"" if answer.streaming else answer.content
            # 405: the route has no GET. 301 and 302: the admin's slash and sign-in, the shop's way back from a form.
            if (
                answer.status_code >= 500
                or b"root:x" in body
                or (answer.status_code == 200 and not harmless(address.path))
            ):
                wrong.append(f"{address.route} <{name}> {climb}: {answer.status_code}")
    assert wrong == [], "\n".join(wrong[:30])
    row("W5", f"{len(CLIMBS)} forms over every parameter of every path", n=sent, accepted=0, refused=sent)


def harmless(path: str) -> bool:
    """Pages that answer 200 to any key: a reset link that is not one says so, as does a confirmation."""
    return path.startswith("/accounts/")
