"""A8: signed out, role changed, dismissed, password changed: the next request is refused, and open streams end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from highstreet.kernel import streams
from highstreet.people.accounts.models import User
from highstreet.people.accounts.reads import actor_of
from highstreet.people.accounts.tests.support import PASSWORD, typed
from highstreet.people.staff.models import Employee
from highstreet.web.console.tests.support import Scene, a_scene
from tests.conftest import Add
from tests.support.guessing import sign_in

WITHIN_SECONDS = 6.0


@pytest.fixture(autouse=True)
def _cheap(settings: Any) -> None:
    cache.clear()
    settings.PASSWORD_HASHERS = ["tests.support.guessing.FewRounds"]


class Person:
    """Support staff, signed in with a browser and an app."""

    def __init__(self, scene: Scene) -> None:
        self.user = scene.support
        self.user.set_password(PASSWORD)
        self.user.save()
        scene.owner.set_password(PASSWORD)
        scene.owner.save()
        self.owner = typed(scene.owner.username)
        self.browser = typed(self.user.username)
        self.token = sign_in(self.user.username, PASSWORD).json()["token"]
        self.employee = Employee.objects.get(user=self.user)

    @property
    def works(self) -> tuple[bool, bool]:
        """Whether the browser may use the console, and the app its permission."""
        page = self.browser.get("/console/orders").status_code == 200
        app = Client().get("/api/v1/streams", headers={"Authorization": f"Bearer {self.token}"}).status_code == 200
        return page, app

    def stream_token(self) -> str:
        """A stream as the console's page opens it: for the sign-in of this browser."""
        request = self.browser.get("/console/orders").wsgi_request
        return streams.token(["city:x"], actor_of(request).sign_in)

    def press(self, path: str, **form: str) -> None:
        from highstreet.kernel import ids

        code = ids.public("emp", self.employee.pk)
        assert self.owner.post(f"/console/people/{code}{path}", form).status_code == 302


def new_password(person: Person) -> None:
    user = User.objects.get(pk=person.user.pk)
    user.set_password("another long password")
    user.save()


WAYS: dict[str, Callable[[Person], object]] = {
    "dismissed": lambda person: person.press("/active", active="0"),
    "another role": lambda person: person.press("", role="picker"),
    "password changed": new_password,
    "signed out everywhere": lambda person: typed(person.user.username).post("/me/devices", {"end": "all"}),
    "made inactive": lambda person: User.objects.filter(pk=person.user.pk).update(is_active=False),
}


@pytest.mark.django_db
@pytest.mark.parametrize("way", WAYS)
def test_the_next_request_is_refused(way: str) -> None:
    person = Person(a_scene())
    assert person.works == (True, True)
    WAYS[way](person)
    assert person.works == (False, False)


@pytest.mark.django_db
def test_signing_out_counts_in_every_process_at_once() -> None:
    person = Person(a_scene())
    other = Client()
    other.cookies["sessionid"] = person.browser.cookies["sessionid"].value
    assert other.get("/console/orders").status_code == 200
    person.browser.post("/accounts/logout/")
    assert other.get("/console/orders").status_code == 302
    assert other.get("/accounts/password/change/").status_code == 302


@pytest.mark.django_db
def test_one_device_is_signed_out_by_another_and_nobody_elses() -> None:
    scene = a_scene()
    person = Person(scene)
    other = typed(person.user.username)
    page = other.get("/me/devices")
    rows = [row for row, _name in page.context["rows"]]
    assert sorted(row.app for row in rows) == [False, False, True] and [row.this for row in rows].count(True) == 1
    old = next(row for row in rows if not row.app and not row.this)
    # The owner's session cannot end it.
    assert person.owner.post("/me/devices", {"end": old.id}).status_code == 404
    assert person.works == (True, True)
    assert other.post("/me/devices", {"end": old.id}).status_code == 303
    assert person.works == (False, True)


@contextmanager
def streams_served() -> Iterator[str]:
    """`highstreet streams` as a process of its own on the test's database."""
    known = connection.settings_dict
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"postgresql://{known['USER']}@/{known['NAME']}?host={known['HOST']}"
    command = [sys.executable, "-m", "highstreet", "streams", "--port", str(port)]
    process = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url})
    try:
        for _ in range(200):
            try:
                httpx.get(f"http://127.0.0.1:{port}/livez", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.mark.django_db(transaction=True)
def test_open_streams_end_with_the_sign_in(row: Add) -> None:
    """Signed out, dismissed, password changed: each stream ends within seconds; one that nothing happened to stays."""
    scene = a_scene()
    with streams_served() as url:
        slowest = 0.0
        for way in ("signed out everywhere", "dismissed", "password changed"):
            Employee.objects.filter(user=scene.support).update(active=True)
            person = Person(scene)
            address = f"{url}/events?token={person.stream_token()}"
            kept = f"{url}/events?token={streams.token(['city:x'])}"
            with (
                httpx.stream("GET", address, timeout=30.0, trust_env=False) as stream,
                httpx.stream("GET", kept, timeout=30.0, trust_env=False) as guest,
            ):
                lines = stream.iter_lines()
                assert next(lines) == "retry: 2000"
                WAYS[way](person)
                began = time.monotonic()
                for _line in lines:
                    assert time.monotonic() - began < WITHIN_SECONDS
                slowest = max(slowest, time.monotonic() - began)
                assert next(guest.iter_lines()) == "retry: 2000"
            assert slowest < WITHIN_SECONDS
            assert httpx.get(address, trust_env=False).status_code == 401
    row("A8", f"streams of 3 sign-ins that ended; the slowest after {slowest:.1f} s", n=3, refused=3, invariants="hold")


@pytest.mark.django_db
def test_a_streams_token_is_for_its_sign_in() -> None:
    token = streams.token(["store:a", "order:b"], "s1:abc")
    assert (streams.topics_of(token), streams.sign_in_of(token)) == (["order:b", "store:a"], "s1:abc")
    assert (streams.topics_of("forged"), streams.sign_in_of("forged")) == ([], "")
    assert streams.sign_in_of(streams.token([str(UUID(int=1))])) == ""
