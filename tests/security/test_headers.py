"""W6: every answer of every route tells the browser what to refuse; cookies are closed to scripts and other sites."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from highstreet.kernel import streams as tokens
from highstreet.web.console.tests.support import Scene, an_order
from tests.support.addresses import addresses, one_model

from .conftest import root_client

pytestmark = pytest.mark.django_db
# Scripts of our pages read or write these two, so they cannot be HttpOnly; neither is a secret.
OPEN_COOKIES = {"lang", "theme"}
WANTED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def bad_headers(headers: Any, *, https: bool, admin: bool = False) -> list[str]:
    """What an answer lacks."""
    found = [f"{name}: {headers.get(name)}" for name, value in WANTED.items() if headers.get(name) != value]
    if (
        "geolocation=(self)" not in headers.get("Permissions-Policy", "")
        or "usb=()" not in headers["Permissions-Policy"]
    ):
        found.append("Permissions-Policy")
    if https != ("max-age=31536000" in headers.get("Strict-Transport-Security", "")):
        found.append(f"HSTS: {headers.get('Strict-Transport-Security')}")
    return found + bad_policy(headers.get("Content-Security-Policy", ""), admin=admin)


def bad_policy(text: str, *, admin: bool = False) -> list[str]:
    rules = {part.split()[0]: part.split()[1:] for part in text.split(";") if part.strip()}
    found = []
    if rules.get("default-src") not in (["'self'"], ["'none'"]) or rules.get("frame-ancestors") != ["'none'"]:
        found.append(f"CSP: {text}")
    if rules["default-src"] == ["'self'"] and rules.get("script-src") != ["'self'"] + ["'unsafe-eval'"] * admin:
        found.append(f"script-src: {text}")
    loose = {name for name, values in rules.items() if "'unsafe-inline'" in values or "*" in values}
    if loose - ({"style-src-attr"} if admin else set()):
        found.append(f"CSP is loose in {loose}")
    return found


def bad_cookies(answer: Any, *, https: bool) -> list[str]:
    found = []
    for name, cookie in answer.cookies.items():
        if not cookie.value or cookie["max-age"] == 0:
            continue
        closed = cookie["httponly"] or name in OPEN_COOKIES
        if not closed or cookie["samesite"] != "Lax" or bool(cookie["secure"]) != https or cookie["domain"]:
            found.append(f"cookie {cookie.OutputString()}")
    return found


@pytest.fixture(params=["http", "https"])
def over_https(request: pytest.FixtureRequest) -> bool:
    if request.param == "https":
        request.getfixturevalue("https")
    return bool(request.param == "https")


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)])
def test_every_route_has_the_headers(scene: Scene, over_https: bool, whole: bool, row: Any) -> None:
    """Without HTTPS the fast run asks as a guest only.

    The admin's routes are the same seven for each of its models: all of them in the long run.
    """
    an_order(scene)
    clients = {"guest": Client(raise_request_exception=False), "root": root_client()}
    known = {"code": "dairy", "store": "one-0"}
    wrong, statuses = [], set()
    asked = 0
    if not (whole or over_https):
        del clients["root"]
    for address in addresses(known) if whole else one_model(addresses(known)):
        for who, client in clients.items():
            for method in ("GET", "POST", "OPTIONS") if whole else ("GET",):
                asked += 1
                answer = client.generic(method, address.path, secure=over_https)
                statuses.add(answer.status_code)
                bad = bad_headers(answer.headers, https=over_https, admin=address.path.startswith("/admin/"))
                bad += bad_cookies(answer, https=over_https)
                wrong += [f"{who} {method} {address.path} {answer.status_code}: {one}" for one in bad]
    assert wrong == [], "\n".join(wrong[:30])
    assert statuses >= {200, 302, 401, 404, 405}, statuses
    row("W6", f"headers and cookies of every route, {'HTTPS' if over_https else 'HTTP'}", n=asked, refused=0)


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("on purpose")


def forbidden(request: HttpRequest) -> HttpResponse:
    from django.core.exceptions import PermissionDenied

    raise PermissionDenied


@pytest.fixture
def with_failing_views(settings: Any) -> Iterator[None]:
    module = ModuleType("failing")
    module.urlpatterns = [path("500", broken), path("403", forbidden), path("", include("highstreet.urls"))]  # type: ignore[attr-defined]
    settings.ROOT_URLCONF = module
    yield


def test_errors_have_the_headers(scene: Scene, over_https: bool, with_failing_views: None) -> None:
    client = Client(raise_request_exception=False)
    host = {"HTTP_HOST": "elsewhere.example"}
    big = {"data": b"x" * 2_000_000, "content_type": "application/json"}
    answers = [
        (500, client.get("/500", secure=over_https)),
        (403, client.get("/403", secure=over_https)),
        (404, client.get("/no/such/page", secure=over_https)),
        (404, client.get("/static/none.js", secure=over_https)),
        (400, client.get("/", secure=over_https, **host)),  # type: ignore[arg-type]
        (413, client.post("/api/v1/carts", secure=over_https, **big)),  # type: ignore[arg-type]
        (400, client.post("/cart/lines", {"variant": "x" * 2_000_000}, secure=over_https)),
        (405, client.put("/api/v1/carts", secure=over_https)),
        (200, client.get("/static/ui/app.js", secure=over_https)),
        (200, client.get("/static/unfold/css/styles.css", secure=over_https)),
        (304, client.get("/static/ui/app.js", secure=over_https, headers={"If-None-Match": etag(client)})),
    ]
    wrong = []
    for status, answer in answers:
        where = f"{answer.request['PATH_INFO']} {answer.status_code}"
        if answer.status_code != status:
            wrong.append(f"{where} is not {status}")
        wrong += [f"{where}: {one}" for one in bad_headers(answer.headers, https=over_https)]
    assert wrong == []


def etag(client: Client) -> str:
    return str(client.get("/static/ui/app.js").headers.get("ETag", ""))


def test_under_https_cookies_are_of_this_host_only(https: None, scene: Scene) -> None:
    root_client()
    client = Client()
    assert "__Host-csrf" in client.get("/accounts/login/", secure=True).cookies
    from django.conf import settings

    assert settings.SESSION_COOKIE_NAME == "__Host-session"
    assert settings.SECURE_PROXY_SSL_HEADER == ("HTTP_X_FORWARDED_PROTO", "https")


def test_the_demos_key_is_refused_under_https() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "HIGHSTREET_SECRET_KEY"}
    done = subprocess.run(
        [sys.executable, "-c", "import highstreet.settings"],
        env={**environment, "HIGHSTREET_HTTPS": "1"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "HIGHSTREET_SECRET_KEY" in done.stderr


@pytest.mark.parametrize(
    ("target", "status"), [("/livez", 200), ("/none", 404), ("/events", 401), ("/events?token=right", 200)]
)
def test_the_streams_have_the_headers(over_https: bool, target: str, status: int) -> None:
    """The ASGI application itself, as granian calls it; a stream is left after its head."""
    where, _, query = target.partition("?")
    if query:
        query = f"token={tokens.token([f'order:{uuid4()}'])}"
    head = asyncio.run(head_of(where, query))
    headers = {name.decode().title(): value.decode() for name, value in head["headers"]}
    renamed = {{"X-Content-Type-Options": "X-Content-Type-Options"}.get(name, name): headers[name] for name in headers}
    assert head["status"] == status
    assert bad_headers(renamed, https=over_https) == []


async def head_of(where: str, query: str) -> dict[str, Any]:
    from highstreet.web.streams import make_app

    app, told = make_app(), asyncio.get_running_loop().create_future()

    async def receive() -> dict[str, Any]:
        await told
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start" and not told.done():
            told.set_result(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": where,
        "raw_path": where.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost")],
        "http_version": "1.1",
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 1),
        "root_path": "",
    }
    running = asyncio.create_task(app(scope, receive, send))  # type: ignore[arg-type]
    try:
        return dict(await asyncio.wait_for(asyncio.shield(told), 10))
    finally:
        running.cancel()


def test_a_missing_header_is_found(scene: Scene, settings: Any) -> None:
    """The control: without the two middlewares, the same check finds every header missing."""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.startswith("highstreet.web.headers.")]
    with pytest.raises(KeyError):
        bad_headers(Client().get("/livez").headers, https=False)
